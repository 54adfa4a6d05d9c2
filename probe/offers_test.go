package probe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// offer shakes hands, behind STARTTLS unless implicit, and asks what else is accepted.
func offer(implicit bool) func(context.Context, *probe.Session, *evidence) error {
	reach := func(s *probe.Session) func(context.Context) (*probe.Conn, error) {
		return func(ctx context.Context) (*probe.Conn, error) {
			c, err := s.Open(ctx)
			if err != nil || implicit {
				return c, err
			}
			if err := c.Send([]byte("STARTTLS\r\n")); err != nil {
				return nil, err
			}
			line, err := c.ReadLine()
			if err != nil || !strings.HasPrefix(string(line), "220") {
				_ = c.Close()
				return nil, err
			}
			return c, nil
		}
	}
	return func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := reach(s)(ctx)
		if err != nil {
			return err
		}
		e.TLS, err = c.StartTLS(ctx)
		_ = c.Close()
		s.OfferTLS(ctx, e.TLS, reach(s))
		return err
	}
}

// server speaks TLS as configured, behind STARTTLS unless it is implicit; visits beyond most find it busy.
func offerServer(cfg *tls.Config, implicit bool, most int) func(net.Conn) {
	var mu sync.Mutex
	visits := 0
	return func(c net.Conn) {
		mu.Lock()
		visits++
		busy := visits > most
		mu.Unlock()
		if !implicit {
			if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
				return
			}
			if busy {
				_, _ = io.WriteString(c, "421 busy\r\n")
				return
			}
			_, _ = io.WriteString(c, "220 go\r\n")
		}
		t := tls.Server(c, cfg)
		if t.Handshake() == nil {
			hang(t)
		}
	}
}

func TestOfferTLS(t *testing.T) {
	leakFree(t)
	cfg := &tls.Config{
		Certificates: []tls.Certificate{certificate(t, certificateOptions{})}, MinVersion: tls.VersionTLS10,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
	}
	for _, implicit := range []bool{true, false} {
		for mode, most := range map[probe.TLSMode]int{probe.TLSModeVersions: 8, probe.TLSModeWeak: 15, probe.TLSModeFull: 40} {
			o := &probe.Options{TLS: mode, Limits: probe.Limits{Conns: 1}}
			r := probe.Run(t.Context(), script{talk: offer(implicit)}, serve(t, offerServer(cfg, implicit, 1000)), o)
			require.NoError(t, r.Err)
			require.Empty(t, r.Partial)
			h := r.Evidence.(*evidence).TLS
			require.Equal(t, []string{"1.0", "1.1", "1.2", "1.3"}, h.Versions, mode)
			require.Equal(t, probe.No, h.Offers.SSL2)
			require.Equal(t, probe.No, h.Offers.SSL3)
			require.Equal(t, probe.Yes, h.Offers.TLS10)
			require.LessOrEqual(t, h.Offers.Connections, most)
			if mode == probe.TLSModeVersions {
				require.Nil(t, h.Offers.Weak)
				continue
			}
			require.Equal(t, probe.Yes, h.Offers.Weak.RC4.Accepted)
			require.Equal(t, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", h.Offers.Weak.RC4.Suite)
			require.Equal(t, probe.No, h.Offers.Weak.NoForwardSecrecy.Accepted)
			require.Equal(t, probe.Yes, h.Offers.PostQuantum)
			require.Equal(t, h.Chain[0].SHA256, h.Offers.Chains[0][0].SHA256)
			if mode == probe.TLSModeFull {
				require.ElementsMatch(t, []string{
					"TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
				}, h.Offers.Versions[2].Suites)
			}

			// What was recorded gives the same again.
			rec := replay.Record(r, "server", "")
			again := rec.Options()
			again.TLS, again.Limits = mode, o.Limits
			r = probe.Run(t.Context(), script{talk: offer(implicit)}, rec.Target, again)
			require.NoError(t, r.Err)
			require.Equal(t, h.Offers, r.Evidence.(*evidence).TLS.Offers)
		}
	}
}

// A server that only speaks what crypto/tls doesn't offer is asked all the same, one that has no time is partial, and one that
// speaks no TLS isn't asked.
func TestOfferTLSLittleOrNothing(t *testing.T) {
	leakFree(t)
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t, certificateOptions{})}}
	run := func(implicit bool, o *probe.Options, serving func(net.Conn)) (*probe.Result, *probe.TLS) {
		r := probe.Run(t.Context(), script{talk: offer(implicit)}, serve(t, serving), o)
		return r, r.Evidence.(*evidence).TLS
	}
	r, h := run(false, &probe.Options{TLS: probe.TLSModeVersions}, offerServer(cfg, false, 3))
	require.Equal(t, probe.OutcomeBusy, r.Outcome)
	require.NotEmpty(t, r.Partial)
	require.Contains(t, strings.Join(r.Partial, " "), "/evidence/tls/offers/")
	require.Nil(t, h.Versions)
	require.NotNil(t, h.Offers)

	_, h = run(false, nil, offerServer(cfg, false, 3))
	require.Nil(t, h.Offers, "it wasn't asked for")

	_, h = run(true, &probe.Options{TLS: probe.TLSModeVersions}, say("220 no TLS here\r\n"))
	require.Nil(t, h.Offers)

	refusing := func(c net.Conn) { _, _ = c.Read(make([]byte, 512)); _, _ = c.Write([]byte{21, 3, 1, 0, 2, 2, 40}) }
	r, h = run(true, &probe.Options{TLS: probe.TLSModeVersions}, refusing)
	require.Equal(t, probe.OutcomeTLS, r.Outcome)
	require.Equal(t, probe.No, h.Offers.TLS12, "asked though the handshake failed")
	require.Equal(t, []string{}, h.Versions)
}

// A ClientHello passes only when TLS is due, and nothing behind it.
func TestHelloWhereTLSIsNotDue(t *testing.T) {
	leakFree(t)
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t, certificateOptions{})}}
	for name, reach := range map[string]func(*probe.Conn) error{
		"before the command": func(*probe.Conn) error { return nil },
		"before its answer":  func(c *probe.Conn) error { return c.Send([]byte("STARTTLS\r\n")) },
		"behind another": func(c *probe.Conn) error {
			err := c.Send([]byte("HELLO\r\n"))
			if err == nil {
				_, err = c.ReadLine()
			}
			return err
		},
		"with more to read": func(c *probe.Conn) error {
			err := c.Send([]byte("STARTTLS\r\n"))
			if err == nil {
				_, err = c.Peek(0)
			}
			return err
		},
	} {
		r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
			if err := upgrade(false)(ctx, s, e); err != nil {
				return err
			}
			s.OfferTLS(ctx, e.TLS, func(ctx context.Context) (*probe.Conn, error) {
				c, err := s.Open(ctx)
				return c, errors.Join(err, reach(c))
			})
			return nil
		}}, serve(t, secure("220 go ahead\r\n", cfg)), &probe.Options{TLS: probe.TLSModeVersions})
		require.Equal(t, probe.Unknown, r.Evidence.(*evidence).TLS.Offers.TLS13, name)
		for _, e := range r.Transcript {
			require.NotContains(t, e.Label, "ClientHello", name)
		}
	}
}

func TestParseTLSMode(t *testing.T) {
	for _, name := range []string{"negotiated", "versions", "weak", "full"} {
		m, err := probe.ParseTLSMode(name)
		require.NoError(t, err)
		require.Equal(t, name, m.String())
	}
	_, err := probe.ParseTLSMode("all")
	require.Error(t, err)
}
