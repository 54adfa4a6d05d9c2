package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	maxOpen  = 256              // connections and listeners of one server; more are closed unheard
	idleTime = 30 * time.Second // how long a server waits for a command
)

// A Server is one running server of the lab.
type Server struct {
	Neighbour
	conns  *tracker
	served chan struct{} // closed when the accept loop has ended
	detach func() bool   // from the context
	once   sync.Once
	err    error
}

// Serve starts a server that calls handle for each connection, in its own goroutine, and closes the connection when
// handle returns. It stops with Close, or when ctx ends.
func Serve(ctx context.Context, n Neighbour, handle func(net.Conn)) (*Server, error) {
	return start(ctx, n, func(l net.Listener, _ *tracker) error {
		for {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	})
}

// start listens on a free port of loopback and runs serve, which accepts until its listener is closed, and closes
// every connection that it accepted.
func start(ctx context.Context, n Neighbour, serve func(net.Listener, *tracker) error) (*Server, error) {
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Name, err)
	}
	n.Network, n.Addr = "tcp", raw.Addr().(*net.TCPAddr).AddrPort()
	n.URL = scheme(n) + "://" + n.Addr.String()
	s := &Server{Neighbour: n, conns: newTracker(), served: make(chan struct{})}
	l := s.conns.listener(raw)
	go func() {
		defer close(s.served)
		if err := serve(l, s.conns); err != nil && !errors.Is(err, net.ErrClosed) {
			s.err = fmt.Errorf("%s: %w", n.Name, err)
		}
	}()
	s.detach = context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

func scheme(n Neighbour) string {
	switch {
	case n.Protocol == "":
		return n.Network
	case n.Protocol == "netbios" && n.Network == "udp":
		return "netbios-ns"
	case n.ImplicitTLS:
		return n.Protocol + "s"
	}
	return n.Protocol
}

// Close stops the server and returns when its connections are closed by those that served them. Closing twice is
// fine. The error is why serving had ended before.
func (s *Server) Close() error {
	s.once.Do(func() {
		s.detach()
		s.conns.close()
		<-s.served
		s.conns.open.Wait()
	})
	return s.err
}

// A tracker knows what a server has open, so that libraries that can't stop their connections are stopped.
type tracker struct {
	mu     sync.Mutex
	closed bool
	raw    map[io.Closer]struct{} // listeners and connections
	open   sync.WaitGroup         // connections that their handler hasn't closed
}

func newTracker() *tracker {
	return &tracker{raw: make(map[io.Closer]struct{})}
}

// close closes what is open below its owners, who notice and close it themselves.
func (t *tracker) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for c := range t.raw {
		_ = c.Close()
	}
}

// add reports whether c may stay open.
func (t *tracker) add(c io.Closer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || len(t.raw) >= maxOpen {
		_ = c.Close()
		return false
	}
	t.raw[c] = struct{}{}
	if _, ok := c.(net.Conn); ok {
		t.open.Add(1)
	}
	return true
}

func (t *tracker) remove(c io.Closer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.raw, c)
}

// listener returns raw, closed with the tracker and its connections with it.
func (t *tracker) listener(raw net.Listener) net.Listener {
	t.add(raw)
	return &trackedListener{Listener: raw, t: t}
}

type trackedListener struct {
	net.Listener
	t *tracker
}

func (l *trackedListener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !loopback(raw.RemoteAddr()) {
			_ = raw.Close()
			continue
		}
		if l.t.add(raw) {
			return &trackedConn{Conn: raw, t: l.t}, nil
		}
	}
}

func (l *trackedListener) Close() error {
	l.t.remove(l.Listener)
	return l.Listener.Close()
}

func loopback(a net.Addr) bool {
	ap, err := netip.ParseAddrPort(a.String())
	return err == nil && ap.Addr().Unmap().IsLoopback()
}

type trackedConn struct {
	net.Conn
	t    *tracker
	once sync.Once
}

func (c *trackedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.t.remove(c.Conn)
		c.t.open.Done()
	})
	return err
}
