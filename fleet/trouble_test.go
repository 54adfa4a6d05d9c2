package fleet

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// A shard with an endpoint that ends every worker is finished all the same, and the endpoint says what it did.
func TestPoison(t *testing.T) {
	c := newCamp(t)
	s := small()
	s.Targets, s.Shards = []string{"127.64.0.0/24:21"}, 1
	c.submit(s)
	network := newNetwork(0)
	deaths := make(chan *hand)
	start := func() {
		ready := make(chan *hand, 1)
		var once sync.Once
		ready <- c.worker(Worker{Dial: func(ctx context.Context, kind, address string) (net.Conn, error) {
			if address == "127.64.0.77:21" {
				once.Do(func() {
					h := <-ready
					h.nc.Close() // not a word more to the server
					deaths <- h
				})
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return network.dial(ctx, kind, address)
		}})
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for n := 1; ; n++ {
			select {
			case h := <-deaths:
				t.Logf("death %d", n)
				go h.leave()
				start()
			case <-ended:
				return
			}
		}
	}()
	start()
	h := new(heap)
	require.NoError(t, c.client.Collect(t.Context(), s.ID, "test", 0, h))
	once(t, 256, endpoints(t, h.lines))
	skipped := 0
	for _, line := range h.lines {
		if strings.Contains(line, "not asked: workers ended when they did") {
			skipped++
			require.Contains(t, line, `"addr":"127.64.0.77:21"`)
			require.Contains(t, line, `"outcome":"internal"`)
		}
	}
	require.Equal(t, 1, skipped)
}

// slowly is an outlet that takes its time.
type slowly struct{ heap }

func (s *slowly) Save(n uint64) error {
	time.Sleep(20 * time.Millisecond)
	return s.heap.Save(n)
}

// Of a scan whose results don't fit into its stream none is lost: workers wait for a slow collector.
func TestFullStreamAndSlowCollector(t *testing.T) {
	c := newCamp(t)
	s := small()
	s.Targets = []string{"127.64.0.0/21:21"}
	s.ID, s.Version, s.Phase, s.MaxBytes = "full", Version(), Submitted, 512<<10
	require.NoError(t, put(t.Context(), c.client.kv, s, 0))
	network := newNetwork(0)
	c.worker(Worker{Dial: network.dial})
	c.worker(Worker{Dial: network.dial})
	out := new(slowly)
	require.NoError(t, c.client.Collect(t.Context(), s.ID, "test", 0, out))
	once(t, 2048, endpoints(t, out.lines))
	total := 0
	for _, line := range out.lines {
		total += len(line)
	}
	require.Greater(t, total, 512<<10)
}

// A scan that comes later doesn't wait for the end of one that is long.
func TestTwoScansAtOnce(t *testing.T) {
	c := newCamp(t)
	network := newNetwork(5 * time.Millisecond)
	c.worker(Worker{Dial: network.dial})
	long := small()
	long.Targets, long.Shards = []string{"127.64.0.0/18:21"}, 256
	c.submit(long)
	short := c.submit(small())
	once(t, 1024, c.collect(short.ID))
	st, err := c.client.Status(t.Context(), long.ID)
	require.NoError(t, err)
	require.Equal(t, Running, st.Phase)
	require.NoError(t, c.client.Cancel(t.Context(), long.ID))
}

// A scan that one machine began goes on with many: what that machine had done isn't done again.
func TestGoesOnWithState(t *testing.T) {
	c := newCamp(t)
	s := small()
	s.Shards = 4
	const list = "127.64.2.0/24:21\n127.64.0.0/23:21\n127.64.3.0/24:21\n"
	s.Targets = nil
	j := listed(t, s, list)
	network := newNetwork(time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	journal := new(scan.Journal)
	found := map[string]int{}
	order := s.order(scan.Shard{Index: 2, Count: 4}, nil, journal)
	for r, err := range scan.Run(ctx, scan.Endpoints(ctx, j.lines(ctx), j.probers, order), s.scan(network.dial, nil, journal)) {
		require.NoError(t, err)
		if len(found) == 100 {
			cancel()
			continue
		}
		found[r.Target.Addr.String()]++
		journal.Done(r, 0)
	}
	state := journal.State()
	require.NoError(t, c.client.SubmitFrom(t.Context(), s, strings.NewReader(list), nil, []scan.State{state}))
	c.worker(Worker{Dial: network.dial})
	for addr, n := range c.collect(s.ID) {
		found[addr] += n
	}
	once(t, 1024, found)

	other := small()
	other.Shards = 8
	require.ErrorContains(t, c.client.SubmitFrom(t.Context(), other, nil, nil, []scan.State{state}), "it began with shard 2/4")
	other.Shards, other.Level = 4, probe.LevelGreeting
	other.Seed = 7
	require.ErrorContains(t, c.client.SubmitFrom(t.Context(), other, nil, nil, []scan.State{state}), "it began with seed 0")
}

// The footer of a cancelled scan counts the results that are in the file, those that workers had at that moment among them.
func TestCancelledScanIsWhole(t *testing.T) {
	c := newCamp(t)
	s := small()
	s.Targets = []string{"127.64.0.0/16:21"}
	c.submit(s)
	c.worker(Worker{Dial: newNetwork(5 * time.Millisecond).dial, Shards: 4})
	require.Eventually(t, func() bool {
		st, err := c.client.Status(t.Context(), s.ID)
		return err == nil && st.Total.Done > 0
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, c.client.Cancel(t.Context(), s.ID))
	is, err := c.client.Pick(t.Context(), []string{s.ID})
	require.NoError(t, err)
	lines := bytes.Split(bytes.TrimSpace(c.gather(is, filepath.Join(t.TempDir(), "out.jsonl"), false)), []byte("\n"))
	e, err := finding.DecodeEntry(lines[len(lines)-1])
	require.NoError(t, err)
	require.False(t, e.Footer.Complete)
	total := int64(0)
	for _, n := range e.Footer.Outcomes {
		total += n
	}
	require.EqualValues(t, len(lines)-2, total)
	st, err := c.client.Status(t.Context(), s.ID)
	require.NoError(t, err)
	require.Equal(t, total, st.Total.Done)
}
