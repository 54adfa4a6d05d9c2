package probe

import (
	"context"
	"errors"
	"time"
)

// Handed is what one prober leaves to the next. The zero value leaves nothing: connections are opened anew.
type Handed struct {
	// Conn is what the next Open returns, with what was received on it and not yet read.
	Conn *Conn
	// TLS is the handshake that was done on Conn: the target speaks TLS from the first byte, and StartTLS returns it.
	TLS *TLS
	// Err is why there is no connection: the next Open returns it.
	Err error
}

// HandOver lets another prober go on with the session, which from then on is of its protocol and has its guard. What it
// returns is that prober's.
func (s *Session) HandOver(ctx context.Context, p Prober, h Handed) (Evidence, error) {
	s.become(p, h)
	return p.Probe(ctx, s)
}

// become makes the session one of another protocol.
func (s *Session) become(p Prober, h Handed) {
	spec := p.Spec()
	s.mu.Lock()
	s.spec, s.kept, s.handed = spec, nil, nil
	if h.Conn != nil || h.Err != nil {
		s.handed = &h
	}
	s.maxConns = s.opts.Limits.Conns
	if most := spec.Bounds.At(s.opts.Level).Conns; most > 0 { // beside those that were opened to find out who is there
		if h.Conn != nil {
			most--
		}
		s.maxConns = min(s.maxConns, s.opened+most)
	}
	s.mu.Unlock()
	s.opts.ImplicitTLS = FactOf(h.TLS != nil)
	if h.Conn != nil {
		h.Conn.check, h.Conn.handshaken = nil, h.TLS
	}
}

// takeHanded returns what was handed over, once; nil if nothing was.
func (s *Session) takeHanded() *Handed {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.handed
	s.handed = nil
	return h
}

// Peek waits for the server to say something more, for d at most, and returns all that is unread; the slice is valid
// until the next read. Silence is a timeout, behind which the connection can be used on, unless it lasted as long as a
// read may take anyway; d of zero or less stands for that.
func (c *Conn) Peek(d time.Duration) ([]byte, error) {
	brief := d > 0 && d < c.raw.idle
	if brief {
		defer c.raw.setIdle(c.raw.idle)
		c.raw.setIdle(d)
	}
	err := c.fill()
	if brief && errors.Is(err, OutcomeTimeout) && c.s.life.Err() == nil {
		c.err = nil
	}
	return c.Buffered(), err
}

// SetPatience sets how long the server may keep silent from now on: d if that is less than Limits.Idle.
func (c *Conn) SetPatience(d time.Duration) { c.raw.setIdle(min(d, c.s.opts.Limits.Idle)) }

// Plain makes the connection readable again behind a handshake that failed because the server spoke plaintext, whose rest is
// still to come; nothing can be sent on it any more. It reports whether the handshake failed so.
func (c *Conn) Plain(t *TLS) bool {
	if !c.spoiled || c.closed || len(t.LeftoverPlaintext) == 0 {
		return false
	}
	c.spoiled, c.err, c.receiveOnly = false, nil, true
	return true
}

// Forget drops what was received behind the first n unread bytes: the answer to a question that the prober which reads on
// didn't ask.
func (c *Conn) Forget(n int) { c.w = min(c.w, c.r+n) }
