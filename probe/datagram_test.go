package probe_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// answer runs a UDP server; reply gets the number of the datagram, counted from 1, and returns those to send.
func answer(t *testing.T, reply func(n int, query string) []string) probe.Target {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 2048)
		for n := 1; ; n++ {
			size, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			for _, text := range reply(n, string(b[:size])) {
				_, _ = c.WriteTo([]byte(text), from)
			}
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-done })
	return probe.Target{Network: probe.UDP, Addr: c.LocalAddr().(*net.UDPAddr).AddrPort()}
}

func exchange(strays *int) func(context.Context, *probe.Session, *evidence) error {
	return func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		if err != nil {
			return err
		}
		reply, n, err := c.Exchange([]byte("HELLO\r\n"), func(b []byte) bool { return string(b) == "right" })
		*strays = n
		e.Extra = string(reply)
		return err
	}
}

func TestExchange(t *testing.T) {
	quick := limits(probe.Limits{Idle: 50 * time.Millisecond})
	sends := func(r *probe.Result) (n int) {
		for _, e := range r.Transcript {
			if e.Dir == probe.DirSend {
				n++
			}
		}
		return n
	}
	for name, tc := range map[string]struct {
		reply   func(n int, query string) []string
		outcome probe.Outcome
		sends   int
		strays  int
	}{
		"at once":       {reply: func(int, string) []string { return []string{"right"} }, sends: 1},
		"behind strays": {reply: func(int, string) []string { return []string{"wrong", "", "right"} }, sends: 1, strays: 2},
		"sent again": {reply: func(n int, _ string) []string {
			if n < 3 {
				return nil
			}
			return []string{"right"}
		}, sends: 3},
		"never": {reply: func(int, string) []string { return []string{"wrong"} }, outcome: probe.OutcomeTimeout, sends: 3, strays: 3},
	} {
		t.Run(name, func(t *testing.T) {
			leakFree(t)
			strays := 0
			r := probe.Run(t.Context(), script{talk: exchange(&strays)}, answer(t, tc.reply), quick)
			if tc.outcome == "" {
				require.NoError(t, r.Err)
				require.Equal(t, "right", r.Evidence.(*evidence).Extra)
			} else {
				require.Equal(t, tc.outcome, r.Outcome, r.Err)
			}
			require.Equal(t, tc.sends, sends(r))
			require.Equal(t, tc.strays, strays)
		})
	}
}

func TestExchangeNobodyListens(t *testing.T) {
	leakFree(t)
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	target := probe.Target{Network: probe.UDP, Addr: c.LocalAddr().(*net.UDPAddr).AddrPort()}
	require.NoError(t, c.Close())
	strays := 0
	r := probe.Run(t.Context(), script{talk: exchange(&strays)}, target, nil)
	require.Equal(t, probe.OutcomeRefused, r.Outcome, r.Err)
}

func TestExchangeCanceled(t *testing.T) {
	leakFree(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	strays := 0
	r := probe.Run(ctx, script{talk: exchange(&strays)}, answer(t, func(int, string) []string { return nil }), nil)
	require.Equal(t, probe.OutcomeCanceled, r.Outcome, r.Err)
}
