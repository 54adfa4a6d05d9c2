package smtp_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(t *testing.T, p smtp.Prober, s *server, o *probe.Options) (*probe.Result, *smtp.Evidence) {
	t.Helper()
	r := probe.Run(t.Context(), p, s.target(), o)
	return r, sound(t, r)
}

func TestSTARTTLS(t *testing.T) {
	s := serve(t, mx(false))
	r, e := run(t, smtp.Prober{}, s, nil)
	require.NoError(t, r.Err)
	require.Equal(t, "1.3", e.TLS.Version)
	require.Len(t, e.TLS.Chain, 1)
	require.Empty(t, e.TLS.Versions)
	require.Equal(t, []string{"STARTTLS"}, e.Extensions)
	require.Equal(t, []string{"AUTH PLAIN"}, e.ExtensionsAfterTLS)
	require.Equal(t, []string{"EHLO [127.0.0.1]\r\n", "STARTTLS\r\n", "EHLO [127.0.0.1]\r\n", "QUIT\r\n"}, s.heard(),
		"and no knob's command while it is off")
	require.Equal(t, 1, s.conns())
}

func TestImplicitTLS(t *testing.T) {
	s := serve(t, func(p *peer) {
		p.upgrade(false)
		p.say("220 mx.example.com ESMTP")
		mxTalk(p, false, true)
	})
	r, e := run(t, smtp.Prober{Versions: true, Injection: true}, s, &probe.Options{ImplicitTLS: probe.Yes})
	require.NoError(t, r.Err)
	require.Equal(t, probe.Yes, e.ImplicitTLS)
	require.Equal(t, probe.ModeImplicit, e.TLS.Mode)
	require.Equal(t, []string{"PLAIN"}, e.AuthMechanisms)
	require.Equal(t, []string{"1.2", "1.3"}, e.TLS.Versions)
	require.Equal(t, probe.Unknown, e.STARTTLSInjected)

	// The greeting alone, for which TLS is needed too.
	s = serve(t, func(p *peer) {
		p.upgrade(false)
		p.say("220 mx.example.com ESMTP")
		p.hear()
	})
	r, e = run(t, smtp.Prober{Versions: true}, s, &probe.Options{ImplicitTLS: probe.Yes, Level: probe.LevelGreeting})
	require.NoError(t, r.Err)
	require.Equal(t, "mx.example.com", e.Hostname)
	require.Equal(t, probe.Yes, e.ImplicitTLS)
	require.Empty(t, s.heard())
	require.Equal(t, 1, s.conns())

	// A port that speaks no TLS after all.
	s = serve(t, mx(false))
	r, e = run(t, smtp.Prober{}, s, &probe.Options{ImplicitTLS: probe.Yes})
	require.Equal(t, probe.OutcomeTLS, r.Outcome)
	require.Equal(t, probe.No, e.ImplicitTLS)
	require.Equal(t, "mx.example.com", e.Hostname)
	require.Nil(t, e.EHLO)
	require.NotEmpty(t, e.TLS.Error)

	// One that speaks neither TLS nor SMTP, or breaks off.
	for _, greeting := range []string{"SSH-2.0-OpenSSH_9.2", ""} {
		s = serve(t, func(p *peer) {
			if greeting != "" {
				p.say(greeting)
				p.hear()
			}
		})
		r, e = run(t, smtp.Prober{}, s, &probe.Options{ImplicitTLS: probe.Yes})
		require.Equal(t, probe.OutcomeTLS, r.Outcome)
		require.Equal(t, probe.Unknown, e.ImplicitTLS)
		require.Nil(t, e.Greeting)
	}
}

func TestPorts(t *testing.T) {
	implicit := map[uint16]bool{}
	for _, p := range (smtp.Prober{}).Spec().Ports {
		implicit[p.Number] = p.ImplicitTLS
	}
	require.Equal(t, map[uint16]bool{25: false, 587: false, 465: true, 2525: false}, implicit)
}

// Whoever speaks before the last line of the greeting is taken for a spammer.
func TestNeverSpeaksFirst(t *testing.T) {
	s := serve(t, func(p *peer) {
		early := func() {
			_ = p.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			if b, err := p.r.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
				p.err = errors.New("spoke early: " + string(b))
			}
			_ = p.SetReadDeadline(time.Now().Add(5 * time.Second))
			p.r = bufio.NewReader(p.Conn)
		}
		early()
		p.say("220-mx.example.com ESMTP")
		early()
		p.say("220-please wait")
		early()
		p.say("220 mx.example.com ESMTP")
		mxTalk(p, false, false)
	})
	r, e := run(t, smtp.Prober{}, s, nil)
	require.NoError(t, r.Err)
	require.Len(t, e.Greeting.Lines, 3)
}

func TestHello(t *testing.T) {
	s := serve(t, mx(false))
	r, _ := run(t, smtp.Prober{Hello: "scanner.example.com"}, s, nil)
	require.NoError(t, r.Err)
	require.Equal(t, "EHLO scanner.example.com\r\n", s.heard()[0])

	for _, hello := range []string{"x y", "x\r\nMAIL FROM:<>", "[x]"} {
		s := serve(t, mx(false))
		r, e := run(t, smtp.Prober{Hello: hello}, s, nil)
		require.Equal(t, probe.OutcomeForbidden, r.Outcome, hello)
		require.Equal(t, "mx.example.com", e.Hostname)
		require.Empty(t, s.heard())
	}
}

func TestInjection(t *testing.T) {
	vulnerable := serve(t, mx(true))
	r, e := run(t, smtp.Prober{Injection: true}, vulnerable, nil)
	require.NoError(t, r.Err)
	require.Equal(t, probe.Yes, e.STARTTLSInjected)
	require.Equal(t, []string{"AUTH PLAIN"}, e.ExtensionsAfterTLS, "the other evidence is as it ever was")
	require.Equal(t, 2, vulnerable.conns())

	// behind is a server that takes STARTTLS alone, and does then if something came along with it.
	behind := func(then func(p *peer)) func(p *peer) {
		return func(p *peer) {
			p.say("220 mx.example.com ESMTP")
			p.hear()
			p.say("250-mx.example.com", "250 STARTTLS")
			p.hear()
			if p.r.Buffered() > 0 {
				then(p)
				return
			}
			p.say("220 go ahead")
			p.upgrade(false)
			mxTalk(p, false, true)
		}
	}
	for name, test := range map[string]struct {
		script func(p *peer)
		want   probe.Fact
	}{
		"discards":             {mx(false), probe.No},
		"notices":              {behind(func(p *peer) { p.say("554 5.5.1 synchronization error") }), probe.No},
		"has no TLS now":       {behind(func(p *peer) { p.say("454 4.7.0 TLS not available") }), probe.Unknown},
		"answers in cleartext": {behind(func(p *peer) { p.say("220 go ahead", "250 still here") }), probe.Unknown},
		"takes it for a handshake": {behind(func(p *peer) {
			p.say("220 go ahead")
			_, p.err = p.Write([]byte{21, 3, 1, 0, 2, 2, 10}) // alert: unexpected message
		}), probe.Unknown},
		"is busy": {behind(func(p *peer) { p.say("220 go ahead") }), probe.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			r, e := run(t, smtp.Prober{Injection: true}, serve(t, test.script), nil)
			require.NoError(t, r.Err)
			require.Equal(t, test.want, e.STARTTLSInjected)
		})
	}

	t.Run("refuses the second connection", func(t *testing.T) {
		s := serve(t, func(p *peer) {
			if p.n > 1 {
				p.say("421 too many")
				return
			}
			mx(true)(p)
		})
		r, e := run(t, smtp.Prober{Injection: true}, s, nil)
		require.NoError(t, r.Err)
		require.Equal(t, probe.Unknown, e.STARTTLSInjected)
	})
	t.Run("hangs up inside", func(t *testing.T) {
		s := serve(t, func(p *peer) {
			if p.n == 1 {
				mx(false)(p)
				return
			}
			p.say("220 mx.example.com ESMTP")
			p.hear()
			p.say("250-mx.example.com", "250 STARTTLS")
			p.hear()
			p.say("220 go ahead")
			p.upgrade(false)
		})
		r, e := run(t, smtp.Prober{Injection: true}, s, nil)
		require.Equal(t, probe.OutcomeClosed, r.Outcome)
		require.Equal(t, probe.Unknown, e.STARTTLSInjected)
		require.NotNil(t, e.EHLOAfterTLS)
	})
}

// The injection is one write: a server that reads it in two doesn't tell anything.
func TestInjectionIsOneWrite(t *testing.T) {
	r, _ := run(t, smtp.Prober{Injection: true}, serve(t, mx(true)), nil)
	var sent []string
	for _, ev := range r.Transcript {
		if ev.Dir == probe.DirSend && ev.Conn == 2 {
			sent = append(sent, string(ev.Data))
		}
	}
	require.Equal(t, []string{"EHLO [127.0.0.1]\r\n", "STARTTLS\r\nNOOP\r\n", "QUIT\r\n"}, sent)
}

func TestVersions(t *testing.T) {
	old := serve(t, func(p *peer) {
		p.cert.MinVersion, p.cert.MaxVersion = tls.VersionTLS10, tls.VersionTLS12
		mx(false)(p)
	})
	r, e := run(t, smtp.Prober{Versions: true}, old, nil)
	require.NoError(t, r.Err)
	require.Equal(t, []string{"1.0", "1.1", "1.2"}, e.TLS.Versions)
	require.Equal(t, 4, old.conns(), "the version of the first handshake isn't asked for again")

	modern := serve(t, mx(false))
	r, e = run(t, smtp.Prober{Versions: true}, modern, nil)
	require.NoError(t, r.Err)
	require.Equal(t, []string{"1.2", "1.3"}, e.TLS.Versions)

	busy := serve(t, func(p *peer) {
		if p.n == 3 {
			p.say("421 too many")
			return
		}
		mx(false)(p)
	})
	r, e = run(t, smtp.Prober{Versions: true}, busy, nil)
	require.NoError(t, r.Err)
	require.Empty(t, e.TLS.Versions, "an incomplete list would mislead")
}

// What is no reply is malformed wherever it comes behind a good greeting.
func TestNonsense(t *testing.T) {
	for _, verb := range []string{"EHLO", "STARTTLS", "QUIT"} {
		s := serve(t, func(p *peer) {
			p.say("220 mx.example.com ESMTP")
			for p.err == nil {
				switch command := p.hear(); {
				case strings.HasPrefix(command, verb):
					p.say("what's this?")
				case strings.HasPrefix(command, "EHLO ") && verb == "QUIT":
					p.say("250 mx.example.com")
				case strings.HasPrefix(command, "EHLO "):
					p.say("250-mx.example.com", "250 STARTTLS")
				}
			}
		})
		r, _ := run(t, smtp.Prober{}, s, nil)
		require.Equal(t, probe.OutcomeMalformed, r.Outcome, verb)
	}
}

// What comes in cleartext behind the go-ahead is evidence and stops the upgrade.
func TestLeftoverPlaintext(t *testing.T) {
	s := serve(t, func(p *peer) {
		p.say("220 mx.example.com ESMTP")
		p.hear()
		p.say("250-mx.example.com", "250 STARTTLS")
		p.hear()
		p.say("220 go ahead", "250-mx.example.com", "250 AUTH PLAIN")
		p.hear()
	})
	r, e := run(t, smtp.Prober{}, s, nil)
	require.Equal(t, probe.OutcomeTLS, r.Outcome)
	require.Equal(t, "250-mx.example.com\r\n250 AUTH PLAIN\r\n", string(e.TLS.LeftoverPlaintext))
	require.Empty(t, e.ExtensionsAfterTLS)
}

func TestFailedHandshakeKeepsEvidence(t *testing.T) {
	s := serve(t, func(p *peer) {
		p.cert.MinVersion, p.cert.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
		p.cert.ClientAuth = tls.RequireAnyClientCert // refused after the server's certificate was sent
		mx(false)(p)
	})
	r, e := run(t, smtp.Prober{}, s, nil)
	require.Error(t, r.Err)
	require.Equal(t, []string{"STARTTLS"}, e.Extensions)
	require.Len(t, e.TLS.Chain, 1)
}

// A conversation is cut off after each of its bytes; what came before stays.
func TestEvidenceSurvives(t *testing.T) {
	const whole = "220 mx.example.com ESMTP\r\n250-mx.example.com\r\n250-SIZE 10\r\n250 VRFY\r\n221 bye\r\n"
	for n := range len(whole) {
		s := serve(t, func(p *peer) {
			_, p.err = p.Write([]byte(whole[:n]))
			_ = p.Conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, p.Conn)
		})
		r, e := run(t, smtp.Prober{}, s, nil)
		end := strings.Index(whole, "221")
		require.Equal(t, n < end, r.Err != nil, "cut at %d", n)
		require.Equal(t, n > 0, e.Greeting != nil)
		require.Equal(t, n >= end, slices.Contains(e.Extensions, "VRFY"))
	}
}
