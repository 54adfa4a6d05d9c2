package probe_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/probe"
)

// leakFree fails the test if a goroutine outlives it.
func leakFree(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t) })
}

// serve runs a server on loopback that hands each connection to handle and closes it afterwards.
func serve(t *testing.T, handle func(net.Conn)) probe.Target {
	t.Helper()
	return serveOn(t, "127.0.0.1:0", handle)
}

func serveOn(t *testing.T, addr string, handle func(net.Conn)) probe.Target {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil && strings.HasPrefix(addr, "[::1]") {
		t.Skip("no IPv6 loopback: ", err)
	}
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				handle(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return probe.Target{Network: probe.TCP, Addr: l.Addr().(*net.TCPAddr).AddrPort()}
}

// hang waits until the client is gone.
func hang(c net.Conn) {
	for b := make([]byte, 1024); ; {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}

func say(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Write([]byte(text))
		hang(c)
	}
}

type evidence struct {
	Lines []string   `json:"lines"`
	TLS   *probe.TLS `json:"tls"`
	Extra string     `json:"extra"`
}

func (*evidence) Protocol() string { return "test" }

// script is a prober made of one function.
type script struct {
	guard probe.Guard
	ports []probe.Port
	talk  func(ctx context.Context, s *probe.Session, e *evidence) error
}

func (p script) Spec() probe.Spec {
	g := p.guard
	if g == nil {
		g = func(_ probe.Level, b []byte) (string, error) {
			if line, ok := strings.CutSuffix(string(b), "\r\n"); ok && (line == "HELLO" || line == "STARTTLS") {
				return line, nil
			}
			return "", errors.New("only HELLO and STARTTLS are allowed")
		}
	}
	return probe.Spec{Protocol: "test", Ports: p.ports, Guard: func(probe.Contact) probe.Guard { return g }, Evidence: func() probe.Evidence { return new(evidence) }}
}

func (p script) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := &evidence{Lines: []string{}}
	s.Keep(e)
	return e, p.talk(ctx, s, e)
}

// listen reads lines until something ends it.
func listen(ctx context.Context, s *probe.Session, e *evidence) error {
	c, err := s.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		line, err := c.ReadLine()
		if len(line) > 0 {
			e.Lines = append(e.Lines, string(line))
		}
		if err != nil {
			return err
		}
	}
}

// hello sends n HELLOs and reads a line after each.
func hello(n int) func(context.Context, *probe.Session, *evidence) error {
	return func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		for range n {
			if err := c.Send([]byte("HELLO\r\n")); err != nil {
				return err
			}
			line, err := c.ReadLine()
			e.Lines = append(e.Lines, string(line))
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func limits(l probe.Limits) *probe.Options { return &probe.Options{Limits: l} }

type certificateOptions struct {
	names    []string
	notAfter time.Time
	parent   *tls.Certificate
	ca       bool
}

func certificate(t *testing.T, o certificateOptions) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	if o.notAfter.IsZero() {
		o.notAfter = time.Now().Add(time.Hour)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x1f), Subject: pkix.Name{CommonName: "server"}, DNSNames: o.names,
		NotBefore: o.notAfter.Add(-24 * time.Hour), NotAfter: o.notAfter,
		IsCA: o.ca, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	parent, signer := template, any(key)
	if o.ca {
		template.Subject.CommonName = "authority"
		template.NotBefore = o.notAfter.Add(-30 * 24 * time.Hour)
	}
	if o.parent != nil {
		parent, signer = o.parent.Leaf, o.parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// port returns a loopback address on which nobody listens.
func port(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}
