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

	"github.com/handclasp/handclasp/finding"
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
	r, e := run(t, smtp.Prober{Injection: true}, s, &probe.Options{ImplicitTLS: probe.Yes})
	require.NoError(t, r.Err)
	require.Equal(t, probe.Yes, e.ImplicitTLS)
	require.Equal(t, "implicit", e.TLS.Mode)
	require.Equal(t, []string{"PLAIN"}, e.AuthMechanisms)
	require.Equal(t, probe.Unknown, e.STARTTLSInjected)

	// The greeting alone, for which TLS is needed too.
	s = serve(t, func(p *peer) {
		p.upgrade(false)
		p.say("220 mx.example.com ESMTP")
		p.hear()
	})
	r, e = run(t, smtp.Prober{}, s, &probe.Options{ImplicitTLS: probe.Yes, Level: probe.LevelGreeting})
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

func TestContact(t *testing.T) {
	s := serve(t, mx(false))
	r, _ := run(t, smtp.Prober{}, s, &probe.Options{Contact: probe.Contact{Host: "scan.example.org"}})
	require.NoError(t, r.Err)
	require.Equal(t, []string{"EHLO scan.example.org\r\n", "STARTTLS\r\n", "EHLO scan.example.org\r\n", "QUIT\r\n"}, s.heard())
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
		require.Equal(t, probe.OutcomeBusy, r.Outcome)
		require.Equal(t, []string{"/evidence/starttls_injection"}, r.Partial)
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

// What else is accepted by TLS is asked on connections that are led to where it begins.
func TestOfferTLS(t *testing.T) {
	versions := &probe.Options{TLS: probe.TLSModeVersions}
	old := serve(t, func(p *peer) {
		p.cert.MinVersion, p.cert.MaxVersion = tls.VersionTLS10, tls.VersionTLS12
		mx(false)(p)
	})
	r, e := run(t, smtp.Prober{}, old, versions)
	require.NoError(t, r.Err)
	require.Equal(t, []string{"1.0", "1.1", "1.2"}, e.TLS.Versions)

	busy := serve(t, func(p *peer) {
		if p.n > 1 {
			p.say("421 too many")
			return
		}
		mx(false)(p)
	})
	r, e = run(t, smtp.Prober{}, busy, versions)
	require.Equal(t, probe.OutcomeBusy, r.Outcome)
	require.Contains(t, r.Partial, "/evidence/tls/offers/tls10")
	require.Nil(t, e.TLS.Versions, "an incomplete list would mislead")
}

// What is no reply is malformed wherever it comes behind a good greeting.
func TestNonsense(t *testing.T) {
	for _, verb := range []string{"EHLO", "STARTTLS"} {
		s := serve(t, func(p *peer) {
			p.say("220 mx.example.com ESMTP")
			for p.err == nil {
				switch command := p.hear(); {
				case strings.HasPrefix(command, verb):
					p.say("what's this?")
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
	replies := []string{"220 mx.example.com ESMTP\r\n", "250-mx.example.com\r\n250-SIZE 10\r\n250 VRFY\r\n", "221 bye\r\n"}
	greeted, whole := len(replies[0]), len(replies[0])+len(replies[1])
	for n := range whole + len(replies[2]) {
		s := serve(t, func(p *peer) {
			left := n
			for _, reply := range replies {
				m := min(left, len(reply))
				_, p.err = p.Write([]byte(reply[:m]))
				if left -= m; m < len(reply) {
					break
				}
				p.hear()
			}
			_ = p.Conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, p.Conn)
		})
		r, e := run(t, smtp.Prober{}, s, nil)
		require.Equal(t, n < whole, r.Err != nil, "cut at %d", n)
		require.Equal(t, n > 0, e.Greeting != nil)
		require.Equal(t, n >= whole, slices.Contains(e.Extensions, "VRFY"))
		if n >= greeted && n < whole {
			require.Equal(t, []string{"/evidence/ehlo"}, r.Partial)
		}
	}
}

// Some greetings end a conversation before it began.
func TestTurnedAway(t *testing.T) {
	for greeting, test := range map[string]struct {
		outcome probe.Outcome
		sent    []string
	}{
		"421 4.7.0 too many connections": {probe.OutcomeBusy, nil},
		"450 4.3.2 not yet":              {probe.OutcomeBusy, nil},
		"554 5.7.1 not you":              {probe.OutcomeDenied, []string{"QUIT\r\n"}},
		"521 no mail here":               {probe.OutcomeDenied, []string{"QUIT\r\n"}},
	} {
		s := serve(t, func(p *peer) {
			p.say(greeting)
			p.hear()
		})
		r, e := run(t, smtp.Prober{Injection: true, Verify: true}, s, nil)
		require.Equal(t, test.outcome, r.Outcome, greeting)
		require.Equal(t, []string{"/evidence"}, r.Partial)
		require.NotNil(t, e.Greeting)
		require.Nil(t, e.Extensions)
		require.Equal(t, test.sent, s.heard())
		require.Equal(t, 1, s.conns())
	}
}

// What a server says unasked answers nothing, and a reply that can't answer its command leads to a fresh connection, once.
func TestOutOfStep(t *testing.T) {
	stray := func(late time.Duration, always bool) func(p *peer) {
		return func(p *peer) {
			if late == 0 {
				p.say("220 mx.example.com ESMTP", "502 stray")
			} else {
				p.say("220 mx.example.com ESMTP")
				if p.n == 1 || always {
					time.Sleep(late)
					p.say("502 stray")
				}
			}
			mxTalk(p, false, false)
		}
	}
	for name, test := range map[string]struct {
		server func(p *peer)
		conns  int
	}{
		"with the greeting":   {stray(0, true), 1},
		"behind the greeting": {stray(20*time.Millisecond, true), 2},
		"only once":           {stray(20*time.Millisecond, false), 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, test.server)
			r, e := run(t, smtp.Prober{}, s, nil)
			require.NoError(t, r.Err)
			require.Equal(t, probe.Yes, e.STARTTLS)
			require.Equal(t, []string{"AUTH PLAIN"}, e.ExtensionsAfterTLS)
			require.Equal(t, test.conns, s.conns())
		})
	}
	t.Run("for good", func(t *testing.T) {
		s := serve(t, func(p *peer) {
			p.say("220 mx.example.com ESMTP")
			for p.err == nil {
				p.hear()
				p.say("220 what")
			}
		})
		r, e := run(t, smtp.Prober{}, s, nil)
		require.Equal(t, probe.OutcomeMalformed, r.Outcome)
		require.Equal(t, probe.Unknown, e.STARTTLS)
		require.Nil(t, e.EHLO)
		require.Equal(t, "mx.example.com", e.Hostname)
		require.Equal(t, 2, s.conns())
	})
	t.Run("and then turned away", func(t *testing.T) {
		s := serve(t, func(p *peer) {
			if p.n > 1 {
				p.say("421 too many")
				return
			}
			p.say("220 mx.example.com ESMTP")
			p.hear()
			p.say("354 what")
		})
		r, e := run(t, smtp.Prober{}, s, nil)
		require.Equal(t, probe.OutcomeBusy, r.Outcome)
		require.True(t, e.Greeting.Is(220))
	})
}

// NTLM is asked for in cleartext if TLS, which was offered, can't be had; bare, if the server takes no initial response.
func TestNTLMWithoutTLS(t *testing.T) {
	const challenge = "334 TlRMTVNTUAACAAAAAAAAACAAAAAFgomiASNFZ4mrze8AAAAAAAAAAA=="
	for name, broken := range map[string]func(p *peer){
		"refused":  func(p *peer) { p.say("454 4.7.0 TLS not available") },
		"closed":   func(p *peer) { p.err = io.EOF },
		"no hello": func(p *peer) { p.say("220 go ahead"); p.err = io.EOF },
		"nonsense": func(p *peer) { p.say("220 go ahead", "250 what") },
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(p *peer) {
				p.say("220 mx.example.com ESMTP")
				for p.err == nil {
					switch command := p.hear(); {
					case strings.HasPrefix(command, "EHLO "):
						p.say("250-mx.example.com", "250-AUTH NTLM", "250 STARTTLS")
					case command == "STARTTLS":
						broken(p)
					case command == "AUTH NTLM":
						p.say("334 ntlm supported")
					case strings.HasPrefix(command, "AUTH NTLM "):
						p.say("501 no initial response")
					case command == "*":
						p.say("501 cancelled")
					case command == "QUIT":
						p.say("221 bye")
						return
					default:
						p.say(challenge)
					}
				}
			})
			r, e := run(t, smtp.Prober{}, s, nil)
			require.Contains(t, []probe.Outcome{probe.OutcomeOK, probe.OutcomeTLS, probe.OutcomeClosed}, r.Outcome)
			require.NotNil(t, e.NTLM)
			require.Equal(t, probe.Yes, e.STARTTLS)
			require.Subset(t, s.heard(), []string{"AUTH NTLM\r\n", "*\r\n", "QUIT\r\n"})
			found := finding.Evaluate(r, smtp.Rules)
			require.True(t, slices.ContainsFunc(found, func(f finding.Finding) bool { return f.ID == "smtp.starttls-broken" }))
		})
	}
}

// Who says in its greeting what it is, is that, whatever it refuses; and who says something else isn't.
func TestRefusesEverything(t *testing.T) {
	for greeting, want := range map[string]probe.Outcome{
		"220 mx.example.com ESMTP": probe.OutcomeOK, "220 ftp.example.com SMTP ready": probe.OutcomeOK,
		"220 mx.example.com LMTP": probe.OutcomeNotProtocol, "220 FTP server ready": probe.OutcomeNotProtocol,
	} {
		for _, refusal := range []string{"500 what", "502 no", "550 5.7.1 no", "504 need a fully-qualified name", "501 no"} {
			s := serve(t, func(p *peer) {
				for p.say(greeting); p.err == nil && p.hear() != "QUIT"; {
					p.say(refusal)
				}
			})
			r, e := run(t, smtp.Prober{}, s, nil)
			require.Equal(t, want, r.Outcome, "%s, %s", greeting, refusal)
			require.Equal(t, want == probe.OutcomeOK, fires(r, "smtp.exposed"), "%s, %s", greeting, refusal)
			require.Equal(t, probe.Unknown, e.STARTTLS)
			require.Nil(t, e.Extensions)
			require.False(t, fires(r, "smtp.starttls-missing"))
		}
	}
}

func fires(r *probe.Result, id string) bool {
	return slices.ContainsFunc(finding.Evaluate(r, smtp.Rules), func(f finding.Finding) bool { return f.ID == id })
}
