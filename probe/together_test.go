package probe_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// each asks n connections at once and notes the answers by index.
func each(n int) func(context.Context, *probe.Session, *evidence) error {
	return func(ctx context.Context, s *probe.Session, e *evidence) error {
		e.Lines = make([]string, n)
		errs := make([]error, n)
		s.OpenEach(ctx, n, func(i int, c *probe.Conn, err error) {
			if err == nil {
				err = c.Send([]byte("HELLO\r\n"))
			}
			if err == nil {
				var line []byte
				line, err = c.ReadLine()
				e.Lines[i] = string(line)
			}
			errs[i] = err
		})
		return errors.Join(errs...)
	}
}

// Side by side means that none waits for another; a replay gives each connection what was its own, whichever of the
// equal ones dials first.
func TestOpenEach(t *testing.T) {
	leakFree(t)
	const n = 8
	arrived := make(chan int, n)
	all := make(chan struct{})
	target := serve(t, func(c net.Conn) {
		line, _ := bufio.NewReader(c).ReadString('\n')
		arrived <- len(line)
		if len(arrived) == n {
			close(all)
		}
		<-all
		fmt.Fprintf(c, "you are %s\r\n", c.RemoteAddr())
	})
	r := probe.Run(t.Context(), script{talk: each(n)}, target, nil)
	require.NoError(t, r.Err)
	said, ok := probe.As[*evidence](r)
	require.True(t, ok)
	for range 20 {
		again := probe.Run(t.Context(), script{talk: each(n)}, target, &probe.Options{Dial: replay.Dial(r.Transcript)})
		require.NoError(t, again.Err)
		require.Equal(t, said, again.Evidence)
	}
}

func TestOpenEachBeyondTheLimit(t *testing.T) {
	leakFree(t)
	target := serve(t, say("hi\r\n"))
	r := probe.Run(t.Context(), script{talk: each(5)}, target, limits(probe.Limits{Conns: 3}))
	require.ErrorIs(t, r.Err, probe.ErrLimit)
	require.Equal(t, []string{"hi", "hi", "hi", "", ""}, r.Evidence.(*evidence).Lines)
}

// A panic in one of the goroutines ends the probe and not the process, behind the others.
func TestOpenEachPanics(t *testing.T) {
	leakFree(t)
	target := serve(t, hang)
	ended := 0
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
		s.OpenEach(ctx, 2, func(i int, c *probe.Conn, _ error) {
			if i == 0 {
				panic("at the disco")
			}
			_, _ = c.ReadLine()
			ended++
		})
		return nil
	}}, target, limits(probe.Limits{Idle: 30 * time.Millisecond}))
	require.Equal(t, probe.OutcomeInternal, r.Outcome)
	var p *probe.PanicError
	require.ErrorAs(t, r.Err, &p)
	require.Equal(t, "at the disco", p.Value)
	require.Contains(t, string(p.Stack), "TestOpenEachPanics")
	require.Equal(t, 1, ended)
}
