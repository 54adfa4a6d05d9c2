package probe_test

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// deaf is a port that answers no call: as many are in its queue as it takes, and nobody accepts them.
func deaf(t *testing.T) probe.Target {
	socket := func() int {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
		require.NoError(t, err)
		t.Cleanup(func() { _ = syscall.Close(fd) })
		return fd
	}
	server := socket()
	require.NoError(t, syscall.Bind(server, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(server, 0))
	name, err := syscall.Getsockname(server)
	require.NoError(t, err)
	at := name.(*syscall.SockaddrInet4)
	for range 8 {
		if err := syscall.Connect(socket(), at); err != nil {
			require.ErrorIs(t, err, syscall.EINPROGRESS)
		}
	}
	return probe.Target{Network: probe.TCP, Addr: netip.AddrPortFrom(netip.AddrFrom4(at.Addr), uint16(at.Port))}
}

func TestDialTimeOfTheSystemsDialer(t *testing.T) {
	t.Parallel()
	target := deaf(t)
	for name, c := range map[string]struct {
		limits  probe.Limits
		outcome probe.Outcome
		says    string
	}{
		"dial":  {probe.Limits{Dial: 300 * time.Millisecond}, probe.OutcomeTimeout, "no connection within 300ms"},
		"total": {probe.Limits{Total: 300 * time.Millisecond}, probe.OutcomeTimeout, "not done within 300ms"},
	} {
		r := probe.Run(t.Context(), opens{}, target, &probe.Options{Limits: c.limits})
		require.Equal(t, c.outcome, r.Outcome, name)
		require.ErrorContains(t, r.Err, c.says, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	r := probe.Run(ctx, opens{}, target, &probe.Options{Limits: probe.Limits{Dial: time.Minute, Total: time.Minute}})
	require.Equal(t, probe.OutcomeCanceled, r.Outcome)
}

// opens is a prober that connects, and does no more.
type opens struct{}

func (opens) Spec() probe.Spec { return probe.Spec{Protocol: "opens"} }

func (opens) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	_, err := s.Open(ctx)
	return nil, err
}

// A call that a prober left behind ends with the probe, not when its time is up.
func TestCallLeftBehind(t *testing.T) {
	leakFree(t)
	target := deaf(t)
	ended := make(chan error, 1)
	var left context.Context
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
		left = ctx
		go func() {
			_, err := s.Open(ctx)
			ended <- err
		}()
		return nil
	}}, target, &probe.Options{Limits: probe.Limits{Dial: 2 * time.Minute, Total: 10 * time.Minute}})
	require.NoError(t, r.Err)
	require.ErrorIs(t, <-ended, probe.OutcomeCanceled)
	require.ErrorIs(t, left.Err(), context.Canceled)
	<-left.Done()
}

// A context that a prober made ends a call too, and nothing else of the session.
func TestCallOfANarrowerContext(t *testing.T) {
	t.Parallel()
	var alive error
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
		narrow, cancel := context.WithCancel(ctx)
		time.AfterFunc(100*time.Millisecond, cancel)
		_, err := s.Open(narrow)
		alive = ctx.Err()
		return err
	}}, deaf(t), &probe.Options{Limits: probe.Limits{Dial: time.Minute, Total: time.Minute}})
	require.Equal(t, probe.OutcomeCanceled, r.Outcome)
	require.NoError(t, alive)
}

func TestConnectByIPv6(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	at := l.Addr().(*net.TCPAddr).AddrPort()
	r := probe.Run(t.Context(), opens{}, probe.Target{Addr: at}, nil)
	require.NoError(t, r.Err)
	require.NoError(t, l.Close())
	r = probe.Run(t.Context(), opens{}, probe.Target{Addr: at}, nil)
	require.Equal(t, probe.OutcomeRefused, r.Outcome)
	require.EqualError(t, r.Err, "dial: connect: connection refused")
	zone := netip.AddrPortFrom(netip.MustParseAddr("fe80::1%none"), at.Port())
	r = probe.Run(t.Context(), opens{}, probe.Target{Addr: zone}, nil)
	require.NotEqual(t, probe.OutcomeOK, r.Outcome)
}
