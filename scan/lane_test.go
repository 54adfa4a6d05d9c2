package scan_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// crowd counts probes, of which every tenth takes a minute while the others take a second.
type crowd struct {
	begun, now, most, healthy atomic.Int64
	drips                     func(host byte) bool
}

func (c *crowd) visit(ctx context.Context, s *probe.Session) error {
	c.begun.Add(1)
	c.most.Store(max(c.most.Load(), c.now.Add(1)))
	defer c.now.Add(-1)
	takes := time.Second
	if c.drips(s.Target().Addr.Addr().As4()[3]) {
		takes = time.Minute
	} else {
		c.healthy.Add(1)
	}
	select {
	case <-time.After(takes):
	case <-ctx.Done():
	}
	return ctx.Err()
}

func none(byte) bool       { return false }
func tenth(host byte) bool { return host%10 == 0 }
func everyone(byte) bool   { return true }

// served is how many servers were begun with in the minutes in which as many slow ones end as begin.
func served(t *testing.T, o scan.Options, drips func(byte) bool) (n int64) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := &crowd{drips: drips}
		go func() {
			time.Sleep(3 * time.Minute)
			n = -c.begun.Load()
			time.Sleep(5 * time.Minute)
			n += c.begun.Load()
			cancel()
		}()
		for range run(ctx, "10.0.0.0/12:21", &o, c.visit) {
		}
		require.LessOrEqual(t, c.most.Load(), int64(9*o.Concurrency))
	})
	return n
}

// A tenth of the servers that take sixty times as long costs less than a tenth of what is done in the same time.
func TestDrippingServersHoldNobodyUp(t *testing.T) {
	all := served(t, scan.Options{Concurrency: 16}, none)
	require.InDelta(t, 16*300, all, 16) // those that begin at the moment of the count
	require.Greater(t, served(t, scan.Options{Concurrency: 16}, tenth), all*9/10)
	require.Less(t, served(t, scan.Options{Concurrency: 16, SlowLane: -1}, tenth), all/5, "that is what they cost without")
}

// The slow lane is bounded, and so is what is in flight.
func TestSlowLaneIsBounded(t *testing.T) {
	for _, test := range []struct{ lane, most int64 }{{0, 9 * 16}, {5, 16 + 5}, {-1, 16}} {
		synctest.Test(t, func(t *testing.T) {
			c := &crowd{drips: everyone}
			j := new(scan.Journal)
			inFlight := int64(0)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				time.Sleep(59 * time.Second)
				synctest.Wait()
				inFlight = j.Progress().InFlight
				cancel()
			}()
			for range run(ctx, "10.0.0.0/16:21", &scan.Options{Concurrency: 16, SlowLane: int(test.lane), Journal: j}, c.visit) {
			}
			cancel()
			require.Equal(t, test.most, inFlight)
			require.Equal(t, test.most, c.most.Load())
		})
	}
	require.LessOrEqual(t, scan.DefaultConcurrency*9, scan.MaxConcurrency)
}

// A slow endpoint counts for its host.
func TestSlowLaneKeepsPerHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{drips: everyone}
		n := 0
		for range run(t.Context(), "192.0.2.7", &scan.Options{Concurrency: 1, PerHost: 2}, c.visit) {
			n++
		}
		require.Equal(t, 9, n)
		require.EqualValues(t, 2, c.most.Load())
	})
}

// Probes whose results nobody takes aren't slow: no others begin in their place.
func TestResultsThatWaitKeepTheirPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{drips: none}
		taken := int64(0)
		for range run(t.Context(), "10.0.0.0/22:21", &scan.Options{Concurrency: 16}, c.visit) {
			if taken++; taken == 100 {
				time.Sleep(time.Hour)
				synctest.Wait()
				require.LessOrEqual(t, c.begun.Load(), taken+16)
			}
		}
		require.EqualValues(t, 1024, taken)
	})
}
