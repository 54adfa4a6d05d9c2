package probe_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

func TestConversation(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(addr, func(t *testing.T) {
			leakFree(t)
			target := serveOn(t, addr, func(c net.Conn) {
				b := make([]byte, 64)
				n, _ := c.Read(b)
				_, _ = c.Write([]byte("you said " + string(b[:n])))
				hang(c)
			})
			r := probe.Run(t.Context(), script{talk: hello(1)}, target, nil)
			require.NoError(t, r.Err)
			require.Equal(t, probe.OutcomeOK, r.Outcome)
			require.Equal(t, []string{"you said HELLO"}, r.Evidence.(*evidence).Lines)

			require.Len(t, r.Transcript, 3)
			require.Equal(t, probe.DirOpen, r.Transcript[0].Dir)
			require.Equal(t, target.Addr.String(), string(r.Transcript[0].Data))
			require.Equal(t, "HELLO\r\n", string(r.Transcript[1].Data))
			require.Equal(t, "HELLO", r.Transcript[1].Label)
			require.Equal(t, "you said HELLO\r\n", string(r.Transcript[2].Data))
		})
	}
}

func TestGuardRefuses(t *testing.T) {
	leakFree(t)
	got := make(chan string, 1)
	target := serve(t, func(c net.Conn) {
		all, _ := io.ReadAll(c)
		got <- string(all)
	})
	send := func(text string) script {
		return script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
			c, err := s.Open(ctx)
			if err != nil {
				return err
			}
			return c.Send([]byte(text))
		}}
	}
	noGuard := send("HELLO\r\n")
	noGuard.guard = func(probe.Level, []byte) (string, error) { return "", nil }
	for name, tc := range map[string]struct {
		prober probe.Prober
		level  probe.Level
	}{
		"not on the list":              {prober: send("DELE x\r\n")},
		"hidden behind one that is":    {prober: send("HELLO\r\nDELE x\r\n")},
		"at level greeting":            {prober: send("HELLO\r\n"), level: probe.LevelGreeting},
		"a guard that doesn't name it": {prober: noGuard},
		"no guard":                     {prober: unguarded{send("HELLO\r\n")}},
	} {
		t.Run(name, func(t *testing.T) {
			r := probe.Run(t.Context(), tc.prober, target, &probe.Options{Level: tc.level})
			require.Equal(t, probe.OutcomeForbidden, r.Outcome, r.Err)
			require.ErrorIs(t, r.Err, probe.OutcomeForbidden)
			require.Empty(t, <-got)
			for _, e := range r.Transcript {
				require.NotEqual(t, probe.DirSend, e.Dir)
			}
		})
	}
}

// A guard with a memory knows what was sent on its own connection, and nothing of the others.
func TestGuardOfEachConnection(t *testing.T) {
	leakFree(t)
	target := serve(t, hang)
	once := func(probe.Contact) probe.Guard {
		sent := false
		return func(probe.Level, []byte) (string, error) {
			if sent {
				return "", errors.New("a second time")
			}
			sent = true
			return "ONCE", nil
		}
	}
	r := probe.Run(t.Context(), remembering{script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
		for range 2 {
			c, err := s.Open(ctx)
			require.NoError(t, err)
			require.NoError(t, c.Send([]byte("x")))
			require.ErrorIs(t, c.Send([]byte("x")), probe.OutcomeForbidden)
		}
		return nil
	}}, once}, target, nil)
	require.NoError(t, r.Err)
}

type remembering struct {
	script
	newGuard func(probe.Contact) probe.Guard
}

func (r remembering) Spec() probe.Spec {
	s := r.script.Spec()
	s.Guard = r.newGuard
	return s
}

type unguarded struct{ script }

func (u unguarded) Spec() probe.Spec {
	s := u.script.Spec()
	s.Guard = nil
	return s
}

func TestOneHostOnly(t *testing.T) {
	leakFree(t)
	data := serve(t, say("data\n"))
	control := serve(t, say("control\n"))
	var dialled []string
	o := &probe.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled = append(dialled, address)
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		require.NoError(t, err)
		dial := s.LibraryDial(ctx, c, "220 hello\r\n", false)
		first, err := dial("tcp", "control")
		require.NoError(t, err)
		b := make([]byte, 64)
		n, err := first.Read(b)
		require.NoError(t, err)
		require.Equal(t, "220 hello\r\n", string(b[:n]))
		n, err = first.Read(b)
		require.NoError(t, err)
		require.Equal(t, "control\n", string(b[:n]))
		_, err = first.Write([]byte("DELE x\r\n"))
		require.ErrorIs(t, err, probe.OutcomeForbidden)
		require.Equal(t, s.Target().Addr.String(), first.RemoteAddr().String())

		// The library was told of another host. Only its port counts.
		second, err := dial("tcp", net.JoinHostPort("192.0.2.99", portOf(data)))
		require.NoError(t, err)
		n, err = second.Read(b)
		require.NoError(t, err)
		require.Equal(t, "data\n", string(b[:n]))
		_, err = second.Write([]byte("HELLO\r\n"))
		require.ErrorIs(t, err, probe.OutcomeForbidden, "a data connection receives only")

		_, err = s.OpenPort(ctx, 1023)
		require.ErrorIs(t, err, probe.OutcomeForbidden)
		_, err = dial("tcp", "elsewhere.example:2121")
		require.ErrorIs(t, err, probe.OutcomeForbidden)
		return nil
	}}, control, o)
	require.NoError(t, r.Err)
	require.Equal(t, []string{control.Addr.String(), data.Addr.String()}, dialled)
}

// Each connection passes the gate, and none is made that it refuses.
func TestGate(t *testing.T) {
	leakFree(t)
	data := serve(t, say("data\n"))
	control := serve(t, say("control\n"))
	refused := errors.New("not now")
	var asked, dialled []string
	o := &probe.Options{
		Gate: func(_ context.Context, to netip.AddrPort) error {
			if asked = append(asked, to.String()); len(asked) == 3 {
				return refused
			}
			return nil
		},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
		_, err := s.Open(ctx)
		require.NoError(t, err)
		_, err = s.OpenPort(ctx, data.Addr.Port())
		require.NoError(t, err)
		_, err = s.OpenPort(ctx, data.Addr.Port())
		require.ErrorIs(t, err, refused)
		return nil
	}}, control, o)
	require.NoError(t, r.Err)
	require.Equal(t, []string{control.Addr.String(), data.Addr.String(), data.Addr.String()}, asked)
	require.Equal(t, asked[:2], dialled)

	// That of a prober's own context is no way around it.
	r = probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
		narrow, cancel := context.WithCancel(ctx)
		defer cancel()
		_, err := s.Open(narrow)
		require.ErrorIs(t, err, refused)
		return nil
	}}, control, &probe.Options{Gate: func(context.Context, netip.AddrPort) error { return refused }})
	require.NoError(t, r.Err)

	ctx, cancel := context.WithCancel(t.Context())
	o = &probe.Options{Gate: func(ctx context.Context, _ netip.AddrPort) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}}
	require.Equal(t, probe.OutcomeCanceled, probe.Run(ctx, script{talk: listen}, control, o).Outcome)
}

func portOf(t probe.Target) string {
	_, p, _ := net.SplitHostPort(t.Addr.String())
	return p
}

func TestOutcomes(t *testing.T) {
	closed := probe.Target{Addr: port(t)}
	failing := func(err error) *probe.Options {
		return &probe.Options{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, err }}
	}
	for name, tc := range map[string]struct {
		target  probe.Target
		serve   func(net.Conn)
		options *probe.Options
		want    probe.Outcome
		is      error
	}{
		"nobody listens":      {target: closed, want: probe.OutcomeRefused, is: syscall.ECONNREFUSED},
		"no route":            {target: closed, options: failing(syscall.EHOSTUNREACH), want: probe.OutcomeUnreachable, is: syscall.EHOSTUNREACH},
		"proxy says no":       {target: closed, options: failing(errors.New("socks: denied")), want: probe.OutcomeUnreachable},
		"no descriptors":      {target: closed, options: failing(os.NewSyscallError("socket", syscall.EMFILE)), want: probe.OutcomeInternal},
		"dialer knows better": {target: closed, options: failing(&probe.Error{Op: "proxy", Outcome: probe.OutcomeForbidden}), want: probe.OutcomeForbidden},
		"dialer invents":      {target: closed, options: failing(&probe.Error{Op: "proxy", Outcome: "odd"}), want: probe.OutcomeInternal},
		"dialer returns nil":  {target: closed, options: failing(nil), want: probe.OutcomeInternal},
		"dialer panics": {target: closed, want: probe.OutcomeInternal, options: &probe.Options{
			Dial: func(context.Context, string, string) (net.Conn, error) { panic("dialer") }}},
		"gate knows better": {target: closed, want: probe.OutcomeForbidden, options: &probe.Options{
			Gate: func(context.Context, netip.AddrPort) error {
				return &probe.Error{Op: "gate", Outcome: probe.OutcomeForbidden}
			}}},
		"gate panics": {target: closed, want: probe.OutcomeInternal, options: &probe.Options{
			Gate: func(context.Context, netip.AddrPort) error { panic("gate") }}},
		"end of file": {serve: func(net.Conn) {}, want: probe.OutcomeClosed, is: io.EOF},
		"reset": {want: probe.OutcomeClosed, is: syscall.ECONNRESET, serve: func(c net.Conn) {
			_ = c.(*net.TCPConn).SetLinger(0)
		}},
		"silence":     {serve: hang, options: limits(probe.Limits{Idle: 50 * time.Millisecond}), want: probe.OutcomeTimeout},
		"no address":  {target: probe.Target{}, want: probe.OutcomeForbidden},
		"bad level":   {target: closed, options: &probe.Options{Level: 7}, want: probe.OutcomeForbidden},
		"bad network": {target: probe.Target{Network: "unix", Addr: closed.Addr}, want: probe.OutcomeForbidden},
		"multicast":   {target: mustTarget("224.0.0.1:21"), want: probe.OutcomeForbidden},
		"broadcast":   {target: mustTarget("255.255.255.255:21"), want: probe.OutcomeForbidden},
		"unspecified": {target: mustTarget("[::]:21"), want: probe.OutcomeForbidden},
		"with a zone": {target: mustTarget("[::%lo]:21"), want: probe.OutcomeForbidden},
		"port 0":      {target: mustTarget("127.0.0.1:0"), want: probe.OutcomeForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			leakFree(t)
			if tc.serve != nil {
				tc.target = serve(t, tc.serve)
			}
			r := probe.Run(t.Context(), script{talk: listen}, tc.target, tc.options)
			require.Equal(t, tc.want, r.Outcome, r.Err)
			require.Equal(t, tc.want, probe.OutcomeOf(r.Err))
			if tc.is != nil {
				require.ErrorIs(t, r.Err, tc.is)
			}
			var e *probe.Error
			require.ErrorAs(t, r.Err, &e)
			for _, o := range []probe.Outcome{
				probe.OutcomeRefused, probe.OutcomeUnreachable, probe.OutcomeInternal, probe.OutcomeClosed, probe.OutcomeTimeout,
				probe.OutcomeLimit, probe.OutcomeForbidden,
			} {
				require.Equal(t, o == tc.want, errors.Is(r.Err, o), o)
			}
		})
	}
}

func mustTarget(addr string) probe.Target {
	t, _ := probe.ParseTarget(addr)
	return t
}

func TestPanicKeepsEvidence(t *testing.T) {
	leakFree(t)
	target := serve(t, say("220 ready\r\n"))
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		require.NoError(t, err)
		line, err := c.ReadLine()
		require.NoError(t, err)
		e.Lines = append(e.Lines, string(line))
		var nothing []int
		_ = nothing[len(line)]
		return nil
	}}, target, nil)
	require.Equal(t, probe.OutcomeInternal, r.Outcome)
	var p *probe.PanicError
	require.ErrorAs(t, r.Err, &p)
	require.Contains(t, string(p.Stack), "session_test.go")
	require.Equal(t, []string{"220 ready"}, r.Evidence.(*evidence).Lines)
	require.Equal(t, "220 ready\r\n", string(r.Transcript[1].Data))
}

// A typed nil is no evidence.
func TestNilEvidence(t *testing.T) {
	r := probe.Run(t.Context(), forgetful{}, mustTarget("127.0.0.1:1"), nil)
	require.NoError(t, r.Err)
	require.Nil(t, r.Evidence)
}

type forgetful struct{}

func (forgetful) Spec() probe.Spec { return probe.Spec{Protocol: "test"} }
func (forgetful) Probe(context.Context, *probe.Session) (probe.Evidence, error) {
	return (*evidence)(nil), nil
}

func TestImplicitTLS(t *testing.T) {
	target := mustTarget("127.0.0.1:990")
	ports := []probe.Port{{Network: probe.TCP, Number: 21}, {Network: probe.TCP, Number: 990, ImplicitTLS: true}}
	for name, tc := range map[string]struct {
		target probe.Target
		option probe.Fact
		want   bool
	}{
		"by the port":        {target: target, want: true},
		"by another port":    {target: mustTarget("127.0.0.1:21")},
		"by an unknown port": {target: mustTarget("127.0.0.1:2121")},
		"told so":            {target: mustTarget("127.0.0.1:2121"), option: probe.Yes, want: true},
		"told otherwise":     {target: target, option: probe.No},
	} {
		t.Run(name, func(t *testing.T) {
			asked := false
			probe.Run(t.Context(), script{ports: ports, talk: func(_ context.Context, s *probe.Session, _ *evidence) error {
				asked = true
				require.Equal(t, tc.want, s.ImplicitTLS())
				return nil
			}}, tc.target, &probe.Options{ImplicitTLS: tc.option})
			require.True(t, asked)
		})
	}
}

func TestRandIsRecorded(t *testing.T) {
	r := probe.Run(t.Context(), script{talk: func(_ context.Context, s *probe.Session, e *evidence) (err error) {
		e.Extra, err = s.RandomName(5)
		return err
	}}, mustTarget("127.0.0.1:1"), &probe.Options{Rand: strings.NewReader("\x00\x01\x19\x1a\xff")})
	require.NoError(t, r.Err)
	require.Equal(t, "abzav", r.Evidence.(*evidence).Extra)
	require.Len(t, r.Transcript, 1)
	require.Equal(t, probe.Event{At: r.Transcript[0].At, Dir: probe.DirRand, Data: []byte("\x00\x01\x19\x1a\xff")}, r.Transcript[0])

	r = probe.Run(t.Context(), script{talk: func(_ context.Context, s *probe.Session, e *evidence) (err error) {
		_, err = s.RandomName(5)
		return err
	}}, mustTarget("127.0.0.1:1"), &probe.Options{Rand: strings.NewReader("ab")})
	require.Equal(t, probe.OutcomeInternal, r.Outcome)
}
