package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// playedConn is one connection of a replay. The player's lock guards it.
type playedConn struct {
	p        *Player
	t        *track
	network  string
	remote   netip.AddrPort
	rest     []byte // received, and not yet read
	offset   int    // of rest in all received bytes
	parts    [][]byte
	err      error // for good
	closed   bool
	deadline time.Time
	alone    bool // one goroutine uses it
}

// OneAtATime is how a [probe.Conn] says whether one goroutine alone uses the connection.
func (c *playedConn) OneAtATime(yes bool) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	c.alone = yes
}

func (c *playedConn) datagrams() bool { return strings.HasPrefix(c.network, "udp") }

// usable reports why nothing can be read or written any more.
func (c *playedConn) usable() error {
	switch {
	case c.closed:
		return net.ErrClosed
	case c.err != nil:
		return c.err
	case !c.deadline.IsZero() && !time.Now().Before(c.deadline):
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (c *playedConn) fail(format string, args ...any) error {
	c.err = c.p.deviate(format, args...)
	c.p.sent.Broadcast() // who waits for more of it, waits in vain
	return c.err
}

// upcoming is what was recorded next, nil at the end.
func (c *playedConn) upcoming() *step {
	if c.t.next == len(c.t.steps) {
		return nil
	}
	return &c.t.steps[c.t.next]
}

func (c *playedConn) Read(b []byte) (int, error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if err := c.usable(); err != nil {
		return 0, err
	}
	if n, ok := c.deliver(b); ok {
		return n, nil
	}
	if c.p.Lenient {
		return c.readLeniently(b)
	}
	if err := c.awaitTurn(); err != nil {
		return 0, err
	}
	s := c.upcoming()
	switch {
	case s == nil:
		return 0, c.fail("connection %d is read on, but nothing more was recorded of it", c.t.id)
	case s.Dir == probe.DirRecv:
		if err := c.awaitSends(s.pos); err != nil {
			return 0, err
		}
		c.t.next++
		c.rest, c.offset, c.parts = s.Data, s.base, s.parts
		n, _ := c.deliver(b)
		return n, nil
	case s.Dir == probe.DirEnd:
		c.t.next++
		return 0, c.end(s.Outcome, "read")
	}
	return 0, c.fail("%s: connection %d is read, but what came next was %s", c.p.at(*s), c.t.id, describe(*s))
}

// Elsewhere returns the strays that were recorded before what comes next.
func (c *playedConn) Elsewhere() (list []probe.Stray) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	for len(c.t.strays) > 0 {
		s := c.t.strays[0]
		if next := c.upcoming(); next != nil && next.pos < s.pos {
			break
		}
		from, err := netip.ParseAddrPort(s.Label)
		if err != nil {
			_ = c.fail("%s: %q is no address", c.p.at(s), s.Label)
			break
		}
		list = append(list, probe.Stray{From: from, Data: s.Data})
		c.t.strays = c.t.strays[1:]
	}
	return list
}

// deliver gives what was received: to streams up to the split, datagrams one at a time.
func (c *playedConn) deliver(b []byte) (n int, ok bool) {
	if c.datagrams() {
		if len(c.parts) == 0 {
			return 0, false
		}
		n = copy(b, c.parts[0])
		c.parts = c.parts[1:]
		return n, true
	}
	if len(c.rest) == 0 {
		return 0, false
	}
	n = min(len(b), len(c.rest))
	if split := c.p.Split - c.offset; split > 0 && split < n {
		n = split
	}
	if c.p.Drip {
		n = min(n, 1)
	}
	copy(b, c.rest[:n])
	c.rest = c.rest[n:]
	c.offset += n
	return n, true
}

// patience is how long a read waits for what another goroutine is about to do.
const patience = time.Second

// awaitTurn holds back a read that comes before its turn, as a network does: libraries read on in one goroutine while
// another is about to send, or to close. It returns when it is the read's turn, or nobody did anything: at once if there is no
// other goroutine.
func (c *playedConn) awaitTurn() error {
	if c.alone {
		return nil
	}
	return c.await(func() bool {
		s := c.upcoming()
		return s != nil && s.Dir != probe.DirSend
	})
}

// await waits until done says so, or for as long as patience lasts.
func (c *playedConn) await(done func() bool) error {
	if done() {
		return nil
	}
	late := false
	defer time.AfterFunc(patience, func() {
		c.p.mu.Lock()
		defer c.p.mu.Unlock()
		late = true
		c.p.sent.Broadcast()
	}).Stop()
	for !late && !done() {
		c.p.sent.Wait()
		if err := c.usable(); err != nil {
			return err
		}
	}
	return nil
}

// awaitSends holds back what a second connection received until what was sent before it on the others has been sent:
// a listing comes behind the command that asks for it. Connections to the target's own port are independent.
func (c *playedConn) awaitSends(pos int) error {
	if c.t.addr.Port() == c.p.tracks[0].addr.Port() {
		return nil
	}
	err := c.await(func() bool { return c.p.unsentBefore(pos) == nil })
	if missing := c.p.unsentBefore(pos); err == nil && missing != nil {
		return c.fail("%s: connection %d is read before %s", c.p.at(*missing), c.t.id, describe(*missing))
	}
	return err
}

func (p *Player) unsentBefore(pos int) *step {
	for _, t := range p.tracks[:p.dialed] {
		for i := t.next; i < len(t.steps) && t.steps[i].pos < pos; i++ {
			if t.steps[i].Dir == probe.DirSend {
				return &t.steps[i]
			}
		}
	}
	return nil
}

func (c *playedConn) Write(b []byte) (int, error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if err := c.usable(); err != nil {
		return 0, err
	}
	if c.p.Lenient {
		return c.writeLeniently(b)
	}
	if !c.expects(b) {
		c.trade(b)
	}
	s := c.upcoming()
	switch {
	case s == nil:
		return 0, c.fail("connection %d sends %q, but nothing more was recorded of it", c.t.id, clip(b))
	case s.Dir != probe.DirSend:
		return 0, c.fail("%s: connection %d sends %q, but what came next was %s", c.p.at(*s), c.t.id, clip(b), describe(*s))
	case !bytes.Equal(s.Data, b):
		return 0, c.fail("%s: connection %d sends %q, but %q was recorded", c.p.at(*s), c.t.id, clip(b), clip(s.Data))
	}
	c.t.next++
	c.p.sent.Broadcast()
	if e := c.upcoming(); e != nil && e.Dir == probe.DirEnd && e.Label == "send" {
		c.t.next++
		return 0, c.end(e.Outcome, "send")
	}
	return len(b), nil
}

func (c *playedConn) expects(b []byte) bool {
	s := c.upcoming()
	return s != nil && s.Dir == probe.DirSend && bytes.Equal(s.Data, b)
}

// trade takes the part of another connection that was open at the same time and began with b: which of several that
// run side by side dials first is chance.
func (c *playedConn) trade(b []byte) {
	mine := c.t
	if mine.next > 0 {
		return
	}
	for i, t := range c.p.tracks {
		together := t.first < mine.last && mine.first < t.last
		if t == mine || !together || t.next > 0 || t.open.Outcome != "" || t.addr.Port() != mine.addr.Port() || len(t.steps) == 0 {
			continue
		}
		if s := t.steps[0]; s.Dir != probe.DirSend || !bytes.Equal(s.Data, b) {
			continue
		}
		if i >= c.p.dialed {
			// It wasn't dialled yet: who dials next gets mine.
			j := indexOf(c.p.tracks, mine)
			c.p.tracks[i], c.p.tracks[j] = mine, t
		}
		mine.conn, t.conn = t.conn, c
		c.t = t
		if mine.conn != nil {
			mine.conn.t = mine
		}
		return
	}
}

func indexOf(tracks []*track, t *track) int {
	for i := range tracks {
		if tracks[i] == t {
			return i
		}
	}
	return -1
}

// end returns the error of a connection that ended so. A silence may end again; anything else is for good.
func (c *playedConn) end(o probe.Outcome, op string) error {
	var err error
	switch o {
	case probe.OutcomeTimeout:
		return os.ErrDeadlineExceeded
	case probe.OutcomeClosed:
		err = io.EOF
		if op == "send" {
			err = syscall.EPIPE
		}
	case probe.OutcomeRefused: // the answer to a datagram
		return syscall.ECONNREFUSED
	case probe.OutcomeUnreachable:
		return syscall.EHOSTUNREACH
	case Reset:
		err = syscall.ECONNRESET
	default:
		err = &probe.Error{Op: op, Outcome: o}
	}
	c.err = err
	return err
}

// dialError is what a dialer returns when it fails so. A dial that its caller gave up can't be played: it looks like
// an unreachable host.
func dialError(network string, o probe.Outcome) error {
	cause := map[probe.Outcome]error{
		probe.OutcomeRefused:   os.NewSyscallError("connect", syscall.ECONNREFUSED),
		probe.OutcomeTimeout:   os.ErrDeadlineExceeded,
		probe.OutcomeClosed:    os.NewSyscallError("connect", syscall.ECONNRESET),
		probe.OutcomeForbidden: probe.OutcomeForbidden,
		probe.OutcomeCanceled:  context.Canceled,
	}[o]
	if cause == nil {
		cause = os.NewSyscallError("connect", syscall.EHOSTUNREACH)
	}
	return &net.OpError{Op: "dial", Net: network, Err: cause}
}

// ReplayTLS gives a probe.Conn the recorded handshake in place of a real one.
func (c *playedConn) ReplayTLS() (*probe.TLS, error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if err := c.usable(); err != nil {
		return nil, err
	}
	if c.p.Lenient {
		if seen, err := c.shakeLeniently(); err != nil {
			return seen, err
		}
	}
	if err := c.awaitTurn(); err != nil {
		return nil, err
	}
	s := c.upcoming()
	switch {
	case s == nil:
		return nil, c.fail("connection %d starts TLS, but nothing more was recorded of it", c.t.id)
	case s.Dir != probe.DirTLS:
		return nil, c.fail("%s: connection %d starts TLS, but what came next was %s", c.p.at(*s), c.t.id, describe(*s))
	case len(c.rest) > 0 && s.Outcome == "":
		return nil, c.fail("%s: connection %d starts TLS with %q unread", c.p.at(*s), c.t.id, clip(c.rest))
	}
	c.t.next++
	c.rest = nil
	seen := normalTLS(s.TLS)
	if s.Outcome == "" {
		return seen, nil
	}
	err := &probe.Error{Op: "tls", Outcome: s.Outcome}
	if seen.Error != "" {
		err.Err = errors.New(strings.TrimPrefix(seen.Error, "tls: ")) // the session says so again
	}
	if len(seen.LeftoverPlaintext) == 0 { // else the plaintext may have gone on
		c.err = err
	}
	return seen, err
}

func (c *playedConn) Close() error {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	c.closed = true
	c.p.sent.Broadcast()
	return nil
}

func (c *playedConn) LocalAddr() net.Addr {
	local := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), 49152)
	if c.datagrams() {
		return net.UDPAddrFromAddrPort(local)
	}
	return net.TCPAddrFromAddrPort(local)
}

func (c *playedConn) RemoteAddr() net.Addr {
	if c.datagrams() {
		return net.UDPAddrFromAddrPort(c.remote)
	}
	return net.TCPAddrFromAddrPort(c.remote)
}

func (c *playedConn) SetDeadline(t time.Time) error {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	c.deadline = t
	c.p.sent.Broadcast()
	return nil
}

func (c *playedConn) SetReadDeadline(t time.Time) error  { return c.SetDeadline(t) }
func (c *playedConn) SetWriteDeadline(t time.Time) error { return c.SetDeadline(t) }

// String names the connection in error messages.
func (c *playedConn) String() string { return fmt.Sprintf("replayed connection to %v", c.remote) }
