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
	full     [][]record
	records  []record // behind those
	chunk    []byte   // the newest memory for data: that of the last record is at its end
	finished bool
}

// record is an Event in less space.
type record struct {
	label   string
	tls     *TLS
	data    []byte
	at      uint32 // milliseconds
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

// The first sizes: what most conversations take, and what a greeting does. What was said stays where it is when there is more.
const (
	firstRecords    = 12
	firstChunk      = 256
	greetingRecords = 4
	greetingChunk   = 128
	largestChunk    = 1 << 10 // unless it is one thing that is larger
)

// begin makes place for what is mostly said at a level.
func (r *recorder) begin(trace func(Event), l Level) {
	r.trace = trace
	records, chunk := firstRecords, firstChunk
	if l == LevelGreeting {
		records, chunk = greetingRecords, greetingChunk
	}
	r.records, r.chunk = make([]record, 0, records), make([]byte, 0, chunk)
}

func (r *recorder) add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.append(&e, e.Data, false)
}

func (r *recorder) sent(conn int, data []byte, label string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.append(&Event{Conn: conn, Dir: DirSend, Label: label}, data, false)
}

// received adds what a connection gave. A server that drips its bytes, or a reply in several segments, is still one
// thing that was received; datagrams stay apart, since joined ones couldn't be replayed.
func (r *recorder) received(conn int, data []byte, datagram bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.append(&Event{Conn: conn, Dir: DirRecv}, data, !datagram)
}

// opened adds an attempt to connect, to an address that may lie on the stack.
func (r *recorder) opened(conn int, addr []byte, o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.append(&Event{Conn: conn, Dir: DirOpen, Outcome: o}, addr, false)
}

// append adds an event, and its data apart from it.
func (r *recorder) append(e *Event, data []byte, joins bool) {
	if r.finished {
		return
	}
	at := time.Since(r.start)
	if r.trace != nil {
		e.At, e.Data = at.Truncate(time.Millisecond), slices.Clone(data)
		r.trace(*e)
	}
	if n := len(r.records); n > 0 && joins {
		if last := &r.records[n-1]; dirs[last.dir] == DirRecv && int(last.conn) == e.Conn {
			last.data = r.keep(last.data, data)
			return
		}
	}
	if len(r.records) == cap(r.records) {
		r.full, r.records = append(r.full, r.records), make([]record, 0, firstRecords)
	}
	r.records = append(r.records, record{})
	n := &r.records[len(r.records)-1]
	n.label, n.tls, n.data = e.Label, e.TLS, r.keep(nil, data)
	n.at, n.conn = uint32(at.Milliseconds()), uint16(e.Conn)
	n.dir, n.outcome = uint8(slices.Index(dirs, e.Dir)), uint8(slices.Index(outcomes, e.Outcome))
}

// keep copies data behind the last record's, if it is more of that, or else to where nothing is. The slice's capacity is cut, so that
// appending to an event's data never writes into another's.
func (r *recorder) keep(last, data []byte) []byte {
	size := len(last) + len(data)
	if len(r.chunk)+len(data) > cap(r.chunk) {
		room := max(size, min(2*cap(r.chunk), largestChunk))
		if len(last) > 0 {
			room = max(room, 2*size) // there may be more still
		}
		r.chunk = append(make([]byte, 0, room), last...)
	}
	r.chunk = append(r.chunk, data...)
	end := len(r.chunk)
	return r.chunk[end-size : end : end]
}

// transcript returns what was recorded so far.
func (r *recorder) transcript() Transcript {
	r.mu.Lock()
	defer r.mu.Unlock()
	all, n := append(slices.Clip(r.full), r.records), 0
	for _, records := range all {
		n += len(records)
	}
	t := make(Transcript, 0, n)
	for _, records := range all {
		for _, rec := range records {
			e := Event{
				At: time.Duration(rec.at) * time.Millisecond, Conn: int(rec.conn), Dir: dirs[rec.dir], Label: rec.label,
				TLS: rec.tls, Outcome: outcomes[rec.outcome],
			}
			if len(rec.data) > 0 {
				e.Data = rec.data
			}
			t = append(t, e)
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
