package probe_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"math"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

func TestEffectiveLimits(t *testing.T) {
	def := probe.Limits{}.Effective()
	require.Equal(t, def, probe.Limits{Total: -1, Dial: -1, Idle: -1, BytesIn: -1, BytesOut: -1, LineLength: -1, ReplyLines: -1, Conns: -1}.Effective())
	require.Equal(t, time.Minute, def.Total)
	require.Equal(t, int64(256<<10), def.BytesIn)

	const huge = math.MaxInt64
	ceiling := probe.Limits{Total: huge, Dial: huge, Idle: huge, BytesIn: huge, BytesOut: huge, LineLength: huge, ReplyLines: huge, Conns: huge}.Effective()
	require.Equal(t, probe.Limits{
		Total: 30 * time.Minute, Dial: 2 * time.Minute, Idle: 10 * time.Minute,
		BytesIn: 64 << 20, BytesOut: 1 << 20, LineLength: 1 << 20, ReplyLines: 1 << 16, Conns: 256,
	}, ceiling)

	own := probe.Limits{Total: 1, Dial: 2, Idle: 3, BytesIn: 4, BytesOut: 5, LineLength: 6, ReplyLines: 7, Conns: 8}
	require.Equal(t, own, own.Effective())
}

// Each limit ends the probe with the outcome that its documentation names, and keeps what came before.
func TestLimitsReached(t *testing.T) {
	flood := func(line string) func(net.Conn) {
		return func(c net.Conn) {
			for chunk := bytes.Repeat([]byte(line), 1000); ; {
				if _, err := c.Write(chunk); err != nil {
					return
				}
			}
		}
	}
	drip := func(c net.Conn) {
		for {
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	open := func(n int) func(context.Context, *probe.Session, *evidence) error {
		return func(ctx context.Context, s *probe.Session, e *evidence) error {
			for range n {
				c, err := s.Open(ctx)
				if err != nil {
					return err
				}
				line, _ := c.ReadLine()
				e.Lines = append(e.Lines, string(line))
				_ = c.Close()
			}
			return nil
		}
	}
	for name, tc := range map[string]struct {
		limits probe.Limits
		serve  func(net.Conn)
		talk   func(context.Context, *probe.Session, *evidence) error
		want   probe.Outcome
		lines  int // of evidence kept, at least
	}{
		"Idle":       {limits: probe.Limits{Idle: 50 * time.Millisecond}, serve: say("one\nrest"), talk: listen, want: probe.OutcomeTimeout, lines: 2},
		"Total":      {limits: probe.Limits{Total: 100 * time.Millisecond}, serve: drip, talk: listen, want: probe.OutcomeLimit, lines: 1},
		"BytesIn":    {limits: probe.Limits{BytesIn: 4096}, serve: flood("line\r\n"), talk: listen, want: probe.OutcomeLimit, lines: 600},
		"BytesOut":   {limits: probe.Limits{BytesOut: 20}, serve: flood("line\r\n"), talk: hello(5), want: probe.OutcomeLimit, lines: 2},
		"LineLength": {limits: probe.Limits{LineLength: 100}, serve: say("short\n" + string(bytes.Repeat([]byte("x"), 500))), talk: listen, want: probe.OutcomeLimit, lines: 2},
		"Conns":      {limits: probe.Limits{Conns: 2}, serve: say("hi\n"), talk: open(3), want: probe.OutcomeLimit, lines: 2},
	} {
		t.Run(name, func(t *testing.T) {
			leakFree(t)
			r := probe.Run(t.Context(), script{talk: tc.talk}, serve(t, tc.serve), limits(tc.limits))
			require.Equal(t, tc.want, r.Outcome, r.Err)
			require.ErrorIs(t, r.Err, tc.want)
			var limit *probe.LimitError
			require.ErrorAs(t, r.Err, &limit)
			require.Equal(t, name, limit.Limit)
			require.GreaterOrEqual(t, len(r.Evidence.(*evidence).Lines), tc.lines)
			require.NotErrorIs(t, r.Err, probe.OutcomeClosed)
		})
	}
}

func TestBytesInIsExact(t *testing.T) {
	leakFree(t)
	r := probe.Run(t.Context(), script{talk: listen}, serve(t, say("0123456789")), limits(probe.Limits{BytesIn: 7}))
	require.Equal(t, probe.OutcomeLimit, r.Outcome)
	require.Equal(t, []string{"0123456"}, r.Evidence.(*evidence).Lines)
}

func TestLineEndings(t *testing.T) {
	leakFree(t)
	long := string(bytes.Repeat([]byte("y"), 12<<10)) // three times the first buffer
	r := probe.Run(t.Context(), script{talk: listen}, serve(t, func(c net.Conn) {
		_, _ = c.Write([]byte("crlf\r\nlf\nnul\x00\xff\r\n" + long + "\r\nrest"))
	}), nil)
	require.Equal(t, probe.OutcomeClosed, r.Outcome)
	require.Equal(t, []string{"crlf", "lf", "nul\x00\xff", long, "rest"}, r.Evidence.(*evidence).Lines)

	exact := string(bytes.Repeat([]byte("z"), 100))
	r = probe.Run(t.Context(), script{talk: listen}, serve(t, func(c net.Conn) { _, _ = c.Write([]byte(exact + "\r\n")) }),
		limits(probe.Limits{LineLength: 100}))
	require.Equal(t, probe.OutcomeClosed, r.Outcome, "a line of just the limit is no longer than it")
	require.Equal(t, []string{exact}, r.Evidence.(*evidence).Lines)

	// One byte more is too much, also of a line that is complete.
	r = probe.Run(t.Context(), script{talk: listen}, serve(t, func(c net.Conn) { _, _ = c.Write([]byte(exact + "!\r\nnext\r\n")) }),
		limits(probe.Limits{LineLength: 100}))
	require.Equal(t, probe.OutcomeLimit, r.Outcome)
	require.Equal(t, []string{exact}, r.Evidence.(*evidence).Lines)
}

// A datagram counts for its headers too, so that a flood of empty ones ends.
func TestDatagramsCost(t *testing.T) {
	leakFree(t)
	empty := make([]string, 20)
	target := answer(t, func(int, string) []string { return empty })
	strays := 0
	r := probe.Run(t.Context(), script{talk: exchange(&strays)}, target, limits(probe.Limits{BytesIn: 280, Idle: time.Second}))
	require.Equal(t, probe.OutcomeLimit, r.Outcome, r.Err)
	require.Equal(t, 10, strays)
}

// What TLS adds counts: the budget holds below it.
func TestBytesOutBelowTLS(t *testing.T) {
	leakFree(t)
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t, certificateOptions{})}}
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		require.NoError(t, err)
		e.TLS, err = c.StartTLS(ctx)
		return err
	}}, serve(t, secure("", cfg)), &probe.Options{Limits: probe.Limits{BytesOut: 64}, ImplicitTLS: probe.Yes})
	require.Equal(t, probe.OutcomeLimit, r.Outcome, r.Err)
	require.ErrorContains(t, r.Err, "64 bytes to send")
}

func TestDialTime(t *testing.T) {
	leakFree(t)
	hanging := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for _, l := range []probe.Limits{{Dial: 30 * time.Millisecond}, {Total: 30 * time.Millisecond}} {
		r := probe.Run(t.Context(), script{talk: listen}, mustTarget("127.0.0.1:9"), &probe.Options{Dial: hanging, Limits: l})
		require.Equal(t, probe.OutcomeTimeout, r.Outcome, r.Err)
		require.ErrorAs(t, r.Err, new(*probe.LimitError))
	}
}
