package probe_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// reset ends a connection without a goodbye, with what came unread.
func reset(c net.Conn) {
	_, _ = c.Read(make([]byte, 1))
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// The same fault reads the same in every scan: an error holds no port of ours, nor one of a data connection.
func TestErrorsAreSteady(t *testing.T) {
	leakFree(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	port := closed.Addr().(*net.TCPAddr).AddrPort().Port()
	for name, test := range map[string]struct {
		talk  func(ctx context.Context, s *probe.Session, c *probe.Conn) error
		want  string
		cause error
	}{
		"read": {func(_ context.Context, _ *probe.Session, c *probe.Conn) error {
			if err := c.Send([]byte("HELLO\r\n")); err != nil {
				return err
			}
			_, err := c.ReadLine()
			return err
		}, "read: read: connection reset by peer", syscall.ECONNRESET},
		"tls": {func(ctx context.Context, _ *probe.Session, c *probe.Conn) error {
			_, err := c.StartTLS(ctx)
			return err
		}, "tls: read: connection reset by peer", syscall.ECONNRESET},
		"data": {func(ctx context.Context, s *probe.Session, _ *probe.Conn) error {
			_, err := s.OpenPort(ctx, port)
			return err
		}, "dial: connect: connection refused", syscall.ECONNREFUSED},
	} {
		t.Run(name, func(t *testing.T) {
			r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
				c, err := s.Open(ctx)
				require.NoError(t, err)
				return test.talk(ctx, s, c)
			}}, serve(t, reset), nil)
			require.EqualError(t, r.Err, test.want)
			require.ErrorIs(t, r.Err, test.cause)
		})
	}
}

// An error that wraps another keeps its own words.
func TestWrappedErrorsAreSteady(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) {
		addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 1080}
		inner := &net.OpError{Op: "dial", Net: "tcp", Addr: addr, Err: syscall.EHOSTUNREACH}
		return nil, errors.Join(errors.New("by the proxy"), &net.OpError{Op: "socks connect", Net: "tcp", Source: addr, Addr: addr, Err: inner})
	}
	r := probe.Run(t.Context(), script{talk: listen}, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:21")}, &probe.Options{Dial: dial})
	require.EqualError(t, r.Err, "dial: by the proxy\nsocks connect: no route to host")
	require.ErrorIs(t, r.Err, syscall.EHOSTUNREACH)
}

// What is wrong with a chain is told without the time at which it was judged.
func TestTrustErrorIsSteady(t *testing.T) {
	root := certificate(t, certificateOptions{ca: true, notAfter: time.Now().Add(-time.Hour)})
	pool := x509.NewCertPool()
	pool.AddCert(root.Leaf)
	leaf := certificate(t, certificateOptions{parent: &root})
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		require.NoError(t, err)
		e.TLS, err = c.StartTLS(ctx)
		return err
	}}, serve(t, secure("", &tls.Config{Certificates: []tls.Certificate{leaf}})), &probe.Options{RootCAs: pool})
	require.NoError(t, r.Err)
	h := r.Evidence.(*evidence).TLS
	require.Equal(t, probe.No, h.Trusted)
	require.Equal(t, "x509: certificate has expired or is not yet valid", h.TrustError)
}
