package fleet

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// All workers together keep to a scan's rate, those that come later too.
func TestRateIsShared(t *testing.T) {
	c := newCamp(t)
	s := small()
	s.Rate = 200
	network := newNetwork(0)
	for range 3 {
		c.worker(Worker{Dial: network.dial})
	}
	begun := time.Now()
	c.submit(s)
	once(t, 1024, c.collect(s.ID))
	least := time.Duration(float64(1024-3*2) / s.Rate * float64(time.Second)) // each worker has two at once as it begins
	require.GreaterOrEqual(t, time.Since(begun), least)
}

// What is excluded while the scan runs isn't called any more, and isn't among the results.
func TestExclusionsGrow(t *testing.T) {
	c := newCamp(t)
	s := small()
	s.Targets, s.Shards, s.Concurrency = []string{"127.64.0.0/20:21"}, 8, 4
	c.submit(s)
	network := newNetwork(5 * time.Millisecond)
	c.worker(Worker{Dial: network.dial})
	calls := func() (n, excluded int) {
		network.mu.Lock()
		defer network.mu.Unlock()
		for address := range network.calls {
			if netip.MustParsePrefix("127.64.8.0/21").Contains(netip.MustParseAddrPort(address).Addr()) {
				excluded++
			}
		}
		return len(network.calls), excluded
	}
	require.Eventually(t, func() bool { n, _ := calls(); return n > 100 }, 20*time.Second, 5*time.Millisecond)
	require.ErrorContains(t, c.client.Exclude(t.Context(), s.ID, []string{"127.64.0.0/99"}), "not a range")
	require.NoError(t, c.client.Exclude(t.Context(), s.ID, []string{"127.64.8.0/21"}))
	c.worker(Worker{Dial: network.dial}) // knows it from the start
	seen := c.collect(s.ID)
	_, excluded := calls()
	require.Less(t, excluded, 2048)
	for address := range seen {
		_, called := network.calls[address]
		require.True(t, called, address)
	}
	require.GreaterOrEqual(t, len(seen), 2048)
	require.LessOrEqual(t, len(seen), 2048+excluded)
}

// Without a coordinator nothing is asked after two thirds of a lease; with another it goes on.
func TestCoordinatorIsNeeded(t *testing.T) {
	c := newCamp(t)
	s := small()
	s.Targets, s.Concurrency = []string{"127.64.0.0/20:21"}, 4
	c.submit(s)
	network := newNetwork(5 * time.Millisecond)
	c.worker(Worker{Dial: network.dial})
	calls := func() int {
		network.mu.Lock()
		defer network.mu.Unlock()
		return len(network.calls)
	}
	require.Eventually(t, func() bool { return calls() > 100 }, 20*time.Second, 5*time.Millisecond)
	c.dismiss()
	require.Eventually(t, func() bool { // it rests
		before := calls()
		time.Sleep(2 * s.Lease)
		return calls() == before
	}, 20*time.Second, time.Millisecond)
	require.Less(t, calls(), 4096)
	c.coordinate()
	once(t, 4096, c.collect(s.ID))
}

// A scan that is cancelled ends, and its results stay.
func TestCancel(t *testing.T) {
	c := newCamp(t)
	s := small()
	s.Targets, s.Concurrency = []string{"127.64.0.0/18:21"}, 4
	c.submit(s)
	network := newNetwork(5 * time.Millisecond)
	c.worker(Worker{Dial: network.dial})
	require.Eventually(t, func() bool {
		st, err := c.client.Status(t.Context(), s.ID)
		return err == nil && st.Total.Done > 0
	}, 20*time.Second, 50*time.Millisecond)
	require.NoError(t, c.client.Cancel(t.Context(), s.ID))
	require.ErrorContains(t, c.client.Cancel(t.Context(), s.ID), "is cancelled")
	require.NotEmpty(t, c.collect(s.ID))
}
