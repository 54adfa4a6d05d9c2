package probe

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// NetConn returns a view of the connection for third-party protocol libraries. Its writes are [Conn.Send] and its
// reads [Conn.Read], with the same guard, budget and transcript; its deadlines are the session's, so that setting one
// does nothing. Closing it closes the connection. Libraries read and write in goroutines of their own, so that one of
// each, and Close, may be called at once; the Conn itself is left alone as long.
func (c *Conn) NetConn() net.Conn { return c.view("", nil) }

func (c *Conn) view(preamble string, upgrade func() error) *connView {
	c.oneAtATime(false)
	return &connView{c: c, preamble: []byte(preamble), upgrade: upgrade}
}

// oneAtATime tells a replayed connection whether one goroutine alone uses it: what it reads before its turn then never comes.
func (c *Conn) oneAtATime(yes bool) {
	if replayed, ok := c.raw.Conn.(interface{ OneAtATime(yes bool) }); ok {
		replayed.OneAtATime(yes)
	}
}

// LibraryDial returns a dial function in the shape that FTP libraries take, for probers that are built around one. Its
// first call returns first, with preamble to be read before anything that the server says: a greeting, if the prober has
// read the server's own. Later calls open receive-only connections to the port that they are asked for at the target's own
// address, whatever host they name; with protected, they speak TLS from the first read on, when the server is ready for it.
//
// The guard, the limits and the transcript hold for the library as for any prober, and its reach is the target alone. What
// the library makes of the bytes that it reads is its own: it may panic, which the prober's own recover turns into an
// outcome, misread, or take as much memory as the limits let in.
func (s *Session) LibraryDial(ctx context.Context, first *Conn, preamble string, protected bool) func(network, address string) (net.Conn, error) {
	return func(_, address string) (net.Conn, error) {
		if first != nil {
			view := first.view(preamble, nil)
			first = nil
			return view, nil
		}
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return nil, Errorf("dial", OutcomeForbidden, "data connection to %q: not an address", address)
		}
		c, err := s.OpenPort(ctx, ap.Port())
		if err != nil {
			return nil, err
		}
		var upgrade func() error
		if protected {
			upgrade = func() error {
				_, err := c.StartTLS(ctx)
				return err
			}
		}
		return c.view("", upgrade), nil
	}
}

type connView struct {
	c        *Conn
	preamble []byte       // read first
	upgrade  func() error // called before the first read

	reading, writing sync.Mutex // held by who uses the Conn
	closed           atomic.Bool
}

func (v *connView) Read(p []byte) (int, error) {
	v.reading.Lock()
	defer v.reading.Unlock()
	if v.closed.Load() {
		return 0, errClosed("read")
	}
	if len(v.preamble) > 0 {
		n := copy(p, v.preamble)
		v.preamble = v.preamble[n:]
		return n, nil
	}
	if up := v.upgrade; up != nil {
		v.upgrade = nil
		if err := up(); err != nil {
			return 0, err
		}
	}
	n, err := v.c.Read(p)
	if e, ok := err.(*Error); ok && e.Err == io.EOF {
		err = io.EOF // libraries compare with ==
	}
	return n, err
}

func (v *connView) Write(p []byte) (int, error) {
	v.writing.Lock()
	defer v.writing.Unlock()
	if v.closed.Load() {
		return 0, errClosed("send")
	}
	if err := v.c.Send(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close ends a read or write that is under way first, without a word of it in the transcript: it is how the library
// ends what it waits for.
func (v *connView) Close() error {
	if v.closed.Swap(true) {
		return nil
	}
	for _, busy := range []*sync.Mutex{&v.reading, &v.writing} {
		if !busy.TryLock() {
			v.c.hangUp()
			busy.Lock()
		}
		defer busy.Unlock()
	}
	if err := v.c.Close(); !v.c.hungUp.Load() {
		return err
	}
	return nil // it is closed twice
}

func (v *connView) LocalAddr() net.Addr { return v.c.raw.Conn.LocalAddr() }

// RemoteAddr is the target's, even if a proxy stands between: libraries derive data connections from it.
func (v *connView) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(v.c.s.target.Addr)
}

func (v *connView) SetDeadline(time.Time) error      { return nil }
func (v *connView) SetReadDeadline(time.Time) error  { return nil }
func (v *connView) SetWriteDeadline(time.Time) error { return nil }

// String names the connection in a library's error messages.
func (v *connView) String() string {
	return fmt.Sprintf("connection %d to %v", v.c.id, v.c.s.target.Addr)
}
