package textline_test

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
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/selfsigned"
	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

var protocol = textline.Protocol{
	Style: textline.EveryLine, Quit: "QUIT", Bye: 221, Preliminary: true,
	Greets: func(r *probe.Reply) probe.Outcome {
		switch {
		case r.Code == 220:
			return probe.OutcomeOK
		case r.Code >= 500:
			return probe.OutcomeDenied
		case r.Code >= 400:
			return probe.OutcomeBusy
		}
		return probe.OutcomeNotProtocol
	},
}

type evidence struct{}

func (*evidence) Protocol() string { return "test" }

// prober is one function, which may send anything.
type prober func(ctx context.Context, s *probe.Session) error

func (p prober) Spec() probe.Spec {
	guard := func(_ probe.Level, plain []byte) (string, error) { return strings.TrimSpace(string(plain)), nil }
	return probe.Spec{Protocol: "test", Guard: func(probe.Contact) probe.Guard { return guard }}
}

func (p prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	return new(evidence), p(ctx, s)
}

// serve runs talk for each connection to a loopback port.
func serve(t *testing.T, talk func(c net.Conn)) probe.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			running.Go(func() {
				defer c.Close()
				talk(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return probe.Target{Addr: l.Addr().(*net.TCPAddr).AddrPort()}
}

// lines greets and answers each command as the map says; a command that it doesn't have ends the connection.
func lines(greeting string, answers map[string]string) func(c net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, greeting)
		for r := bufio.NewReader(c); ; {
			command, err := r.ReadString('\n')
			answer, ok := answers[strings.TrimSpace(command)]
			if err != nil || !ok {
				return
			}
			_, _ = io.WriteString(c, answer)
		}
	}
}

func TestGreet(t *testing.T) {
	inside := func(said string) func(c net.Conn) {
		return func(c net.Conn) {
			conn := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{selfsigned.Certificate("mx.example.com")}})
			_, _ = io.WriteString(conn, said)
			_, _ = io.Copy(io.Discard, conn)
		}
	}
	for name, test := range map[string]struct {
		server   func(c net.Conn)
		implicit bool
		code     int
		spoken   probe.Fact
		outcome  probe.Outcome
	}{
		"welcome":                    {lines("220 hi\r\n", nil), false, 220, probe.No, probe.OutcomeOK},
		"in a while":                 {lines("120 wait\r\n220 hi\r\n", nil), false, 220, probe.No, probe.OutcomeOK},
		"busy":                       {lines("421 too many\r\n", nil), false, 421, probe.No, probe.OutcomeBusy},
		"denied":                     {lines("554 go away\r\n", nil), false, 554, probe.No, probe.OutcomeDenied},
		"another protocol's code":    {lines("200 hi\r\n", nil), false, 200, probe.No, probe.OutcomeNotProtocol},
		"another protocol's line":    {lines("+OK hi\r\n", nil), false, 0, probe.No, probe.OutcomeNotProtocol},
		"nothing":                    {func(net.Conn) {}, false, -1, probe.Unknown, probe.OutcomeClosed},
		"inside TLS":                 {inside("220 hi\r\n"), true, 220, probe.Yes, probe.OutcomeOK},
		"busy inside TLS":            {inside("421 no\r\n"), true, 421, probe.Yes, probe.OutcomeBusy},
		"no TLS there":               {lines("220 hi\r\n", nil), true, 220, probe.No, probe.OutcomeTLS},
		"busy where TLS was due":     {lines("421 no\r\n", nil), true, 421, probe.No, probe.OutcomeBusy},
		"denied where TLS was due":   {lines("554 no\r\n", nil), true, 554, probe.No, probe.OutcomeDenied},
		"something else without TLS": {lines("SSH-2.0-x\r\n", nil), true, -1, probe.Unknown, probe.OutcomeTLS},
	} {
		t.Run(name, func(t *testing.T) {
			var g textline.Greeting
			r := probe.Run(t.Context(), prober(func(ctx context.Context, s *probe.Session) error {
				c, err := protocol.Open(ctx, s)
				require.NoError(t, err)
				g, err = c.Greet(ctx)
				return err
			}), serve(t, test.server), &probe.Options{ImplicitTLS: probe.FactOf(test.implicit)})
			require.Equal(t, test.outcome, r.Outcome, r.Err)
			require.Equal(t, test.spoken, g.Implicit)
			require.Equal(t, test.implicit, g.TLS != nil)
			require.Equal(t, test.code < 0, g.Reply == nil)
			require.True(t, test.code < 0 || g.Reply.Code == test.code)
		})
	}
}

// converse greets, asks A and B, each of which is answered by 250 to A and 251 to B, and leaves.
func converse(t *testing.T, server func(c net.Conn), patient bool) (answers []int, err error) {
	t.Helper()
	r := probe.Run(t.Context(), prober(func(ctx context.Context, s *probe.Session) error {
		c, err := protocol.Open(ctx, s)
		require.NoError(t, err)
		c.Patient = patient
		if _, err := c.Greet(ctx); err != nil {
			return err
		}
		for command, code := range map[string]int{"A": 250} {
			r, err := c.Ask(command, code)
			if err != nil {
				return err
			}
			answers = append(answers, r.Code)
		}
		r, err := c.Ask("B", 251)
		if err != nil {
			return err
		}
		answers = append(answers, r.Code)
		return c.Leave()
	}), serve(t, server), nil)
	return answers, r.Err
}

func TestInStep(t *testing.T) {
	const a, b, bye = "250 a\r\n", "251 b\r\n", "221 bye\r\n"
	for name, test := range map[string]struct {
		greeting, a, b, quit string
		hasty, patient       []int // what each conversation takes for answers; nil if it finds itself out of step
	}{
		"in step":                        {"220 hi\r\n", a, b, bye, []int{250, 251}, []int{250, 251}},
		"refusals answer anything":       {"220 hi\r\n", "530 a\r\n", "421 b\r\n", bye, []int{530, 421}, []int{530, 421}},
		"a goodbye in other words":       {"220 hi\r\n", a, b, "200 bye\r\n", []int{250, 251}, []int{250, 251}},
		"no goodbye":                     {"220 hi\r\n", a, b, "", []int{250, 251}, []int{250, 251}},
		"a stray with the greeting":      {"220 hi\r\n530 stray\r\n", a, b, bye, []int{250, 251}, []int{250, 251}},
		"a stray with an answer":         {"220 hi\r\n", a + "530 stray\r\n", b, bye, nil, []int{250, 251}},
		"a stray in front of an answer":  {"220 hi\r\n", "530 stray\r\n" + a, b, bye, nil, []int{530, 251}},
		"an answer to something else":    {"220 hi\r\n", b, b, bye, nil, nil},
		"each answer one command late":   {"220 hi\r\n", "502 stray\r\n", a, b, nil, nil},
		"late, and hidden by a refusal":  {"220 hi\r\n", "502 stray\r\n", "502 a\r\n", "502 b\r\n" + bye, nil, nil},
		"late, and hidden by the answer": {"220 hi\r\n", "502 stray\r\n", b, b + bye, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			server := func(c net.Conn) {
				answers := map[string]string{"A": test.a, "B": test.b}
				if strings.Contains(test.quit, bye) {
					answers["QUIT"] = test.quit
				}
				_, _ = io.WriteString(c, test.greeting)
				for r := bufio.NewReader(c); ; {
					command, err := r.ReadString('\n')
					answer, ok := answers[strings.TrimSpace(command)]
					if !ok && err == nil {
						_, _ = io.WriteString(c, test.quit)
					}
					if err != nil || !ok {
						return
					}
					_, _ = io.WriteString(c, answer)
				}
			}
			for patient, want := range map[bool][]int{false: test.hasty, true: test.patient} {
				answers, err := converse(t, server, patient)
				if want == nil {
					require.ErrorIs(t, err, textline.ErrOutOfStep, "patient %v", patient)
					require.ErrorIs(t, err, probe.OutcomeMalformed)
					continue
				}
				require.NoError(t, err, "patient %v", patient)
				require.Equal(t, want, answers)
			}
		})
	}
}

// What a server says a moment after its greeting, unasked, is out of the way of a patient conversation.
func TestPatience(t *testing.T) {
	server := func(c net.Conn) {
		_, _ = io.WriteString(c, "220 hi\r\n")
		time.Sleep(20 * time.Millisecond)
		lines("502 stray\r\n", map[string]string{"A": "250 a\r\n", "B": "251 b\r\n", "QUIT": "221 bye\r\n"})(c)
	}
	answers, err := converse(t, server, true)
	require.NoError(t, err)
	require.Equal(t, []int{250, 251}, answers)
	_, err = converse(t, server, false)
	require.ErrorIs(t, err, textline.ErrOutOfStep)
}

// Leave ends however the server takes it.
func TestLeave(t *testing.T) {
	for name, answer := range map[string]string{"nonsense": "what\r\n", "a silent end": ""} {
		t.Run(name, func(t *testing.T) {
			r := probe.Run(t.Context(), prober(func(ctx context.Context, s *probe.Session) error {
				c, err := protocol.Open(ctx, s)
				require.NoError(t, err)
				_, err = c.Greet(ctx)
				require.NoError(t, err)
				return c.Leave()
			}), serve(t, lines("220 hi\r\n", map[string]string{"QUIT": answer})), &probe.Options{Limits: probe.Limits{Idle: 50 * time.Millisecond}})
			require.NoError(t, r.Err)
		})
	}
}

// A command in cleartext behind the one that asks for TLS.
func TestInject(t *testing.T) {
	cfg := &tls.Config{Certificates: []tls.Certificate{selfsigned.Certificate("mx.example.com")}}
	upgraded := func(first string, secure map[string]string) func(c net.Conn) {
		return func(c net.Conn) {
			_, _ = io.WriteString(c, "220 hi\r\n")
			_, _ = c.Read(make([]byte, 512))
			_, _ = io.WriteString(c, "220 go\r\n")
			lines(first, secure)(tls.Server(c, cfg))
		}
	}
	quit := map[string]string{"QUIT": "221 bye\r\n"}
	for name, test := range map[string]struct {
		server  func(c net.Conn)
		want    probe.Fact
		outcome probe.Outcome
	}{
		"kept":                        {upgraded("250 noop\r\n", quit), probe.Yes, probe.OutcomeOK},
		"discarded":                   {upgraded("", quit), probe.No, probe.OutcomeOK},
		"refused together":            {lines("220 hi\r\n", map[string]string{"STARTTLS": "554 no\r\n"}), probe.No, probe.OutcomeOK},
		"refused for another reason":  {lines("220 hi\r\n", map[string]string{"STARTTLS": "580 no\r\n"}), probe.Unknown, probe.OutcomeOK},
		"refused for now":             {lines("220 hi\r\n", map[string]string{"STARTTLS": "454 no\r\n"}), probe.Unknown, probe.OutcomeOK},
		"answered in cleartext":       {lines("220 hi\r\n", map[string]string{"STARTTLS": "220 go\r\n250 noop\r\n"}), probe.Unknown, probe.OutcomeOK},
		"something else, and no more": {upgraded("250 noop\r\n", map[string]string{"QUIT": "250 what\r\n", "": ""}), probe.Unknown, probe.OutcomeOK},
		"hung up inside":              {upgraded("", nil), probe.Unknown, probe.OutcomeClosed},
	} {
		t.Run(name, func(t *testing.T) {
			var fact probe.Fact
			r := probe.Run(t.Context(), prober(func(ctx context.Context, s *probe.Session) error {
				c, err := protocol.Open(ctx, s)
				require.NoError(t, err)
				_, err = c.Greet(ctx)
				require.NoError(t, err)
				fact, err = c.Inject(ctx, "STARTTLS\r\nNOOP", 220, 580)
				return err
			}), serve(t, test.server), nil)
			require.Equal(t, test.outcome, r.Outcome, r.Err)
			require.Equal(t, test.want, fact)
			require.False(t, errors.Is(r.Err, textline.ErrOutOfStep))
		})
	}
}
