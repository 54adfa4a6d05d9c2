package scan

import (
	"time"

	"github.com/handclasp/handclasp/probe"
)

// Progress is how far a scan has come.
type Progress struct {
	// Total is how many endpoints there are, -1 if that isn't known. What is learned on the way changes it: further
	// addresses of names, names that don't resolve, and, as an estimate until the end, what other shards and exclusions
	// take away.
	Total int64
	// Done is how many endpoints are done, those before the scan was resumed included.
	Done     int64
	InFlight int64 // endpoints that are being probed now
	Open     int64 // of those that are done, the ones where somebody answered the call
	Findings int64 // in those that are done
	Unusable int64 // inputs that can't be used
	// Rate is how many endpoints were done a second, over the last ten seconds.
	Rate float64
	// Left is how long the rest is going to take at that rate; -1 if that isn't known.
	Left time.Duration
}

// isOpen reports whether a connection was made; by datagrams, whether a reply came.
func isOpen(r *probe.Result) bool {
	wanted := probe.DirOpen
	if r.Target.Network == probe.UDP {
		wanted = probe.DirRecv
	}
	for _, e := range r.Transcript {
		if e.Dir == wanted && e.Outcome == "" {
			return true
		}
	}
	return false
}

// SetTotal tells how many endpoints the inputs stand for, as [Count] counts them.
func (j *Journal) SetTotal(endpoints int64) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.total, j.known = endpoints, endpoints >= 0
}

// Progress returns how far the scan has come.
func (j *Journal) Progress() Progress {
	if j == nil {
		return Progress{Total: -1, Left: -1}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	s := &j.state
	p := Progress{
		Total: -1, Done: s.Done, InFlight: j.meter.inFlight, Open: s.Open, Findings: s.Findings, Unusable: s.Unusable,
		Rate: j.meter.rate(s.Done), Left: -1,
	}
	if j.known {
		share, rest := 1.0, j.total // of positions that aren't excluded, and how many positions are to come
		if s.Order != nil && s.Order.shards > 1 {
			rest /= int64(s.Order.shards)
		}
		if seen := s.Begun + s.Excluded; seen > 0 {
			share = float64(s.Begun) / float64(seen)
			rest = max(0, rest-seen)
		}
		if s.Finished {
			rest = 0
		}
		p.Total = s.Begun + s.Extra + int64(float64(rest)*share+0.5)
		if p.Done >= p.Total {
			p.Left = 0
		} else if p.Rate > 0 {
			p.Left = time.Duration(float64(p.Total-p.Done) / p.Rate * float64(time.Second)).Round(time.Second)
		}
	}
	return p
}

// A meter measures a rate.
type meter struct {
	inFlight int64
	marks    [10]mark // one a second, as long as something is done
	newest   int
}

type mark struct {
	at   time.Time
	done int64
}

// count notes that something was done.
func (m *meter) count(done int64) {
	now := time.Now()
	if last := m.marks[m.newest].at; last.IsZero() {
		m.marks[m.newest] = mark{now, done - 1}
	} else if now.Sub(last) >= time.Second {
		m.newest = (m.newest + 1) % len(m.marks)
		m.marks[m.newest] = mark{now, done}
	}
}

func (m *meter) rate(done int64) float64 {
	for i := range m.marks { // the oldest that is set
		oldest := m.marks[(m.newest+1+i)%len(m.marks)]
		if took := time.Since(oldest.at).Seconds(); !oldest.at.IsZero() && took > 0 {
			return float64(done-oldest.done) / took
		}
	}
	return 0
}

// probing counts endpoints that are being probed.
func (j *Journal) probing(n int64) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.meter.inFlight += n
}
