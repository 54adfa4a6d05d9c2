package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"

	"github.com/handclasp/handclasp/probe"
)

// A play is one holding of a conversation.
type play struct {
	server *Server
	tracks []*track // those that weren't dialled yet
	random []byte   // that wasn't drawn yet
}

// A track is what was recorded of one connection.
type track struct {
	name       string
	door       string
	open       probe.Event
	events     []probe.Event
	handshakes []probe.Event // those among the events that the client hasn't come to
	shaken     chan struct{} // one for each handshake that it came to
}

func newPlay(s *Server) *play {
	p := &play{server: s}
	byConn := map[int]*track{}
	for _, e := range s.recording.Transcript {
		switch t := byConn[e.Conn]; e.Dir {
		case probe.DirRand:
			p.random = append(p.random, e.Data...)
		case probe.DirOpen:
			t = &track{name: s.Name, door: doorOf(e, s.Target.Network), open: e}
			byConn[e.Conn] = t
			p.tracks = append(p.tracks, t)
		case probe.DirTLS:
			t.handshakes = append(t.handshakes, e)
			fallthrough
		default:
			t.events = append(t.events, e)
		}
	}
	for _, t := range p.tracks {
		t.shaken = make(chan struct{}, len(t.handshakes))
	}
	return p
}

// take returns the track of a connection's number, or the first that is left if connections are made one by one.
func (p *play) take(id int) *track {
	for i, t := range p.tracks {
		if id == 0 || t.open.Conn == id {
			p.tracks = append(p.tracks[:i:i], p.tracks[i+1:]...)
			return t
		}
	}
	return nil
}

// serve plays the server's part, and returns an error if the client says anything else than was recorded.
func (t *track) serve(ctx context.Context, c net.Conn) error {
	for _, e := range t.events {
		switch e.Dir {
		case probe.DirRecv:
			if _, err := c.Write(e.Data); err != nil {
				return nil // it left
			}
		case probe.DirSend:
			b, err := receive(c, len(e.Data))
			if err != nil {
				return nil
			}
			if !bytes.Equal(b, e.Data) {
				return fmt.Errorf("%q was sent, and %q recorded", b, e.Data)
			}
		case probe.DirTLS:
			select {
			case <-t.shaken:
			case <-ctx.Done():
			}
		case probe.DirEnd:
			if e.Outcome == probe.OutcomeClosed {
				return nil
			}
		}
	}
	if _, ok := c.(peer); ok {
		return nil // nobody is seen to leave
	}
	if b, err := receive(c, 1); err == nil {
		return fmt.Errorf("%q was sent, and nothing recorded", b)
	}
	return nil
}

// receive reads n bytes of a stream, or a datagram.
func receive(c net.Conn, n int) ([]byte, error) {
	if _, ok := c.(peer); ok {
		b := make([]byte, 64<<10)
		n, err := c.Read(b)
		return b[:n], err
	}
	b := make([]byte, n)
	_, err := io.ReadFull(c, b)
	return b, err
}

// conn is the client's end of a connection.
type conn struct {
	net.Conn
	t *track
}

// ReplayTLS gives a probe.Conn the recorded handshake in place of a real one.
func (c *conn) ReplayTLS() (*probe.TLS, error) {
	if len(c.t.handshakes) == 0 {
		return nil, probe.Errorf("tls", probe.OutcomeInternal, "no handshake was recorded")
	}
	e := c.t.handshakes[0]
	c.t.handshakes = c.t.handshakes[1:]
	c.t.shaken <- struct{}{}
	seen := *e.TLS
	if e.Outcome != "" {
		return &seen, &probe.Error{Op: "tls", Outcome: e.Outcome}
	}
	return &seen, nil
}
