package probe

import (
	"slices"
	"sync"
	"time"
)

// recorder collects a session's events. It lives as long as the conversation, a thousand of which may be held at
// once, so that it keeps them small until they are asked for.
type recorder struct {
	mu       sync.Mutex
	start    time.Time
	trace    func(Event)
	records  []record
	data     []byte // of all events, one behind the other
	finished bool
	greeting bool // no more than that is going to be said
	few      [greetingRecords]record
}

// record is an Event in half the space.
type record struct {
	label   string
	tls     *TLS
	at      uint32 // milliseconds
	from    uint32 // the data is data[from:to]
	to      uint32
	conn    uint16
	dir     uint8 // in dirs
	outcome uint8 // in outcomes
}

var (
	dirs     = []Dir{DirOpen, DirSend, DirRecv, DirTLS, DirEnd, DirRand, DirStray}
	outcomes = []Outcome{
		"", OutcomeRefused, OutcomeUnreachable, OutcomeTimeout, OutcomeCanceled, OutcomeClosed, OutcomeTLS,
		OutcomeNotProtocol, OutcomeMalformed, OutcomeLimit, OutcomeForbidden, OutcomeInternal, OutcomeBusy, OutcomeDenied,
	}
)

// The first sizes: what most conversations without TLS take, and what a greeting does. They double when more is said.
const (
	firstRecords    = 24
	firstData       = 768
	greetingRecords = 4
	greetingData    = 128
)

func (r *recorder) add(e Event) { r.append(e, e.Data, false) }

// received adds what a connection gave. A server that drips its bytes, or a reply in several segments, is still one
// thing that was received; datagrams stay apart, since joined ones couldn't be replayed.
func (r *recorder) received(e Event, datagram bool) { r.append(e, e.Data, !datagram) }

// append adds an event whose data, apart from it, may lie on the stack.
func (r *recorder) append(e Event, data []byte, joins bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.finished {
		return
	}
	at := time.Since(r.start)
	if r.trace != nil {
		e.At, e.Data = at.Truncate(time.Millisecond), slices.Clone(data)
		r.trace(e)
	}
	if r.records == nil {
		if r.greeting {
			r.records, r.data = r.few[:0], make([]byte, 0, greetingData)
		} else {
			r.records, r.data = make([]record, 0, firstRecords), make([]byte, 0, firstData)
		}
	}
	from := len(r.data)
	r.data = append(r.data, data...)
	if n := len(r.records); n > 0 && joins {
		if last := &r.records[n-1]; dirs[last.dir] == DirRecv && int(last.conn) == e.Conn {
			last.to = uint32(len(r.data))
			return
		}
	}
	r.records = append(r.records, record{
		label: e.Label, tls: e.TLS, at: uint32(at.Milliseconds()), from: uint32(from), to: uint32(len(r.data)),
		conn: uint16(e.Conn), dir: uint8(slices.Index(dirs, e.Dir)), outcome: uint8(slices.Index(outcomes, e.Outcome)),
	})
}

// transcript returns what was recorded so far. The slices' capacities are cut, so that appending to an event's data
// never writes into another's.
func (r *recorder) transcript() Transcript {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := make(Transcript, len(r.records))
	for i, rec := range r.records {
		t[i] = Event{
			At: time.Duration(rec.at) * time.Millisecond, Conn: int(rec.conn), Dir: dirs[rec.dir], Label: rec.label,
			TLS: rec.tls, Outcome: outcomes[rec.outcome],
		}
		if rec.from < rec.to {
			t[i].Data = r.data[rec.from:rec.to:rec.to]
		}
	}
	return t
}

// finish returns the whole. What comes later, from a goroutine that the prober left behind, isn't recorded.
func (r *recorder) finish() Transcript {
	r.mu.Lock()
	r.finished = true
	r.mu.Unlock()
	return r.transcript()
}
