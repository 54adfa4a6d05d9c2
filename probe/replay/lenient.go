package replay

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"

	"github.com/handclasp/handclasp/probe"
)

// dialAny plays the next recorded connection to the port, refused if there is none.
func (p *Player) dialAny(network, address string) (net.Conn, error) {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, dialError(network, probe.OutcomeUnreachable)
	}
	for i := p.dialed; i < len(p.tracks); i++ {
		t := p.tracks[i]
		if own := p.tracks[0].addr.Port(); t.addr.Port() != ap.Port() && (t.addr.Port() == own || ap.Port() == own) {
			continue
		}
		copy(p.tracks[p.dialed+1:i+1], p.tracks[p.dialed:i])
		p.tracks[p.dialed] = t
		p.dialed++
		if t.open.Outcome != "" {
			return nil, dialError(network, t.open.Outcome)
		}
		t.conn = &playedConn{p: p, t: t, network: network, remote: ap}
		return t.conn, nil
	}
	return nil, dialError(network, probe.OutcomeRefused)
}

func (c *playedConn) readLeniently(b []byte) (int, error) {
	s := c.upcoming()
	switch {
	case s == nil && c.datagrams():
		return 0, os.ErrDeadlineExceeded
	case s == nil:
		c.err = io.EOF
		return 0, c.err
	case s.Dir == probe.DirRecv:
		c.t.next++
		c.rest, c.offset, c.parts = s.Data, s.base, s.parts
		if n, ok := c.deliver(b); ok {
			return n, nil
		}
		return c.readLeniently(b) // nothing was left of the chunk
	case s.Dir == probe.DirEnd:
		c.t.next++
		return 0, c.end(s.Outcome, "read")
	}
	return 0, os.ErrDeadlineExceeded // each waits for the other
}

func (c *playedConn) writeLeniently(b []byte) (int, error) {
	if s := c.upcoming(); s != nil && s.Dir == probe.DirSend {
		c.t.next++
	}
	return len(b), nil
}

// shakeLeniently fails if something else stands in the place of the handshake.
func (c *playedConn) shakeLeniently() (*probe.TLS, error) {
	s := c.upcoming()
	if s != nil && s.Dir == probe.DirRecv && len(c.rest) == 0 {
		c.rest = s.Data
	}
	seen := normalTLS(&probe.TLS{Mode: "starttls"})
	switch {
	case len(c.rest) > 0:
		seen.LeftoverPlaintext = append(seen.LeftoverPlaintext, clip(c.rest)...)
	case s == nil, s.Dir != probe.DirTLS:
	default:
		return nil, nil
	}
	c.err = &probe.Error{Op: "tls", Outcome: probe.OutcomeTLS, Err: errors.New("no handshake")}
	return seen, c.err
}
