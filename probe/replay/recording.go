package replay

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/handclasp/handclasp/probe"
)

// A Recording is a conversation with its head: what a transcript file holds.
type Recording struct {
	// Server names the software that was spoken to, with its version; empty if nobody knows.
	Server string
	// Captured is the date of a capture, such as "2026-01-31", or "handwritten" with a remark.
	Captured string
	// Level is the one that the conversation was held at; a file that doesn't say means the handshake.
	Level probe.Level
	// Target is what was probed. A file that doesn't say means the address of its first open event, over TCP.
	Target probe.Target
	// ImplicitTLS is Unknown if the port decides, as in [probe.Options].
	ImplicitTLS probe.Fact
	// TLS is how far the server was asked for TLS.
	TLS probe.TLSMode
	// Comments are the head's other lines, without their "# ".
	Comments []string
	// Transcript is what was said. Files hold no times, so that its events have none.
	Transcript probe.Transcript

	lines []int // where each event stands in the file
}

// Record makes a recording of a result, to be written to a file by [Recording.Format].
func Record(r *probe.Result, server, captured string) *Recording {
	rec := &Recording{Server: server, Captured: captured, Level: r.Level, Target: r.Target}
	if e, ok := r.Evidence.(probe.TLSEvidence); ok {
		if t := e.TLSHandshake(); t != nil && t.Offers != nil {
			rec.TLS = t.Offers.Mode
		}
	}
	for _, e := range r.Transcript {
		e.At = 0
		rec.Transcript = append(rec.Transcript, e)
		if e.TLS != nil && e.TLS.Mode == "implicit" && e.Conn == 1 {
			rec.ImplicitTLS = probe.Yes
		}
	}
	return rec
}

// Player returns a new player of the conversation.
func (r *Recording) Player() *Player {
	p := NewPlayer(r.Transcript)
	p.lines = r.lines
	return p
}

// Options returns options for one replay: the recorded level, and a new [Player] as dialer and as source of randomness.
// Use [Recording.Player] if you want to ask it for deviations.
func (r *Recording) Options() *probe.Options { return r.options(r.Player()) }

func (r *Recording) options(p *Player) *probe.Options {
	return &probe.Options{Level: r.Level, ImplicitTLS: r.ImplicitTLS, TLS: r.TLS, Dial: p.Dial, Rand: p.Rand()}
}

// Format returns the recording in the text form that [Parse] reads.
func (r *Recording) Format() []byte {
	var b bytes.Buffer
	head := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "# %s: %s\n", key, value)
		}
	}
	head("server", r.Server)
	head("captured", r.Captured)
	head("level", r.Level.String())
	if r.Target.Addr.IsValid() {
		head("target", r.Target.Addr.String())
	}
	if r.Target.Network == probe.UDP {
		head("network", string(probe.UDP))
	}
	head("name", r.Target.Name)
	head("implicit_tls", string(r.ImplicitTLS))
	head("tls", string(r.TLS))
	for _, c := range r.Comments {
		fmt.Fprintf(&b, "# %s\n", c)
	}
	datagrams := map[int]bool{}
	for _, e := range r.Transcript {
		if e.Dir == probe.DirOpen {
			_, network, _ := parseOpened(string(e.Data))
			datagrams[e.Conn] = cmp.Or(network, r.Target.Network) == probe.UDP
		}
		formatEvent(&b, e, datagrams[e.Conn])
	}
	return b.Bytes()
}

func formatEvent(b *bytes.Buffer, e probe.Event, datagram bool) {
	line := func(words ...string) {
		b.WriteString(strconv.Itoa(e.Conn))
		for _, w := range words {
			if w != "" {
				b.WriteString(" " + w)
			}
		}
		b.WriteByte('\n')
	}
	switch e.Dir {
	case probe.DirOpen:
		line("open", string(e.Data), string(e.Outcome))
	case probe.DirSend:
		label := e.Label
		if label != "" {
			label = " " + label // set off, to be read at a glance
		}
		line(">", strconv.Quote(string(e.Data)), label)
	case probe.DirRecv:
		for _, part := range readable(e.Data, datagram) {
			line("<", strconv.Quote(string(part)))
		}
	case probe.DirTLS:
		seen, err := json.Marshal(normalTLS(e.TLS))
		if err != nil {
			seen = []byte("{}") // a struct of strings and times always marshals
		}
		line("tls", string(e.Outcome), string(seen))
	case probe.DirEnd:
		line("end", string(e.Outcome), e.Label)
	case probe.DirStray:
		line("stray", strconv.Quote(string(e.Data)), e.Label)
	case probe.DirRand:
		line("rand", strconv.Quote(string(e.Data)))
	}
}

// readable cuts a chunk behind its line feeds: a line of text is a line of the file. A datagram stays whole.
func readable(chunk []byte, datagram bool) [][]byte {
	if datagram || len(chunk) == 0 {
		return [][]byte{chunk}
	}
	parts := bytes.SplitAfter(chunk, []byte("\n"))
	if last := len(parts) - 1; len(parts[last]) == 0 {
		parts = parts[:last]
	}
	return parts
}

// normalTLS fills in what a hand-written line leaves out, so that no list of it is null.
func normalTLS(t *probe.TLS) *probe.TLS {
	n := probe.TLS{}
	if t != nil {
		n = *t
	}
	if n.LeftoverPlaintext == nil {
		n.LeftoverPlaintext = []byte{}
	}
	if n.Chain == nil {
		n.Chain = []probe.Certificate{}
	}
	if n.Versions == nil {
		n.Versions = []string{}
	}
	return &n
}
