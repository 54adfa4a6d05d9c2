package fleet

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// A network is simulated: it counts calls, and greets as an FTP server on some addresses.
type network struct {
	delay time.Duration

	mu    sync.Mutex
	calls map[string]int
}

func newNetwork(delay time.Duration) *network { return &network{delay: delay, calls: map[string]int{}} }

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	n.calls[address]++
	n.mu.Unlock()
	if err := sleep(ctx, n.delay); err != nil {
		return nil, err
	}
	if netip.MustParseAddrPort(address).Addr().As4()[3]%16 != 0 {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	client, server := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, server) }()
	go func() {
		_, _ = server.Write([]byte("220 hello\r\n"))
		time.Sleep(time.Millisecond)
		_ = server.Close()
	}()
	return client, nil
}

// A camp is a server and a coordinator in this process, and a client of them.
type camp struct {
	t      *testing.T
	engine *Engine
	client *Client
	ctx    context.Context

	dismiss func()
}

// gather goes on with a scan's results in a file, and returns what it holds then.
func (c *camp) gather(s *Scan, path string, follow bool) []byte {
	out, err := OpenFile(s.ID, path, path+".state")
	require.NoError(c.t, err)
	require.NoError(c.t, out.Whole(c.t.Context(), c.client, s, "test", follow))
	require.NoError(c.t, out.Close())
	data, err := os.ReadFile(path)
	require.NoError(c.t, err)
	return data
}

func newCamp(t *testing.T) *camp { return newCampOf(t, EngineOptions{}) }

func newCampOf(t *testing.T, e EngineOptions) *camp {
	e.Store, e.Listen = t.TempDir(), "127.0.0.1:0"
	engine, err := StartEngine(e)
	require.NoError(t, err)
	c := &camp{t: t, engine: engine}
	ctx, cancel := context.WithCancel(t.Context())
	c.ctx = ctx
	c.coordinate()
	t.Cleanup(func() {
		cancel()
		c.dismiss()
		engine.Close()
	})
	require.Eventually(t, func() bool {
		c.client, err = Open(ctx, c.connect())
		return err == nil
	}, time.Minute, 50*time.Millisecond)
	return c
}

// coordinate has a coordinator run, until dismiss.
func (c *camp) coordinate() {
	ctx, cancel := context.WithCancel(c.ctx)
	nc := c.connect()
	var running sync.WaitGroup
	running.Go(func() { _ = (&Coordinator{Tell: c.tell}).Run(ctx, nc) })
	c.dismiss = func() {
		cancel()
		running.Wait()
	}
}

func (c *camp) tell(line string) { c.t.Log(line) }

func (c *camp) connect() *nats.Conn {
	nc, err := nats.Connect(c.engine.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	require.NoError(c.t, err)
	c.t.Cleanup(nc.Close)
	return nc
}

// A hand is a worker that can be ended.
type hand struct {
	nc   *nats.Conn
	stop context.CancelFunc
	done sync.WaitGroup
}

func (c *camp) worker(w Worker) *hand {
	ctx, cancel := context.WithCancel(c.ctx)
	h := &hand{nc: c.connect(), stop: cancel}
	if w.Tell == nil {
		w.Tell = c.tell
	}
	h.done.Go(func() { _ = w.Run(ctx, h.nc) })
	c.t.Cleanup(h.leave)
	return h
}

// leave has a worker end as a signal does.
func (h *hand) leave() {
	h.stop()
	h.done.Wait()
}

// crash ends it without a word to the server.
func (h *hand) crash() {
	h.nc.Close()
	h.leave()
}

func (c *camp) submit(s *Scan) *Scan {
	require.NoError(c.t, c.client.Submit(c.ctx, s, nil, nil))
	return s
}

// heap collects results in memory.
type heap struct {
	lines    []string
	sequence uint64
}

func (h *heap) Add(line []byte, _ bool) error { h.lines = append(h.lines, string(line)); return nil }
func (h *heap) Save(n uint64) error           { h.sequence = n; return nil }

// collect returns the results of a scan by endpoint, when it is finished.
func (c *camp) collect(id string) map[string]int {
	h := new(heap)
	ctx, cancel := context.WithTimeout(c.ctx, 3*time.Minute)
	defer cancel()
	require.NoError(c.t, c.client.Collect(ctx, id, "test", 0, h))
	return endpoints(c.t, h.lines)
}

func endpoints(t *testing.T, lines []string) map[string]int {
	seen := map[string]int{}
	for _, line := range lines {
		var r struct {
			Target struct{ Addr string }
			Scan   string
		}
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		seen[r.Target.Addr]++
	}
	return seen
}

// once requires that each of n endpoints is there, and is there once.
func once(t *testing.T, n int, seen map[string]int) {
	t.Helper()
	require.Len(t, seen, n)
	for addr, times := range seen {
		require.Equal(t, 1, times, addr)
	}
}

// small is a scan of 1024 endpoints in 16 shards.
func small() *Scan {
	return &Scan{
		Targets: []string{"127.64.0.0/22:21"}, Lease: 3 * time.Second, Shards: 16,
		Options: Options{Level: probe.LevelGreeting, Only: []string{"ftp"}, NoDetection: true, Concurrency: 16},
	}
}

func TestScanBySeveralWorkers(t *testing.T) {
	c := newCamp(t)
	net := newNetwork(time.Millisecond)
	for range 3 {
		c.worker(Worker{Dial: net.dial})
	}
	s := c.submit(small())
	once(t, 1024, c.collect(s.ID))
	st, err := c.client.Status(t.Context(), s.ID)
	require.NoError(t, err)
	require.Equal(t, Finished, st.Phase)
	require.EqualValues(t, 1024, st.Total.Done)
	require.EqualValues(t, 64, st.Total.Open)
	require.Zero(t, st.Waiting)
	require.Empty(t, st.Dead)
}

// Of endpoints where nobody answered it may be enough to be counted.
func TestOpenAlone(t *testing.T) {
	c := newCamp(t)
	c.worker(Worker{Dial: newNetwork(0).dial})
	s := small()
	s.Open = true
	c.submit(s)
	once(t, 64, c.collect(s.ID))
	st, err := c.client.Status(t.Context(), s.ID)
	require.NoError(t, err)
	require.EqualValues(t, 1024, st.Total.Done)
	require.EqualValues(t, 960, st.Total.Outcomes[probe.OutcomeRefused])
}

// Workers that crash, and others that are told to stop, cost no endpoint and give none twice.
func TestWorkersComeAndGo(t *testing.T) {
	c := newCamp(t)
	net := newNetwork(5 * time.Millisecond)
	s := small()
	s.Targets = []string{"127.64.0.0/20:21"}
	c.submit(s)
	var hands []*hand
	for range 3 {
		hands = append(hands, c.worker(Worker{Dial: net.dial}))
	}
	for i := range 3 {
		time.Sleep(300 * time.Millisecond)
		if i == 1 {
			hands[i].leave()
		} else {
			hands[i].crash()
		}
		c.worker(Worker{Dial: net.dial})
	}
	once(t, 4096, c.collect(s.ID))
}

func TestOtherVersionsAreRefused(t *testing.T) {
	c := newCamp(t)
	told := make(chan string, 100)
	c.worker(Worker{Version: "v0.0.1", Tell: func(line string) { told <- line }})
	s := small()
	s.Version = "v0.0.2"
	c.submit(s)
	require.Equal(t, "the scan "+s.ID+" needs version v0.0.2, and this worker is v0.0.1: install that version", <-told)
}

// A worker waits for the scan that it is for, and says so once.
func TestWaitsForItsScan(t *testing.T) {
	c := newCamp(t)
	told := make(chan string, 100)
	c.worker(Worker{Scans: []string{"x"}, Dial: newNetwork(0).dial, Tell: func(line string) { told <- line }})
	require.Equal(t, `no scan is called "x" yet`, <-told)
	s := small()
	s.ID = "x"
	c.submit(s)
	once(t, 1024, c.collect(s.ID))
	for len(told) > 0 {
		require.NotContains(t, <-told, "no scan")
	}
}

func TestWhatCantBeSubmitted(t *testing.T) {
	c := newCamp(t)
	for want, change := range map[string]func(*Scan){
		"vantage \"a b\": 1 to 64":   func(s *Scan) { s.Vantages = []string{"a b"} },
		"a vantage can't be called":  func(s *Scan) { s.Vantages = []string{"any"} },
		"scan \"x.y\": 1 to 64":      func(s *Scan) { s.ID = "x.y" },
		"no protocol is called":      func(s *Scan) { s.Only = []string{"gopher"} },
		"no rule is called \"ft\"":   func(s *Scan) { s.Without = []string{"ftp", "ft"} },
		"host name":                  func(s *Scan) { s.Contact.Host = "a b" },
		"unknown profile \"gopher\"": func(s *Scan) { s.Profile = "gopher" },
		"a lease of 1ms":             func(s *Scan) { s.Lease = time.Millisecond },
		"70000 shards: there are 65": func(s *Scan) { s.Shards = 70000 },
	} {
		s := small()
		change(s)
		require.ErrorContains(t, c.client.Submit(t.Context(), s, nil, nil), want)
	}
	s := small()
	s.Targets = nil
	require.NoError(t, c.client.Submit(t.Context(), s, nil, strings.NewReader("192.0.2.0/33\n")))
	require.ErrorContains(t, c.client.Submit(t.Context(), s, nil, nil), "there is a scan "+s.ID+" already")
	require.Eventually(t, func() bool {
		st, err := c.client.Status(t.Context(), s.ID)
		return err == nil && st.Phase == Failed && strings.Contains(st.Reason, "what is to be left alone isn't known")
	}, time.Minute, 50*time.Millisecond)
}
