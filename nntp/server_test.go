package nntp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/selfsigned"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A server is a small news server on loopback that speaks TLS for real.
type server struct {
	implicit   bool
	injectable bool              // keeps what it received before the handshake
	busy       bool              // drops who sends something behind STARTTLS, instead of a handshake
	answers    map[string]string // replaces its replies
	maxVersion uint16
	opening    func(n int) []string // what it says before it is asked, a moment apart, on its n-th connection
	opened     *atomic.Int32
}

// start returns the server's address. It ends with the test.
func (s server) start(t *testing.T) probe.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	config := &tls.Config{Certificates: []tls.Certificate{certificate()}, MinVersion: tls.VersionTLS12, MaxVersion: s.maxVersion}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				s.serve(c, config)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return probe.Target{Addr: netip.MustParseAddrPort(l.Addr().String()), Name: "news.example.org"}
}

func (s server) serve(raw net.Conn, config *tls.Config) {
	var c io.ReadWriter = raw
	if s.implicit {
		c = tls.Server(raw, config)
	}
	secure := s.implicit
	in := bufio.NewReader(c)
	if s.opened == nil {
		fmt.Fprint(c, "200 news.example.org ready\r\n")
	} else {
		for i, said := range s.opening(int(s.opened.Add(1))) {
			time.Sleep(time.Duration(i) * 20 * time.Millisecond)
			fmt.Fprint(c, said)
		}
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		command := strings.TrimSpace(line)
		verb, _, _ := strings.Cut(command, " ")
		answer, replaced := s.answers[verb]
		switch {
		case replaced:
			fmt.Fprint(c, answer)
		case verb == "CAPABILITIES" && secure:
			fmt.Fprint(c, "101 list\r\nVERSION 2\r\nREADER\r\nAUTHINFO USER\r\n.\r\n")
		case verb == "CAPABILITIES":
			fmt.Fprint(c, "101 list\r\nVERSION 2\r\nREADER\r\nSTARTTLS\r\nAUTHINFO\r\n.\r\n")
		case verb == "DATE":
			fmt.Fprint(c, "111 20260131120507\r\n")
		case verb == "GROUP":
			fmt.Fprint(c, "480 login first\r\n")
		case verb == "STARTTLS":
			fmt.Fprint(c, "382 go ahead\r\n")
			if s.busy && in.Buffered() > 0 {
				return
			}
			secured := tls.Server(raw, config)
			if secured.Handshake() != nil {
				return
			}
			c, secure = secured, true
			if s.injectable {
				in = bufio.NewReader(io.MultiReader(io.LimitReader(in, int64(in.Buffered())), c))
			} else {
				in = bufio.NewReader(c)
			}
		case verb == "QUIT":
			fmt.Fprint(c, "205 bye\r\n")
			return
		default:
			fmt.Fprint(c, "500 what?\r\n")
		}
	}
}

// certificate is made once: a key costs more than a conversation.
var certificate = sync.OnceValue(func() tls.Certificate { return selfsigned.Certificate("news.example.org") })

func run(t *testing.T, p nntp.Prober, target probe.Target, o *probe.Options) (*probe.Result, *nntp.Evidence) {
	t.Helper()
	r := probe.Run(t.Context(), p, target, o)
	return r, evidence(t, r)
}

func TestSTARTTLS(t *testing.T) {
	r, e := run(t, nntp.Prober{}, server{}.start(t), nil)
	require.NoError(t, r.Err)
	require.Equal(t, "starttls", e.TLS.Mode)
	require.Equal(t, "1.3", e.TLS.Version)
	require.Equal(t, probe.Yes, e.TLS.NameMatches)
	require.Len(t, e.TLS.Chain, 1)
	require.Equal(t, []string{"USER"}, e.AuthMethodsAfterTLS)
	require.Empty(t, e.TLS.Versions)
	require.Equal(t, probe.Unknown, e.STARTTLSInjected)
}

func TestImplicitTLS(t *testing.T) {
	r, e := run(t, nntp.Prober{Injection: true}, server{implicit: true}.start(t), &probe.Options{ImplicitTLS: probe.Yes})
	require.NoError(t, r.Err)
	require.Equal(t, probe.Yes, e.ImplicitTLS)
	require.Equal(t, "implicit", e.TLS.Mode)
	require.Equal(t, probe.Unknown, e.STARTTLSInjected, "there is no STARTTLS to inject behind")
}

// A port that is meant for implicit TLS but answers in cleartext, as nnrpd -S does while it is out of order.
func TestImplicitTLSInCleartext(t *testing.T) {
	r, e := run(t, nntp.Prober{}, server{}.start(t), &probe.Options{ImplicitTLS: probe.Yes})
	require.Equal(t, probe.OutcomeTLS, r.Outcome)
	require.Equal(t, probe.No, e.ImplicitTLS)
	require.NotEmpty(t, e.TLS.Error)
	require.Equal(t, &probe.Reply{Code: 200, Lines: []string{"news.example.org ready"}}, e.Greeting)
	require.Nil(t, e.CapabilitiesReply)
}

func TestOfferTLS(t *testing.T) {
	r, e := run(t, nntp.Prober{}, server{maxVersion: tls.VersionTLS12}.start(t), &probe.Options{TLS: probe.TLSModeVersions})
	require.NoError(t, r.Err)
	require.Equal(t, []string{"1.2"}, e.TLS.Versions)
}

func TestInjectionForReal(t *testing.T) {
	for _, test := range []struct {
		server server
		want   probe.Fact
	}{
		{server{injectable: true}, probe.Yes},
		{server{injectable: true, answers: map[string]string{"DATE": "480 login first\r\n"}}, probe.Yes},
		{server{}, probe.No},
		{server{busy: true}, probe.Unknown},
	} {
		r, e := run(t, nntp.Prober{Injection: true}, test.server.start(t), nil)
		require.NoError(t, r.Err)
		require.Equal(t, test.want, e.STARTTLSInjection())
	}
}

// The clock of a server that stops talking runs in each phase; what was learned stays.
func TestSilence(t *testing.T) {
	for verb, learned := range map[string]func(e *nntp.Evidence) bool{
		"CAPABILITIES": func(e *nntp.Evidence) bool { return e.Greeting != nil },
		"DATE":         func(e *nntp.Evidence) bool { return len(e.Capabilities) > 0 },
		"STARTTLS":     func(e *nntp.Evidence) bool { return e.ReadReply.Is(480) && e.ReadAccess == probe.Unknown },
	} {
		target := server{answers: map[string]string{verb: ""}}.start(t)
		r, e := run(t, nntp.Prober{}, target, &probe.Options{Limits: probe.Limits{Idle: time.Second}})
		require.Equal(t, probe.OutcomeTimeout, r.Outcome, verb)
		require.True(t, learned(e), verb)
	}
}

func TestCanceled(t *testing.T) {
	target := server{answers: map[string]string{"GROUP": ""}}.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := probe.Run(ctx, nntp.Prober{}, target, &probe.Options{Trace: func(e probe.Event) {
		if strings.HasPrefix(e.Label, "GROUP") {
			cancel()
		}
	}})
	require.Equal(t, probe.OutcomeCanceled, r.Outcome)
	require.NotNil(t, evidence(t, r).ServerDate)
}

// What a server says unasked answers nothing, and a reply that can't answer its command leads to a fresh connection, once.
func TestOutOfStep(t *testing.T) {
	const greeting, stray = "200 news.example.org ready\r\n", "502 stray\r\n"
	for name, test := range map[string]struct {
		opening func(n int) []string
		conns   int32
	}{
		"with the greeting":   {func(int) []string { return []string{greeting + stray} }, 1},
		"behind the greeting": {func(int) []string { return []string{greeting, stray} }, 2},
		"only once":           {func(n int) []string { return []string{greeting, stray}[:min(3-n, 2)] }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := server{opening: test.opening, opened: new(atomic.Int32)}
			r, e := run(t, nntp.Prober{}, s.start(t), nil)
			require.NoError(t, r.Err)
			require.Equal(t, []string{"VERSION 2", "READER", "STARTTLS", "AUTHINFO"}, e.Capabilities)
			require.Equal(t, 480, e.ReadReply.Code)
			require.Equal(t, test.conns, s.opened.Load())
		})
	}
	t.Run("for good", func(t *testing.T) {
		r, e := run(t, nntp.Prober{}, server{answers: map[string]string{"DATE": "205 what?\r\n"}}.start(t), nil)
		require.Equal(t, probe.OutcomeMalformed, r.Outcome)
		require.Equal(t, 200, e.Greeting.Code)
		require.Nil(t, e.Capabilities, "nothing that it said can be relied on")
	})
	t.Run("and turned away", func(t *testing.T) {
		s := server{opened: new(atomic.Int32), opening: func(n int) []string {
			if n > 1 {
				return []string{"400 too many connections\r\n"}
			}
			return []string{greeting, stray}
		}}
		r, e := run(t, nntp.Prober{}, s.start(t), nil)
		require.Equal(t, probe.OutcomeBusy, r.Outcome)
		require.Equal(t, 200, e.Greeting.Code, "the second greeting tells nothing of the first connection")
		require.Equal(t, probe.Yes, e.Posting)
		require.Nil(t, e.Capabilities)
		require.NotEmpty(t, r.Partial)
	})
}

// The list of a server for readers has POST for those who log in; what a stranger may do is seen by what he may read.
func TestPostingOfReaders(t *testing.T) {
	for group, want := range map[string][]string{
		"480 login first\r\n":   {"nntp.starttls-missing", "nntp.exposed"},
		"403 out of order\r\n":  {"nntp.starttls-missing", "nntp.exposed"},
		"411 no such group\r\n": {"nntp.post-open", "nntp.read-open", "nntp.starttls-missing", "nntp.exposed"},
	} {
		s := server{answers: map[string]string{"CAPABILITIES": "101 list\r\nVERSION 2\r\nREADER\r\nPOST\r\n.\r\n", "GROUP": group}}
		r, e := run(t, nntp.Prober{}, s.start(t), nil)
		require.NoError(t, r.Err)
		require.Equal(t, probe.Yes, e.Posting)
		ids := []string{}
		for _, f := range finding.Evaluate(r, nntp.Rules) {
			ids = append(ids, f.ID)
		}
		require.Equal(t, want, ids, group)
	}
}

// What is refused in cleartext may be had inside TLS, if there is TLS.
func TestInsideTLSDecides(t *testing.T) {
	const offered, none = "101 list\r\nVERSION 2\r\nREADER\r\nSTARTTLS\r\n.\r\n", "101 list\r\nVERSION 2\r\nREADER\r\n.\r\n"
	for name, test := range map[string]struct {
		list, starttls string
		want           probe.Fact
	}{
		"refused":    {offered, "580 no certificate\r\n", probe.Unknown},
		"broken":     {offered, "382 go\r\nnonsense\r\n", probe.Unknown},
		"not to say": {"403 fault\r\n", "403 fault\r\n", probe.Unknown},
		"none":       {none, "", probe.No},
	} {
		t.Run(name, func(t *testing.T) {
			s := server{answers: map[string]string{"CAPABILITIES": test.list, "STARTTLS": test.starttls, "GROUP": "480 login first\r\n"}}
			_, e := run(t, nntp.Prober{}, s.start(t), nil)
			require.Equal(t, test.want, e.ReadAccess)
			if test.list == "403 fault\r\n" {
				return
			}
			require.Equal(t, test.want, e.Feeding)
			require.Equal(t, test.want, e.Posting)
		})
	}
}

// The name that is made up begins with the visitor's, if there is one.
func TestContact(t *testing.T) {
	for host, want := range map[string]string{"": "GROUP handclasp.", "scan.example.org": "GROUP scan.example.org."} {
		r, _ := run(t, nntp.Prober{}, server{}.start(t), &probe.Options{Contact: probe.Contact{Host: host}})
		require.NoError(t, r.Err)
		require.True(t, slices.ContainsFunc(r.Transcript, func(e probe.Event) bool { return strings.HasPrefix(string(e.Data), want) }))
	}
}
