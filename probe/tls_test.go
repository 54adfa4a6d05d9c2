package probe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// upgrade asks for STARTTLS, unless implicit, upgrades, and says HELLO inside.
func upgrade(implicit bool) func(context.Context, *probe.Session, *evidence) error {
	return func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		if !implicit {
			if err := c.Send([]byte("STARTTLS\r\n")); err != nil {
				return err
			}
			if _, err := c.ReadLine(); err != nil {
				return err
			}
		}
		if e.TLS, err = c.StartTLS(ctx); err != nil {
			return err
		}
		if err := c.Send([]byte("HELLO\r\n")); err != nil {
			return err
		}
		line, err := c.ReadLine()
		e.Lines = append(e.Lines, string(line))
		return err
	}
}

// secure answers STARTTLS with reply, then speaks TLS and answers one line.
func secure(reply string, cfg *tls.Config) func(net.Conn) {
	return func(c net.Conn) {
		if reply != "" {
			if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
				return
			}
			_, _ = io.WriteString(c, reply)
		}
		t := tls.Server(c, cfg)
		if line, err := bufio.NewReader(t).ReadString('\n'); err == nil {
			_, _ = io.WriteString(t, "inside: "+line)
		}
		hang(t)
	}
}

func TestStartTLS(t *testing.T) {
	authority := certificate(t, certificateOptions{ca: true})
	roots := x509.NewCertPool()
	roots.AddCert(authority.Leaf)
	good := certificate(t, certificateOptions{names: []string{"ftp.example"}, parent: &authority})
	expired := certificate(t, certificateOptions{names: []string{"ftp.example"}, parent: &authority, notAfter: time.Now().Add(-48 * time.Hour)})
	selfSigned := certificate(t, certificateOptions{names: []string{"ftp.example"}})

	for name, tc := range map[string]struct {
		cert     tls.Certificate
		name     string
		implicit bool
		trusted  probe.Fact
		matches  probe.Fact
	}{
		"good":        {cert: good, name: "ftp.example", trusted: probe.Yes, matches: probe.Yes},
		"implicit":    {cert: good, name: "ftp.example", implicit: true, trusted: probe.Yes, matches: probe.Yes},
		"other name":  {cert: good, name: "mail.example", trusted: probe.Yes, matches: probe.No},
		"no name":     {cert: good, trusted: probe.Yes, matches: probe.Unknown},
		"expired":     {cert: expired, name: "ftp.example", trusted: probe.Yes, matches: probe.Yes},
		"self-signed": {cert: selfSigned, name: "ftp.example", trusted: probe.No, matches: probe.Yes},
	} {
		t.Run(name, func(t *testing.T) {
			leakFree(t)
			var sni string
			cfg := &tls.Config{Certificates: []tls.Certificate{tc.cert}, GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				sni = h.ServerName
				return nil, nil
			}}
			reply, mode := "220 go ahead\r\n", "starttls"
			if tc.implicit {
				reply, mode = "", "implicit"
			}
			target := serve(t, secure(reply, cfg))
			target.Name = tc.name
			r := probe.Run(t.Context(), script{talk: upgrade(tc.implicit)}, target, &probe.Options{RootCAs: roots})
			require.NoError(t, r.Err)
			e := r.Evidence.(*evidence)
			require.Equal(t, []string{"inside: HELLO"}, e.Lines)
			require.Equal(t, tc.name, sni)
			require.Equal(t, mode, e.TLS.Mode)
			require.Equal(t, "1.3", e.TLS.Version)
			require.NotEmpty(t, e.TLS.CipherSuite)
			require.Equal(t, "X25519", e.TLS.KeyExchange)
			require.Equal(t, tc.trusted, e.TLS.Trusted, e.TLS.TrustError)
			require.Equal(t, tc.trusted == probe.No, e.TLS.TrustError != "")
			require.Equal(t, tc.matches, e.TLS.NameMatches)
			require.Empty(t, e.TLS.Error)
			require.Len(t, e.TLS.Chain, 1)
			leaf := e.TLS.Chain[0]
			require.Equal(t, []string{"ftp.example"}, leaf.DNSNames)
			require.Equal(t, []string{"127.0.0.1"}, leaf.IPAddresses)
			require.Equal(t, tc.cert.Leaf.NotAfter.UTC(), leaf.NotAfter)
			require.Equal(t, "1f", leaf.Serial)
			require.Equal(t, "ECDSA", leaf.KeyType)
			require.Equal(t, 256, leaf.KeyBits)
			require.Equal(t, name == "self-signed", leaf.SelfSigned)
			// The transcript shows what was said inside.
			last := r.Transcript[len(r.Transcript)-1]
			require.Equal(t, "inside: HELLO\r\n", string(last.Data))
		})
	}
}

// A container without a package of certificates trusts nobody, which says nothing of the server.
// What is remembered of a chain is what would have been found out, and nobody's evidence changes another's.
func TestChains(t *testing.T) {
	leakFree(t)
	authority := certificate(t, certificateOptions{ca: true})
	roots := x509.NewCertPool()
	roots.AddCert(authority.Leaf)
	options := &probe.Options{RootCAs: roots, Chains: new(probe.Chains)}
	for _, parent := range []*tls.Certificate{&authority, nil} { // a trusted one, and one that isn't
		cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t, certificateOptions{names: []string{"ftp.example"}, parent: parent})}}
		target := serve(t, secure("", cfg))
		ask := func(name string, o *probe.Options) *probe.TLS {
			target.Name = name
			r := probe.Run(t.Context(), script{talk: upgrade(true)}, target, o)
			require.NoError(t, r.Err)
			return r.Evidence.(*evidence).TLS
		}
		plain := ask("ftp.example", &probe.Options{RootCAs: roots})
		first := ask("ftp.example", options)
		require.Equal(t, plain, first)
		first.Chain[0].DNSNames[0] = "changed by its holder"
		second := ask("ftp.example", options)
		require.Equal(t, plain, second)
		second.Chain[0].DNSNames[0] = "changed by its holder"
		require.Equal(t, plain, ask("ftp.example", options))
		require.Equal(t, probe.No, ask("other.example", options).NameMatches, "names aren't the chain's")
	}
}

func TestNoSystemRoots(t *testing.T) {
	const child = "HANDCLASP_TEST_NO_ROOTS"
	if os.Getenv(child) == "" {
		if runtime.GOOS != "linux" {
			t.Skip("the system's roots aren't in files")
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestNoSystemRoots$")
		nowhere := filepath.Join(t.TempDir(), "nowhere")
		cmd.Env = append(os.Environ(), child+"=1", "SSL_CERT_FILE="+nowhere, "SSL_CERT_DIR="+nowhere)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t, certificateOptions{})}}
	r := probe.Run(t.Context(), script{talk: upgrade(true)}, serve(t, secure("", cfg)), nil)
	require.NoError(t, r.Err)
	e := r.Evidence.(*evidence)
	require.Equal(t, probe.Unknown, e.TLS.Trusted)
	require.NotEmpty(t, e.TLS.TrustError)
}

func TestPostQuantumOnlyWhereAskedFor(t *testing.T) {
	leakFree(t)
	target := serve(t, secure("", &tls.Config{Certificates: []tls.Certificate{certificate(t, certificateOptions{})}}))
	r := probe.Run(t.Context(), script{talk: upgrade(true)}, target, &probe.Options{PostQuantum: true})
	require.NoError(t, r.Err)
	require.Equal(t, "X25519MLKEM768", r.Evidence.(*evidence).TLS.KeyExchange)
}

// A server that wants a certificate of the client ends the handshake, after it has shown its own.
func TestFailedHandshakeKeepsChain(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			leakFree(t)
			cfg := &tls.Config{
				Certificates: []tls.Certificate{certificate(t, certificateOptions{names: []string{"ftp.example"}})},
				MaxVersion:   version, ClientAuth: tls.RequireAnyClientCert,
			}
			r := probe.Run(t.Context(), script{talk: upgrade(false)}, serve(t, secure("220 go\r\n", cfg)), nil)
			require.Equal(t, probe.OutcomeTLS, r.Outcome, r.Err)
			require.ErrorIs(t, r.Err, probe.OutcomeTLS)
			seen := r.Evidence.(*evidence).TLS
			require.Len(t, seen.Chain, 1)
			require.Equal(t, []string{"ftp.example"}, seen.Chain[0].DNSNames)
			require.NotEmpty(t, seen.Version)
			require.Equal(t, probe.No, seen.Trusted)
			require.Equal(t, probe.Yes, seen.ClientCertificateRequested)
			require.ErrorContains(t, r.Err, "asked for a client certificate")
		})
	}
}

// One that only asks for it goes on.
func TestClientCertificateAskedFor(t *testing.T) {
	for auth, want := range map[tls.ClientAuthType]probe.Fact{tls.RequestClientCert: probe.Yes, tls.NoClientCert: probe.No} {
		t.Run(auth.String(), func(t *testing.T) {
			leakFree(t)
			cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t, certificateOptions{})}, ClientAuth: auth}
			r := probe.Run(t.Context(), script{talk: upgrade(true)}, serve(t, secure("", cfg)), nil)
			require.NoError(t, r.Err)
			require.Equal(t, want, r.Evidence.(*evidence).TLS.ClientCertificateRequested)
		})
	}
}

// A server that hangs up later, for a reason of its own, doesn't do so for want of a certificate.
func TestClosedBehindAClientCertificate(t *testing.T) {
	leakFree(t)
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t, certificateOptions{})}, ClientAuth: tls.RequestClientCert}
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		require.NoError(t, err)
		e.TLS, err = c.StartTLS(ctx)
		require.NoError(t, err)
		_, err = c.ReadLine()
		require.NoError(t, err)
		_, err = c.ReadLine()
		return err
	}}, serve(t, func(c net.Conn) { _, _ = io.WriteString(tls.Server(c, cfg), "bye\r\n") }), nil)
	require.Equal(t, probe.OutcomeClosed, r.Outcome)
}

// TLS records that come where they don't belong are no plaintext.
func TestTLSRecordOutOfPlace(t *testing.T) {
	record := "\x14\x03\x03\x00\x01\x01" // ChangeCipherSpec (RFC 8446 §5)
	for name, serving := range map[string]func(net.Conn){
		"with the go-ahead":            func(c net.Conn) { _, _ = c.Read(make([]byte, 64)); say("220 go\r\n" + record)(c) },
		"in place of a server's hello": func(c net.Conn) { _, _ = c.Read(make([]byte, 64)); say("220 go\r\n")(late{c, record}) },
	} {
		t.Run(name, func(t *testing.T) {
			leakFree(t)
			r := probe.Run(t.Context(), script{talk: upgrade(false)}, serve(t, serving), nil)
			require.Equal(t, probe.OutcomeTLS, r.Outcome, r.Err)
			require.Empty(t, r.Evidence.(*evidence).TLS.LeftoverPlaintext)
		})
	}
}

// Behind a handshake that failed, and behind Close, nothing is sent, let alone recorded as if it had been.
func TestNothingIsSentOnASpoiledConnection(t *testing.T) {
	leakFree(t)
	for name, spoil := range map[string]func(context.Context, *probe.Conn){
		"failed handshake": func(ctx context.Context, c *probe.Conn) {
			_, err := c.StartTLS(ctx)
			require.ErrorIs(t, err, probe.OutcomeTLS)
		},
		"closed": func(_ context.Context, c *probe.Conn) { require.NoError(t, c.Close()) },
	} {
		r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
			c, err := s.Open(ctx)
			require.NoError(t, err)
			spoil(ctx, c)
			_, err = c.StartTLS(ctx)
			require.ErrorIs(t, err, probe.OutcomeInternal, name)
			return c.Send([]byte("HELLO\r\n"))
		}}, serve(t, say("220 no TLS here\r\n")), nil)
		require.ErrorIs(t, r.Err, probe.OutcomeInternal, name)
		for _, e := range r.Transcript {
			require.NotEqual(t, probe.DirSend, e.Dir, name)
		}
	}
}

func TestHandshakeWithoutTLS(t *testing.T) {
	for name, serving := range map[string]func(net.Conn){
		"garbage":        func(c net.Conn) { _, _ = c.Write([]byte("\x00\x01garbage instead of TLS\r\n")); hang(c) },
		"closed at once": func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) },
		"an alert":       func(c net.Conn) { _, _ = c.Read(make([]byte, 512)); _, _ = c.Write([]byte{21, 3, 1, 0, 2, 2, 40}) },
	} {
		t.Run(name, func(t *testing.T) {
			leakFree(t)
			r := probe.Run(t.Context(), script{talk: upgrade(true)}, serve(t, serving), nil)
			require.Equal(t, probe.OutcomeTLS, r.Outcome, r.Err)
			seen := r.Evidence.(*evidence).TLS
			require.Equal(t, "implicit", seen.Mode)
			require.NotEmpty(t, seen.Error)
			require.Empty(t, seen.Chain)
			require.Equal(t, probe.Unknown, seen.Trusted)
			require.Equal(t, name == "garbage", len(seen.LeftoverPlaintext) > 0)
		})
	}
}

func TestPlaintextBehindTheGoAhead(t *testing.T) {
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t, certificateOptions{})}}
	for name, serving := range map[string]func(net.Conn){
		"with it": secure("220 go ahead\r\n250 injected\r\n", cfg),
		"later": func(c net.Conn) {
			secure("220 go ahead\r\n", nil)(late{c, "250 injected\r\n"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			leakFree(t)
			r := probe.Run(t.Context(), script{talk: upgrade(false)}, serve(t, serving), nil)
			require.Equal(t, probe.OutcomeTLS, r.Outcome, r.Err)
			e := r.Evidence.(*evidence)
			require.Equal(t, "250 injected\r\n", string(e.TLS.LeftoverPlaintext))
			require.Contains(t, e.TLS.Error, "plaintext came")
			require.Empty(t, e.Lines, "the conversation doesn't go on")
		})
	}
}

// late sends more where its server would begin TLS, once the client hello is there.
type late struct {
	net.Conn
	more string
}

func (l late) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	_, _ = l.Conn.Read(make([]byte, 4096))
	_, _ = io.WriteString(l.Conn, l.more)
	return n, err
}

// A data connection of a session at LevelAnonymous resumes the control connection's TLS session, though its port is
// another: some FTP servers insist.
func TestDataConnectionResumes(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			leakFree(t)
			cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t, certificateOptions{})}, MaxVersion: version}
			cfg.SetSessionTicketKeys([][32]byte{{1}})
			resumed := make(chan bool, 1)
			data := serve(t, func(c net.Conn) {
				s := tls.Server(c, cfg)
				if s.Handshake() == nil {
					resumed <- s.ConnectionState().DidResume
					_, _ = io.WriteString(s, "listing")
					_ = s.Close()
				}
			})
			control := serve(t, secure("", cfg))
			r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
				c, err := s.Open(ctx)
				require.NoError(t, err)
				_, err = c.StartTLS(ctx)
				require.NoError(t, err)
				require.NoError(t, c.Send([]byte("HELLO\r\n")))
				_, err = c.ReadLine()
				require.NoError(t, err)
				dial := s.LibraryDial(ctx, c, "", true)
				_, err = dial("tcp", "")
				require.NoError(t, err)
				view, err := dial("tcp", data.Addr.String())
				require.NoError(t, err)
				all, err := io.ReadAll(view)
				e.Extra = string(all)
				return err
			}}, control, &probe.Options{Level: probe.LevelAnonymous})
			require.NoError(t, r.Err)
			require.Equal(t, "listing", r.Evidence.(*evidence).Extra)
			require.True(t, <-resumed)
		})
	}
}

// A second connection to the same port shakes hands anew: what it learns doesn't depend on what came before it.
func TestConversationsDoNotResume(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			leakFree(t)
			cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t, certificateOptions{})}, MaxVersion: version, ClientAuth: tls.RequestClientCert}
			r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
				for range 3 {
					c, err := s.Open(ctx)
					require.NoError(t, err)
					seen, err := c.StartTLS(ctx)
					require.NoError(t, err)
					require.Equal(t, probe.Yes, seen.ClientCertificateRequested)
					require.NoError(t, c.Send([]byte("HELLO\r\n")))
					_, err = c.ReadLine() // behind which the server's tickets are
					require.NoError(t, err)
					require.NoError(t, c.Close())
				}
				return nil
			}}, serve(t, secure("", cfg)), &probe.Options{Level: probe.LevelAnonymous})
			require.NoError(t, r.Err)
		})
	}
}
