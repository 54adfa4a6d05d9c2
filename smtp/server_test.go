package smtp_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/selfsigned"
	"github.com/handclasp/handclasp/probe"
)

// A peer is the server's end of one connection. Its methods do nothing once something failed: a client may leave at
// any time.
type peer struct {
	net.Conn
	r    *bufio.Reader
	cert *tls.Config
	n    int // the connection, counted from 1
	err  error

	mu   *sync.Mutex
	said *[]string
}

func (p *peer) say(lines ...string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.Conn, strings.Join(lines, "\r\n")+"\r\n")
	}
}

// hear returns the next command, and notes it.
func (p *peer) hear() string {
	if p.err != nil {
		return ""
	}
	var line string
	line, p.err = p.r.ReadString('\n')
	p.mu.Lock()
	defer p.mu.Unlock()
	if line != "" {
		*p.said = append(*p.said, line)
	}
	return strings.TrimSuffix(line, "\r\n")
}

// upgrade speaks TLS. What was read ahead stays readable inside it if the server keeps it, which is the fault that
// the injection check looks for.
func (p *peer) upgrade(keep bool) {
	if p.err != nil {
		return
	}
	ahead := make([]byte, p.r.Buffered())
	_, _ = io.ReadFull(p.r, ahead)
	conn := tls.Server(p.Conn, p.cert)
	p.err = conn.Handshake()
	p.Conn = conn
	p.r = bufio.NewReader(conn)
	if keep {
		p.r = bufio.NewReader(io.MultiReader(strings.NewReader(string(ahead)), conn))
	}
}

// A server runs script for each connection.
type server struct {
	addr   netip.AddrPort
	mu     sync.Mutex
	said   []string
	opened int
}

func (s *server) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.said...)
}

func (s *server) conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

func serve(t *testing.T, script func(p *peer)) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	cfg := &tls.Config{Certificates: []tls.Certificate{selfsigned.Certificate("mx.example.com")}, MinVersion: tls.VersionTLS12}
	s := &server{addr: l.Addr().(*net.TCPAddr).AddrPort()}
	var running sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			s.mu.Lock()
			s.opened++
			p := &peer{Conn: c, r: bufio.NewReader(c), cert: cfg.Clone(), n: s.opened, mu: &s.mu, said: &s.said}
			s.mu.Unlock()
			running.Go(func() {
				script(p)
				_ = p.Close()
			})
		}
	})
	return s
}

// mx is an ordinary mail server. keep is the fault of CVE-2011-0411.
func mx(keep bool) func(p *peer) {
	return func(p *peer) {
		p.say("220 mx.example.com ESMTP")
		mxTalk(p, keep, false)
	}
}

func mxTalk(p *peer, keep, secure bool) {
	for p.err == nil {
		switch command := p.hear(); {
		case strings.HasPrefix(command, "EHLO ") && secure:
			p.say("250-mx.example.com", "250 AUTH PLAIN")
		case strings.HasPrefix(command, "EHLO "):
			p.say("250-mx.example.com", "250 STARTTLS")
		case command == "STARTTLS":
			p.say("220 go ahead")
			p.upgrade(keep)
			secure = true
		case command == "NOOP":
			p.say("250 still here")
		case command == "QUIT":
			p.say("221 bye")
			return
		default:
			p.say("502 what")
		}
	}
}

func (s *server) target() probe.Target { return probe.Target{Addr: s.addr} }
