package scan_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// calls notes when which address is dialled; nobody answers.
type calls struct {
	mu  sync.Mutex
	at  []time.Time
	to  map[netip.Addr][]time.Time
	err func(call int) error // by address; nil refuses
}

func (c *calls) dial(_ context.Context, _, address string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.at = append(c.at, now)
	if c.to == nil {
		c.to = map[netip.Addr][]time.Time{}
	}
	host := netip.MustParseAddrPort(address).Addr()
	c.to[host] = append(c.to[host], now)
	if c.err != nil {
		return nil, c.err(len(c.to[host]))
	}
	return nil, syscall.ECONNREFUSED
}

// opens is a probe that makes n connections one after the other and takes a while.
func opens(n int, takes time.Duration) func(context.Context, *probe.Session) error {
	return func(ctx context.Context, s *probe.Session) (err error) {
		for range n {
			_, err = s.Open(ctx)
		}
		time.Sleep(takes)
		return err
	}
}

func consume(t *testing.T, ctx context.Context, target string, o *scan.Options, probe func(context.Context, *probe.Session) error) (all []scan.Result) {
	t.Helper()
	for r, err := range run(ctx, target, o, probe) {
		require.NoError(t, err)
		all = append(all, r)
	}
	return all
}

// busiest returns the most calls in any second.
func busiest(at []time.Time) (most int) {
	for i, first := range at {
		n := 0
		for _, t := range at[i:] {
			if t.Sub(first) < time.Second {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestRateCountsConnections(t *testing.T) {
	for _, connections := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			c := new(calls)
			start := time.Now()
			o := &scan.Options{Rate: 50, Probe: probe.Options{Dial: c.dial}}
			require.Len(t, consume(t, t.Context(), "10.0.0.0/24:21", o, opens(connections, 0)), 256)
			require.Len(t, c.at, 256*connections)
			require.InDelta(t, 256*connections/50, time.Since(start).Seconds(), 1)
			require.LessOrEqual(t, busiest(c.at), 51)
		})
	}
}

// What waits for its turn isn't on the clock of the probe: at one connection a second, nobody is called silent for it.
func TestWaitingIsNotSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(calls)
		for _, r := range consume(t, t.Context(), "10.0.0.0/25:21", &scan.Options{Rate: 1, Probe: probe.Options{Dial: c.dial}}, opens(2, 0)) {
			require.Equal(t, probe.OutcomeRefused, r.Outcome)
			require.Less(t, r.Elapsed, 3*time.Second)
		}
		require.Len(t, c.at, 256)
		require.GreaterOrEqual(t, c.at[255].Sub(c.at[0]), 250*time.Second)
	})
}

// A busy host holds up its own endpoints only.
func TestPerHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := map[netip.Addr]int{}, 0
		start := time.Now()
		visit := func(_ context.Context, s *probe.Session) error {
			a := s.Target().Addr.Addr()
			mu.Lock()
			now[a]++
			most = max(most, now[a])
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now[a]--
			mu.Unlock()
			return nil
		}
		n := 0
		inputs := scan.Args([]string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"})
		for range scan.Run(t.Context(), scan.Endpoints(t.Context(), inputs, probers(visit), inOrder), &scan.Options{PerHost: 2}) {
			n++
		}
		require.Equal(t, 36, n)
		require.Equal(t, 2, most)
		require.Equal(t, 5*time.Second, time.Since(start))
	})
}

// sockets counts connections that are open.
type sockets struct {
	mu                 sync.Mutex
	open, most, opened int
}

func (s *sockets) count(by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open += by
	s.most = max(s.most, s.open)
	s.opened += max(0, by)
}

func (s *sockets) dial(context.Context, string, string) (net.Conn, error) {
	s.count(1)
	near, far := net.Pipe()
	_ = far.Close()
	return &socket{Conn: near, close: sync.OnceFunc(func() { s.count(-1) })}, nil
}

type socket struct {
	net.Conn
	close func()
}

func (s *socket) Close() error {
	s.close()
	return s.Conn.Close()
}

// The bound is one of connections: a probe that asks several questions side by side has as many at once as there is room for.
func TestPerHostCountsConnections(t *testing.T) {
	for perHost := 1; perHost <= 12; perHost++ {
		synctest.Test(t, func(t *testing.T) {
			var all sockets
			var mu sync.Mutex
			asked := map[int]int{}
			visit := func(ctx context.Context, s *probe.Session) error {
				s.OpenEach(ctx, 6, func(i int, _ *probe.Conn, err error) {
					time.Sleep(time.Second)
					mu.Lock()
					defer mu.Unlock()
					asked[i]++
				})
				return nil
			}
			n := 0
			for r, err := range run(t.Context(), "192.0.2.7", &scan.Options{PerHost: perHost, Probe: probe.Options{Dial: all.dial}}, visit) {
				require.NoError(t, err)
				require.NoError(t, r.Err)
				n++
			}
			require.Equal(t, 9, n)
			require.Equal(t, 9*6, all.opened)
			for i := range 6 {
				require.Equal(t, 9, asked[i], "question %d", i)
			}
			require.Equal(t, perHost, all.most, "all places are used, and no more")
			require.Zero(t, all.open)
		})
	}
}

func TestRetries(t *testing.T) {
	quick := probe.Limits{Dial: time.Second}
	for name, test := range map[string]struct {
		err      func(call int) error
		limits   probe.Limits
		attempts int
		outcome  probe.Outcome
		takes    time.Duration
	}{
		"no is no":              {func(int) error { return syscall.ECONNREFUSED }, quick, 1, probe.OutcomeRefused, 0},
		"no way, then no":       {func(n int) error { return []error{syscall.EHOSTUNREACH, syscall.ECONNREFUSED}[n-1] }, quick, 2, probe.OutcomeRefused, time.Second},
		"never a way":           {func(int) error { return syscall.ENETUNREACH }, quick, 4, probe.OutcomeUnreachable, 7 * time.Second},
		"no descriptors":        {func(int) error { return syscall.EMFILE }, quick, 4, probe.OutcomeInternal, 7 * time.Second},
		"a fault of ours":       {func(int) error { return probe.Errorf("dial", probe.OutcomeInternal, "odd") }, quick, 1, probe.OutcomeInternal, 0},
		"hung up":               {func(int) error { return io.EOF }, quick, 4, probe.OutcomeClosed, 7 * time.Second},
		"silence after one SYN": {func(int) error { return context.DeadlineExceeded }, quick, 4, probe.OutcomeTimeout, 7 * time.Second},
		"silence after three":   {func(int) error { return context.DeadlineExceeded }, probe.Limits{}, 1, probe.OutcomeTimeout, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &calls{err: test.err}
				o := &scan.Options{Retries: 3, Probe: probe.Options{Dial: c.dial, Limits: test.limits}}
				start := time.Now()
				all := consume(t, t.Context(), "192.0.2.7:21", o, opens(1, 0))
				require.Len(t, all, 1)
				require.Equal(t, test.outcome, all[0].Outcome)
				require.Equal(t, test.attempts, all[0].Attempts)
				require.Len(t, c.at, test.attempts)
				require.Equal(t, test.takes, time.Since(start))
			})
		})
	}
	for want, o := range map[int]probe.Outcome{3: probe.OutcomeBusy, 1: probe.OutcomeDenied} {
		synctest.Test(t, func(t *testing.T) {
			all := consume(t, t.Context(), "192.0.2.7:21", &scan.Options{Retries: 2}, func(context.Context, *probe.Session) error {
				return probe.Errorf("greeting", o, "421")
			})
			require.Equal(t, want, all[0].Attempts, o)
		})
	}
	require.Equal(t, 1, consume(t, t.Context(), "192.0.2.7:21", nil, func(context.Context, *probe.Session) error {
		return probe.Errorf("read", probe.OutcomeClosed, "gone")
	})[0].Attempts, "none is the default")
}

// A retry that learns nothing doesn't undo what was learned before it.
func TestRetriesKeepWhatWasLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		visits := 0
		all := consume(t, t.Context(), "192.0.2.7:21", &scan.Options{Retries: 2}, func(_ context.Context, s *probe.Session) error {
			visits++
			busy := probe.Errorf("greeting", probe.OutcomeBusy, "421")
			if visits == 1 {
				s.Lost("/evidence/part", busy)
				return nil
			}
			return busy
		})
		require.Equal(t, 3, all[0].Attempts)
		require.Equal(t, []string{"/evidence/part"}, all[0].Partial)
	})
}

// Who said something before it hung up isn't asked again: it would be counted, and banned, for nothing.
func TestHeardIsNotRetried(t *testing.T) {
	server, visits := net.Pipe, 0
	dial := func(context.Context, string, string) (net.Conn, error) {
		visits++
		ours, theirs := server()
		go func() {
			_, _ = io.WriteString(theirs, "220 hi\r\n")
			_ = theirs.Close()
		}()
		return ours, nil
	}
	all := consume(t, t.Context(), "192.0.2.7:21", &scan.Options{Retries: 3, Probe: probe.Options{Dial: dial}}, func(ctx context.Context, s *probe.Session) error {
		c, err := s.Open(ctx)
		if err != nil {
			return err
		}
		_, _ = c.ReadLine()
		_, err = c.ReadLine()
		return err
	})
	require.Equal(t, probe.OutcomeClosed, all[0].Outcome)
	require.Equal(t, 1, visits)
}

// Retries don't hold up others, and an interrupt ends the waiting.
func TestRetriesWaitAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		c := &calls{err: func(int) error { return syscall.EHOSTUNREACH }}
		o := &scan.Options{Retries: 1, Concurrency: 1, Probe: probe.Options{Dial: c.dial}}
		require.Len(t, consume(t, ctx, "192.0.2.0/25:21", o, opens(1, 0)), 128)
		require.Len(t, c.at, 128)
	})
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(scan.Journal)
		j.SetTotal(1024)
		endpoints := scan.Endpoints(t.Context(), scan.Args([]string{"10.0.0.0/22:21"}), probers(opens(1, time.Second)), &scan.EndpointOptions{Journal: j})
		open := func(_ context.Context, _, address string) (net.Conn, error) {
			if netip.MustParseAddrPort(address).Addr().As4()[3]%2 == 0 {
				return nil, errors.New("no")
			}
			a, _ := net.Pipe()
			return a, nil
		}
		n := 0
		for r, err := range scan.Run(t.Context(), endpoints, &scan.Options{Journal: j, Probe: probe.Options{Dial: open}}) {
			require.NoError(t, err)
			j.Done(r, 2)
			if n++; n == 640 {
				synctest.Wait()
				p := j.Progress()
				require.EqualValues(t, 1024, p.Total)
				require.EqualValues(t, 640, p.Done)
				require.EqualValues(t, 1280, p.Findings)
				require.InDelta(t, 320, p.Open, 60)
				require.InDelta(t, 64, p.Rate, 20)
				require.InDelta(t, 6, p.Left.Seconds(), 2)
				require.LessOrEqual(t, p.InFlight, int64(2*64), "half of the calls are answered, and take a place each: how many of those that are made at once isn't known")
			}
		}
		p := j.Progress()
		require.EqualValues(t, 1024, p.Done)
		require.EqualValues(t, 512, p.Open)
		require.Zero(t, p.InFlight)
		require.Zero(t, p.Left)
		require.True(t, j.State().Finished)
	})
}

// A scan that is paced keeps to the order of its endpoints, so that the first host is done within a tenth of it, while none is
// called more often than it may be.
func TestFirstHostOfPacedScan(t *testing.T) {
	const spacing = 200 * time.Millisecond
	for name, o := range map[string]scan.Options{
		"paced":             {Rate: 100},
		"paced and spaced":  {Rate: 100, HostSpacing: spacing},
		"a few at once":     {Concurrency: 8},
		"paced, with tries": {Rate: 100, Retries: 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			seen, last := map[netip.Addr]int{}, map[netip.Addr]time.Time{}
			var mu sync.Mutex
			done, all := 0, 0
			start := time.Now()
			var first time.Duration
			for r, err := range run(t.Context(), "192.0.2.0/24", &o, func(_ context.Context, s *probe.Session) error {
				mu.Lock()
				addr := s.Target().Addr.Addr()
				before, again := last[addr]
				last[addr] = time.Now()
				mu.Unlock()
				if again && o.HostSpacing > 0 {
					require.GreaterOrEqual(t, time.Since(before), o.HostSpacing, name)
				}
				time.Sleep(50 * time.Millisecond)
				return nil
			}) {
				require.NoError(t, err)
				all++
				addr := r.Target.Addr.Addr()
				if seen[addr]++; seen[addr] == r.Endpoint.Endpoints && done == 0 {
					done, first = all, time.Since(start)
				}
			}
			require.Less(t, done, all/10, name)
			require.Less(t, first, time.Since(start)/10, name)
		})
	}
}
