package scan_test

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// network is a simulated one: hosts below 250 never answer a call, the others do after a round trip, some ports by a refusal.
type network struct {
	calling, most atomic.Int64
	answered      atomic.Int64
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.most.Store(max(n.most.Load(), n.calling.Add(1)))
	defer n.calling.Add(-1)
	to := netip.MustParseAddrPort(address)
	if to.Addr().As4()[3] < 250 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	time.Sleep(30 * time.Millisecond)
	n.answered.Add(1)
	if to.Port()%2 == 0 {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	_ = far.Close()
	return near, nil
}

// A network in which hardly any host answers takes as long as a few calls that nobody answers, and no host that answers is missed.
func TestSilentNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		probers := handclasp.Probers()
		order := &scan.EndpointOptions{NoDetection: true}
		endpoints := scan.Endpoints(t.Context(), scan.Args([]string{"192.0.2.0/24"}), probers, order)
		start, open, answered, brief := time.Now(), map[netip.AddrPort]bool{}, 0, 0
		for r, err := range scan.Run(t.Context(), onlyTCP(endpoints), &scan.Options{Probe: probe.Options{Dial: n.dial}}) {
			require.NoError(t, err)
			host := r.Target.Addr.Addr().As4()[3]
			switch {
			case host < 250:
				require.Equal(t, probe.OutcomeTimeout, r.Outcome, "nobody answered: that is no refusal")
				if r.Elapsed < 5*time.Second {
					require.ErrorContains(t, r.Err, "no connection within 1.5s", "a shorter time is told")
					brief++
				}
			case r.Outcome == probe.OutcomeRefused:
				answered++
			default:
				answered++
				open[r.Target.Addr] = true
			}
		}
		took := time.Since(start)
		t.Log(took, n.most.Load(), "calls at most,", brief, "brief ones")
		require.Less(t, took, 20*time.Second)
		// Those that were given up may be counted beside those that are made next.
		require.LessOrEqual(t, n.most.Load(), int64(2*scan.DefaultDials+scan.DefaultConcurrency))
		require.Greater(t, brief, 1000)
		require.NotEmpty(t, open)
		want := 0
		for e, err := range onlyTCP(scan.Endpoints(t.Context(), scan.Args([]string{"192.0.2.250/31", "192.0.2.252/30"}), probers, order)) {
			require.NoError(t, err)
			want++
			if e.Target.Addr.Port()%2 == 1 {
				require.True(t, open[e.Target.Addr], "%v is missed", e.Target.Addr)
			}
		}
		require.Equal(t, want, answered)
	})
}

// Half of a network that drops what comes costs one dial time-out, and not half of the places.
func TestHalfSilent(t *testing.T) {
	talk := time.Second
	took := func(silent bool) (d time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			dial := func(ctx context.Context, _, address string) (net.Conn, error) {
				if host := netip.MustParseAddrPort(address).Addr().As4(); silent && host[3]%2 == 0 {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				time.Sleep(20 * time.Millisecond)
				near, far := net.Pipe()
				_ = far.Close()
				return near, nil
			}
			visit := func(ctx context.Context, s *probe.Session) error {
				if c, err := s.Open(ctx); err != nil {
					return err
				} else {
					_ = c.Close()
				}
				time.Sleep(talk)
				return nil
			}
			start := time.Now()
			hosts := "10.0.0.0/18:21" // of which half are silent
			if !silent {
				hosts = "10.0.0.0/19:21"
			}
			for range run(t.Context(), hosts, &scan.Options{Concurrency: 500, Probe: probe.Options{Dial: dial}}, visit) {
			}
			d = time.Since(start)
		})
		return d
	}
	full, half := took(false), took(true)
	t.Log(full, half)
	require.Less(t, half, full+full/5+5*time.Second)
}

func onlyTCP(endpoints func(func(scan.Endpoint, error) bool)) func(func(scan.Endpoint, error) bool) {
	return func(yield func(scan.Endpoint, error) bool) {
		for e, err := range endpoints {
			if err == nil && e.Target.Network == probe.UDP {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
