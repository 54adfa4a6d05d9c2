package probe

import (
	"encoding/json"
	"time"
)

// A Transcript is what was said in a session, above TLS, in order. It replays: replay.Dial makes a DialFunc of
// it, so that stored evidence can be parsed again by better code.
type Transcript []Event

// Dir is the kind of an event.
type Dir string

// The kinds of events.
const (
	// A connection was attempted: Data is the address, "192.0.2.7:137/udp" if the network isn't the target's, and
	// Outcome is why it failed.
	DirOpen Dir = "open"
	DirSend Dir = "send" // Data was sent, and the guard named it Label
	DirRecv Dir = "recv" // Data was received
	DirTLS  Dir = "tls"  // a TLS handshake ended: TLS is what was seen, Outcome why it failed
	DirEnd  Dir = "end"  // reading ended, or writing if Label is "send": Outcome says why, "closed" for an end of file
	DirRand Dir = "rand" // Data was drawn from Options.Rand
	// Data came by UDP from another address than the target's, which Label is.
	DirStray Dir = "stray"
)

// An Event is one thing that happened in a session.
type Event struct {
	At      time.Duration // since the start of the session, in whole milliseconds
	Conn    int           // the connection, counted from 1; 0 for the session itself
	Dir     Dir
	Data    []byte
	Label   string
	TLS     *TLS
	Outcome Outcome // empty if nothing failed
}

// eventJSON is the wire form, which [Event.AppendJSON] writes: text if the data is UTF-8, and the exact bytes in base64
// beside it if it isn't.
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
