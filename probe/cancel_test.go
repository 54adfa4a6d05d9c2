package probe_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// promptly is the promise of Run. The best of a few tries is taken, since a busy machine says nothing about the code.
const promptly = 50 * time.Millisecond

func TestCancelReturnsPromptly(t *testing.T) {
	deaf := func(_ context.Context, _, _ string) (net.Conn, error) { // a dialer that heeds no context
		time.Sleep(300 * time.Millisecond)
		return nil, net.ErrClosed
	}
	listening := func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go hang(theirs)
		return ours, nil
	}
	starttls := func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		if err != nil {
			return err
		}
		e.TLS, err = c.StartTLS(ctx)
		return err
	}
	drip := func(c net.Conn) {
		for {
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	full := func(ctx context.Context, s *probe.Session, e *evidence) error { // a peer that doesn't read
		c, err := s.Open(ctx)
		if err != nil {
			return err
		}
		return c.Send([]byte("HELLO\r\n"))
	}
	for name, tc := range map[string]struct {
		serve func(net.Conn)
		dial  probe.DialFunc
		talk  func(context.Context, *probe.Session, *evidence) error
	}{
		"reading from a silent server":    {serve: hang, talk: listen},
		"reading from a dripping server":  {serve: drip, talk: listen},
		"in a TLS handshake":              {serve: hang, talk: starttls},
		"in a TLS handshake that drips":   {serve: func(c net.Conn) { _, _ = c.Write([]byte{22, 3, 3, 64, 0}); drip(c) }, talk: starttls},
		"dialling with a dialer of yours": {dial: deaf, talk: listen},
		"reading over a pipe":             {dial: listening, talk: listen},
		"writing":                         {dial: func(context.Context, string, string) (net.Conn, error) { c, _ := net.Pipe(); return c, nil }, talk: full},
	} {
		t.Run(name, func(t *testing.T) {
			leakFree(t)
			target := probe.Target{Addr: port(t)}
			if tc.serve != nil {
				target = serve(t, tc.serve)
			}
			best := time.Hour
			for try := 0; try < 20 && best > promptly; try++ {
				ctx, cancel := context.WithCancel(t.Context())
				var canceled time.Time
				timer := time.AfterFunc(30*time.Millisecond, func() {
					canceled = time.Now()
					cancel()
				})
				r := probe.Run(ctx, script{talk: tc.talk}, target, &probe.Options{Dial: tc.dial})
				timer.Stop()
				require.Equal(t, probe.OutcomeCanceled, r.Outcome, r.Err)
				require.ErrorIs(t, r.Err, context.Canceled)
				best = min(best, time.Since(canceled))
			}
			require.LessOrEqual(t, best, promptly)
		})
	}
}

func TestContextOfTheCaller(t *testing.T) {
	leakFree(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	r := probe.Run(ctx, script{talk: listen}, serve(t, hang), nil)
	require.Equal(t, probe.OutcomeTimeout, r.Outcome)
	require.ErrorIs(t, r.Err, context.DeadlineExceeded)
	require.NotErrorAs(t, r.Err, new(*probe.LimitError), "it was the caller's clock")

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	r = probe.Run(canceled, script{talk: listen}, serve(t, hang), nil)
	require.Equal(t, probe.OutcomeCanceled, r.Outcome)
}

// A context that the prober made, narrower than the session's, ends a handshake and not the session.
func TestNarrowContext(t *testing.T) {
	leakFree(t)
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		require.NoError(t, err)
		narrow, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, err = c.StartTLS(narrow)
		require.ErrorIs(t, err, probe.OutcomeCanceled)

		again, err := s.Open(ctx)
		require.NoError(t, err)
		require.NoError(t, again.Close())
		require.NoError(t, again.Close(), "closing twice is fine")
		_, err = again.ReadLine()
		require.ErrorIs(t, err, probe.OutcomeInternal)
		return nil
	}}, serve(t, hang), nil)
	require.NoError(t, r.Err)
}
