package probe

import (
	"encoding/json"
	"sync"
	"time"
	"unicode/utf8"
)

// A Transcript is what was said in a session, above TLS, in order. It replays: probetest.Replay makes a DialFunc of
// it, so that stored evidence can be parsed again by better code.
type Transcript []Event

// Dir is the kind of an event.
type Dir string

// The kinds of events.
const (
	DirOpen Dir = "open" // a connection was attempted: Data is the address, Outcome why it failed
	DirSend Dir = "send" // Data was sent, and the guard named it Label
	DirRecv Dir = "recv" // Data was received
	DirTLS  Dir = "tls"  // a TLS handshake ended: TLS is what was seen, Outcome why it failed
	DirEnd  Dir = "end"  // reading or writing ended: Outcome says why, "closed" for an end of file
	DirRand Dir = "rand" // Data was drawn from Options.Rand
)

// An Event is one thing that happened in a session.
type Event struct {
	At      time.Duration // since the start of the session, in whole milliseconds
	Conn    int           // the connection, counted from 1; 0 for the session itself
	Dir     Dir
	Data    []byte
	Label   string
	TLS     *TLS
	Outcome Outcome // empty where nothing failed
}

// eventJSON is the wire form: text where the data is UTF-8, and the exact bytes in base64 beside it where it isn't.
type eventJSON struct {
	AtMS    int64   `json:"at_ms"`
	Conn    int     `json:"conn"`
	Dir     Dir     `json:"dir"`
	Text    string  `json:"text"`
	Lossy   bool    `json:"lossy,omitempty"`
	Base64  []byte  `json:"base64,omitempty"`
	Label   string  `json:"label,omitempty"`
	TLS     *TLS    `json:"tls,omitempty"`
	Outcome Outcome `json:"outcome,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (e Event) MarshalJSON() ([]byte, error) {
	j := eventJSON{AtMS: e.At.Milliseconds(), Conn: e.Conn, Dir: e.Dir, Label: e.Label, TLS: e.TLS, Outcome: e.Outcome}
	if j.Text, j.Lossy = UTF8(e.Data); j.Lossy {
		j.Base64 = e.Data
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (e *Event) UnmarshalJSON(data []byte) error {
	var j eventJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*e = Event{At: time.Duration(j.AtMS) * time.Millisecond, Conn: j.Conn, Dir: j.Dir, Label: j.Label, TLS: j.TLS, Outcome: j.Outcome}
	switch {
	case j.Lossy:
		e.Data = j.Base64
	case j.Text != "":
		e.Data = []byte(j.Text)
	}
	return nil
}

// IsText reports whether the event's data is valid UTF-8.
func (e Event) IsText() bool { return utf8.Valid(e.Data) }

// recorder collects a session's events.
type recorder struct {
	mu     sync.Mutex
	start  time.Time
	trace  func(Event)
	events Transcript
	arena  []byte // the unused rest of the current block, of which events get slices
	// datagrams stay apart, each an event: joined ones couldn't be replayed.
	datagrams bool
	finished  bool
}

const arenaBlock = 1 << 10

func (r *recorder) add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.finished {
		return
	}
	e.At = time.Since(r.start).Truncate(time.Millisecond)
	if r.trace != nil {
		traced := e
		traced.Data = append([]byte(nil), e.Data...)
		r.trace(traced)
	}
	if len(e.Data) > 0 {
		e.Data = r.keep(e.Data)
		// A server that drips its bytes, or a reply in several segments, is still one thing that was received.
		if n := len(r.events); e.Dir == DirRecv && n > 0 && !r.datagrams {
			if last := &r.events[n-1]; last.Dir == DirRecv && last.Conn == e.Conn {
				last.Data = append(last.Data, e.Data...)
				return
			}
		}
	}
	if r.events == nil {
		r.events = make(Transcript, 0, 16)
	}
	r.events = append(r.events, e)
}

// keep copies b into the arena. The slice's capacity is cut so that appending to an event never writes into the next.
func (r *recorder) keep(b []byte) []byte {
	if len(b) > len(r.arena) {
		if len(b) >= arenaBlock/2 {
			return append([]byte(nil), b...)
		}
		r.arena = make([]byte, arenaBlock)
	}
	n := copy(r.arena, b)
	kept := r.arena[:n:n]
	r.arena = r.arena[n:]
	return kept
}

func (r *recorder) transcript() Transcript {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(Transcript{}, r.events...)
}

// finish hands the events over. What comes later, from a goroutine that the prober left behind, isn't recorded.
func (r *recorder) finish() Transcript {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.finished = true
	if r.events == nil {
		return Transcript{}
	}
	return r.events
}
