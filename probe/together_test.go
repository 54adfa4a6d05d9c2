package probe_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
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
	require.ErrorIs(t, r.Err, probe.OutcomeLimit)
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

// While a connection is read in a goroutine of its own, another can be talked on; what the goroutine waits for can be
// ended, without a word of it in the transcript.
func TestBeside(t *testing.T) {
	leakFree(t)
	data := serve(t, hang)
	run := func(f func(c *probe.Conn) error, end func(end func(bool) error) error) *probe.Result {
		control := serve(t, func(c net.Conn) {
			_, _ = bufio.NewReader(c).ReadString('\n')
			fmt.Fprint(c, "done\r\n")
		})
		return probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
			c, err := s.Open(ctx)
			require.NoError(t, err)
			second, err := s.OpenPort(ctx, data.Addr.Port())
			require.NoError(t, err)
			defer second.Close()
			wait := second.Beside(func() error { return f(second) })
			require.NoError(t, c.Send([]byte("HELLO\r\n")))
			line, err := c.ReadLine()
			require.NoError(t, err)
			e.Lines = append(e.Lines, string(line))
			return end(wait)
		}}, control, limits(probe.Limits{Total: 10 * time.Second}))
	}
	hangUp := func(end func(bool) error) error {
		err := end(true)
		require.ErrorIs(t, err, probe.OutcomeClosed)
		require.Equal(t, err, end(true))
		require.Equal(t, err, end(false))
		return nil
	}
	for name, f := range map[string]func(c *probe.Conn) error{
		"reading": func(c *probe.Conn) error { _, err := c.ReadLine(); return err },
		"a handshake": func(c *probe.Conn) error {
			_, err := c.StartTLS(t.Context())
			require.ErrorIs(t, err, probe.OutcomeTLS)
			return &probe.Error{Op: "tls", Outcome: probe.OutcomeClosed}
		},
	} {
		r := run(f, hangUp)
		require.NoError(t, r.Err, name)
		require.Equal(t, []string{"done"}, r.Evidence.(*evidence).Lines)
		for _, e := range r.Transcript {
			require.False(t, e.Conn == 2 && e.Dir != probe.DirOpen, "%s: %+v", name, e)
		}
	}

	r := run(func(*probe.Conn) error { return errors.New("over") }, func(end func(bool) error) error { return end(false) })
	require.ErrorContains(t, r.Err, "over")
	r = run(func(*probe.Conn) error { panic("in a goroutine") }, func(end func(bool) error) error { return end(false) })
	require.Equal(t, probe.OutcomeInternal, r.Outcome)
	require.ErrorContains(t, r.Err, "in a goroutine")
	require.Equal(t, []string{"done"}, r.Evidence.(*evidence).Lines)
	r = run(func(*probe.Conn) error { runtime.Goexit(); return nil }, func(end func(bool) error) error { return end(false) })
	require.Equal(t, probe.OutcomeInternal, r.Outcome)
}

// brittle is a connection that ends whoever reads it.
type brittle struct {
	net.Conn
	end func()
}

func (b brittle) Read([]byte) (int, error) {
	b.end()
	return 0, io.EOF
}

// A handshake has a goroutine of its own, whose end is the probe's and not the program's.
func TestHandshakeThatEndsItsGoroutine(t *testing.T) {
	leakFree(t)
	for name, end := range map[string]func(){"by a panic": func() { panic("brittle") }, "by itself": runtime.Goexit} {
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, address)
			return brittle{c, end}, err
		}
		r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
			c, err := s.Open(ctx)
			require.NoError(t, err)
			e.TLS, err = c.StartTLS(ctx)
			return err
		}}, serve(t, hang), &probe.Options{Dial: dial, ImplicitTLS: probe.Yes})
		require.Equal(t, probe.OutcomeInternal, r.Outcome, "%s: %v", name, r.Err)
	}
}
