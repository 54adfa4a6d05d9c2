package probetest

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handclasp/handclasp/internal/selfsigned"
	"github.com/handclasp/handclasp/probe"
)

// A Server is one side of a conversation.
type Server struct {
	// Name says what it does, in a few words.
	Name string
	// Serve speaks to one client until ctx ends or the client leaves. Its caller closes the connection. It must not
	// allocate as much as it sends, since the client's memory is measured in the same process.
	Serve func(ctx context.Context, c net.Conn)
	// Outcomes are those that make sense for a probe of such a server; empty if any does.
	Outcomes []probe.Outcome

	heavy bool // it sends a lot, or says that it will, and at once
}

// Listen runs the server on a loopback port until the test ends.
func Listen(t testing.TB, s Server) netip.AddrPort {
	t.Helper()
	l, err := listen(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l.addr
}

type listener struct {
	addr     netip.AddrPort
	accepted atomic.Int64
	close    func()
}

func listen(s Server) (*listener, error) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &listener{addr: socket.Addr().(*net.TCPAddr).AddrPort()}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := socket.Accept()
			if err != nil {
				return
			}
			l.accepted.Add(1)
			running.Go(func() {
				defer c.Close()
				defer context.AfterFunc(ctx, func() { _ = c.Close() })()
				s.Serve(ctx, c)
			})
		}
	})
	l.close = func() {
		cancel()
		_ = socket.Close()
		running.Wait()
	}
	return l, nil
}

// behindTLS is a server that speaks as s does, inside of TLS and with a certificate of its own.
func behindTLS(s Server) Server {
	speak := s.Serve
	s.Name = "inside TLS: " + s.Name
	s.Serve = func(ctx context.Context, c net.Conn) {
		conn := tls.Server(c, serverTLS())
		if conn.HandshakeContext(ctx) == nil {
			speak(ctx, conn)
			_ = conn.Close() // with close_notify
		}
	}
	return s
}

// serverTLS is made once: a key costs more than a conversation.
var serverTLS = sync.OnceValue(func() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{selfsigned.Certificate("hostile.example")}}
})

// What servers do, to be put together.
type act func(ctx context.Context, c net.Conn)

// hang keeps silent until the client leaves.
func hang(_ context.Context, c net.Conn) {
	var b [512]byte
	for {
		if _, err := c.Read(b[:]); err != nil {
			return
		}
	}
}

// reset ends the connection with an RST.
func reset(_ context.Context, c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if t, ok := c.(interface{ SetLinger(int) error }); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

func hangUp(context.Context, net.Conn) {}

func say(text string, then act) act {
	b := []byte(text)
	return func(ctx context.Context, c net.Conn) {
		if _, err := c.Write(b); err == nil {
			then(ctx, c)
		}
	}
}

// repeat says the text for ever, with a pause each time.
func repeat(text string, pause time.Duration) act {
	b := []byte(text)
	for pause == 0 && len(b) < 4<<10 {
		b = append(b, b...)
	}
	return func(ctx context.Context, c net.Conn) {
		for ctx.Err() == nil {
			if _, err := c.Write(b); err != nil {
				return
			}
			if pause > 0 && !sleep(ctx, pause) {
				return
			}
		}
	}
}

// drip says the text one byte at a time, again and again.
func drip(text string, pause time.Duration) act {
	return func(ctx context.Context, c net.Conn) {
		for i := 0; sleep(ctx, pause); i++ {
			if _, err := c.Write([]byte{text[i%len(text)]}); err != nil {
				return
			}
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
