package fleet

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// A world is a fleet that scans, by a clock of its own: workers, leases, shards, commits, shares of the rate and the scanning itself are
// the real ones; the server, the network and what endpoints say are simulated. Every second a worker is killed; others are told to
// stop, or are cut off from the server for a while.
type world struct {
	size
	scan    *Scan
	begun   time.Time
	over    chan struct{}
	running sync.WaitGroup

	mu          sync.Mutex
	random      *rand.Rand
	depot       depot
	coordinator *Coordinator
	living      []*process
	names       int

	fault      string // the first
	isOver     bool
	committed  []uint64 // a bit for each endpoint
	results    int
	hostsAt    []int32 // when they were called, in milliseconds
	netsAt     []int32
	calls      int
	thisSecond time.Duration
	inSecond   int
	tally      struct{ killed, stopped, cut, restarted int }
}

// Times between two calls of a host, and into a network.
const (
	hostSpacing = 500 * time.Millisecond
	netSpacing  = 40 * time.Millisecond
)

// A size is how large a world is.
type size struct {
	workers, shards, endpoints int
	rate                       int  // calls a second of each worker
	atOnce                     bool // without package scan's own scheduling, and networks without spacing
}

// perNetwork is how many hosts each /24 has.
func (z *size) perNetwork() int {
	if z.atOnce {
		return 256
	}
	return 16
}

func newWorld(seed uint64, z size, f flaw) *world {
	s := &Scan{
		ID: "simulated", Phase: Submitted, Lease: 10 * time.Second, Shards: z.shards,
		Options: Options{
			Level: probe.LevelGreeting, Ports: []uint16{21, 22, 25, 119, 445, 873}, NoDetection: true,
			PerHost: 4, HostSpacing: hostSpacing, Retries: 1,
		},
	}
	networks := (z.endpoints + z.perNetwork()*len(s.Ports) - 1) / (z.perNetwork() * len(s.Ports))
	if !z.atOnce {
		s.NetSpacing = netSpacing
		for n := range networks {
			s.Targets = append(s.Targets, fmt.Sprintf("%v-%d", address(256*n), z.perNetwork()-1))
		}
	} else {
		s.Targets = []string{fmt.Sprintf("%v-%v", address(0), address(256*networks-1))}
	}
	hosts := networks * 256
	s.Rate = float64(z.rate * z.workers)
	w := &world{
		size: z, scan: s, begun: time.Now(), over: make(chan struct{}),
		random: rand.New(rand.NewPCG(seed, 0)), depot: newDepot(s, f), coordinator: &Coordinator{live: map[string]*liveScan{}},
		committed: make([]uint64, (hosts*len(s.Ports)+63)/64), hostsAt: make([]int32, hosts), netsAt: make([]int32, networks),
	}
	w.coordinator.note(s)
	s.Phase = Running
	w.coordinator.note(s)
	return w
}

// expected is how many endpoints there are.
func (w *world) expected() int { return len(w.netsAt) * w.perNetwork() * len(w.scan.Ports) }

// wrong notes what mustn't be, and ends the world. w.mu is held.
func (w *world) wrong(format string, args ...any) {
	if w.fault == "" {
		w.fault = fmt.Sprintf(format, args...)
	}
	w.end()
}

func (w *world) end() {
	if !w.isOver {
		w.isOver = true
		close(w.over)
	}
}

// ended notes that a shard is finished.
func (w *world) ended() {
	if len(w.depot.done) == w.scan.Shards {
		w.end()
	}
}

// count checks that results are of endpoints that have none yet.
func (w *world) count(u unit, results lot) {
	for _, line := range slices.Concat(results.compared, results.others) {
		to, err := endpointOf(line)
		if err != nil {
			w.wrong("%v", err)
			return
		}
		host, port := w.number(to)
		n := host*len(w.scan.Ports) + port
		if w.committed[n/64]>>(n%64)&1 == 1 {
			w.wrong("%v has two results, the second in shard %d", to, u.shard)
			return
		}
		w.committed[n/64] |= 1 << (n % 64)
		w.results++
	}
}

// soon checks the time since something was called.
func (w *world) soon(by string, what any, at int32, last *int32, spacing time.Duration) {
	if *last > 0 && time.Duration(at-*last+1)*time.Millisecond < spacing {
		w.wrong("%s called %v %d ms after it was called", by, what, at-*last)
	}
	*last = max(at, 1)
}

// called checks the time since the host and its network were called, and the rate.
func (w *world) called(by string, to netip.AddrPort) {
	host, _ := w.number(to)
	now := time.Since(w.begun)
	at := int32(now / time.Millisecond)
	w.soon(by, to, at, &w.hostsAt[host], w.scan.HostSpacing)
	w.soon(by, "a network", at, &w.netsAt[host/256], w.scan.NetSpacing)
	if second := now.Truncate(time.Second); second != w.thisSecond {
		w.thisSecond, w.inSecond = second, 0
	}
	w.calls++
	w.inSecond++
	if most := w.scan.Rate*1.02 + float64(3*w.workers); float64(w.inSecond) > most { // a limiter lets a hundredth of a second's worth pass at once
		w.wrong("%d calls in a second: the rate is %v", w.inSecond, w.scan.Rate)
	}
}

// start has one more worker run, until it is told to stop.
func (w *world) start(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	w.mu.Lock()
	w.names++
	p := &process{world: w, name: fmt.Sprintf("worker-%d", w.names), stop: stop, died: make(chan struct{}), claimed: map[int]bool{}}
	w.living = append(w.living, p)
	w.mu.Unlock()
	j, err := prepare(ctx, nil, w.scan)
	if err != nil {
		return err
	}
	if w.atOnce {
		j.ask = p.askAtOnce
	}
	keeping, end := context.WithCancel(context.WithoutCancel(ctx))
	j.end = end
	s := &shift{Worker: Worker{Name: p.name, Dial: p.dial}, board: p}
	w.running.Go(func() { j.pact.keep(keeping, p.ask, p.name, 0) })
	w.running.Go(func() {
		defer j.close()
		for ctx.Err() == nil {
			var t ticket
			if j.pact.holds() {
				t, _ = p.offer(ctx, w.scan.ID, anywhere)
			}
			if t == nil {
				_ = sleep(ctx, idle)
				continue
			}
			_ = s.work(ctx, j, t) // whatever it is, it is to be made good
		}
	})
	return nil
}

// pick returns a worker that lives, which doesn't if it is to end.
func (w *world) pick(ends bool) *process {
	i := w.random.IntN(len(w.living))
	p := w.living[i]
	if ends {
		w.living[i] = w.living[len(w.living)-1]
		w.living = w.living[:len(w.living)-1]
	}
	return p
}

// kill ends a worker as SIGKILL does.
func (w *world) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.pick(true)
	p.dead = true
	close(p.died)
	p.stop()
	w.tally.killed++
}

// stop ends a worker as SIGTERM does.
func (w *world) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pick(true).stop()
	w.tally.stopped++
}

// separate cuts a worker off, for a moment or far beyond its lease.
func (w *world) separate() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pick(false).cut = time.Now().Add(time.Duration(w.random.Int64N(int64(4 * w.scan.Lease))))
	w.tally.cut++
}

// replace has another coordinator in place of one that was killed.
func (w *world) replace() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.coordinator = &Coordinator{live: map[string]*liveScan{}}
	w.coordinator.note(w.scan)
	w.tally.restarted++
}

// run scans until all is done, or something is wrong.
func (w *world) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer w.running.Wait()
	defer cancel()
	for range w.workers {
		require.NoError(t, w.start(ctx))
	}
	for second := 1; ; second++ {
		select {
		case <-w.over:
			return
		case <-time.After(time.Second):
		}
		w.kill()
		require.NoError(t, w.start(ctx))
		if second%3 == 0 {
			w.stop()
			require.NoError(t, w.start(ctx))
		}
		if second%2 == 0 {
			w.separate()
		}
		if second%97 == 0 {
			w.replace()
		}
		if second > 100_000 {
			w.mu.Lock()
			w.wrong("it isn't finished after %d seconds", second)
			w.mu.Unlock()
		}
	}
}

// simulate returns what was wrong, or nothing.
func simulate(t *testing.T, z size, f flaw) (fault string) {
	seed, _ := strconv.ParseUint(cmp.Or(os.Getenv("FLEET_SEED"), "1"), 10, 64)
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(seed, z, f)
		w.run(t)
		w.mu.Lock() // messages may still be under way
		defer w.mu.Unlock()
		if fault = w.fault; fault == "" && w.results != w.expected() {
			fault = fmt.Sprintf("%d results of %d endpoints", w.results, w.expected())
		}
		t.Logf("%d results of %d calls within %v: %d workers killed, %d stopped, %d cut off, %d coordinators killed, %d shards given up and tried again",
			w.results, w.calls, time.Since(w.begun), w.tally.killed, w.tally.stopped, w.tally.cut, w.tally.restarted, w.depot.buried)
	})
	return fault
}

// Whoever is killed, stopped or cut off at what time: each endpoint has one result, and no host is called too soon.
func TestSimulation(t *testing.T) {
	t.Parallel()
	require.Empty(t, simulate(t, size{workers: 40, shards: 80, endpoints: 12_000, rate: 40}, sound))
}

// The same of many endpoints: FLEET_SIMULATE=100000000 takes a while.
func TestSimulationOfMany(t *testing.T) {
	t.Parallel()
	z := size{workers: 40, shards: 80, endpoints: 60_000, rate: 100, atOnce: true}
	if many := os.Getenv("FLEET_SIMULATE"); many != "" {
		endpoints, err := strconv.Atoi(many)
		require.NoError(t, err)
		z = size{workers: 200, shards: shardsFor(int64(endpoints)), endpoints: endpoints, rate: 300, atOnce: true}
	}
	require.Empty(t, simulate(t, z, sound))
}

// A server that doesn't do what workers rely on is found out.
func TestFlawsAreFound(t *testing.T) {
	for f, want := range map[flaw]string{
		twice: "after it was called", unfenced: "has two results", forgetful: "has two results", unspaced: "after it was called",
	} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			fault := simulate(t, size{workers: 30, shards: 20, endpoints: 24_000, rate: 40}, f)
			t.Log(fault)
			require.Contains(t, fault, want)
		})
	}
}
