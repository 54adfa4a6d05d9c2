// Package lockstep puts a protocol library, which reads and writes in goroutines of its own, under one goroutine that
// owns the real connection.
//
// The library gets a [Conn], which exists in memory only. Its owner takes what the library writes and puts what the
// library may read, whenever it sees fit: no byte reaches the network, or the library, that the owner didn't look at,
// and the conversation goes in the same order each time.
package lockstep

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A Conn is the library's end of a connection. The library uses it as a net.Conn; Take, Put and Close are for the owner.
type Conn struct {
	remote netip.AddrPort

	mu     sync.Mutex
	change sync.Cond
	out    []byte // written by the library, and not taken yet
	in     []byte // put by the owner, and not read yet
	closed bool
}

// New returns a connection that names remote as its other end.
func New(remote netip.AddrPort) *Conn {
	c := &Conn{remote: remote}
	c.change.L = &c.mu
	return c
}

// Take fills p with what the library writes, and waits for it. It returns io.EOF where the connection is closed first,
// by either side.
func (c *Conn) Take(p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.out) < len(p) {
		if c.closed {
			return io.EOF
		}
		c.change.Wait()
	}
	c.out = c.out[:copy(c.out, c.out[copy(p, c.out):])]
	return nil
}

// Put lets the library read p, which is copied.
func (c *Conn) Put(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = append(c.in, p...)
	c.change.Broadcast()
}

// Close lets the library read what was put before, and then io.EOF; it can write no more.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.change.Broadcast()
	return nil
}

// Read implements net.Conn for the library.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.in) == 0 && len(p) > 0 {
		if c.closed {
			return 0, io.EOF
		}
		c.change.Wait()
	}
	n := copy(p, c.in)
	c.in = c.in[:copy(c.in, c.in[n:])]
	return n, nil
}

// Write implements net.Conn for the library. It doesn't wait.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	c.out = append(c.out, p...)
	c.change.Broadcast()
	return len(p), nil
}

// LocalAddr returns an address that is no use to anybody.
func (c *Conn) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr returns what the connection was made with.
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// Deadlines are the owner's.

// SetDeadline does nothing.
func (c *Conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (c *Conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }
