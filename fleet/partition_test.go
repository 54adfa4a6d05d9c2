package fleet

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// A strait passes bytes on to a server until it is shut; then it keeps them, and connections stay as they are.
type strait struct {
	net.Listener
	shut atomic.Bool
}

func newStrait(t *testing.T, server string) *strait {
	u, err := url.Parse(server)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &strait{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", u.Host)
			if err != nil {
				return
			}
			t.Cleanup(func() { _, _ = a.Close(), b.Close() })
			go s.pass(a, b)
			go s.pass(b, a)
		}
	}()
	return s
}

func (s *strait) pass(to io.Writer, from io.Reader) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		for s.shut.Load() {
			time.Sleep(10 * time.Millisecond)
		}
		if _, err2 := to.Write(buffer[:n]); err != nil || err2 != nil {
			return
		}
	}
}

// A log of calls, by who made them.
type callers struct {
	network *network
	mu      sync.Mutex
	by      map[string][]string // address: workers, in order
}

func (l *callers) dial(who string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, kind, address string) (net.Conn, error) {
		l.mu.Lock()
		l.by[address] = append(l.by[address], who)
		l.mu.Unlock()
		return l.network.dial(ctx, kind, address)
	}
}

// A worker that is cut off from the server calls nobody once another has its shards, and what it found isn't lost or there twice.
func TestPartition(t *testing.T) {
	c := newCamp(t)
	s := small()
	s.Targets, s.Shards, s.Lease, s.Concurrency = []string{"127.64.0.0/20:21"}, 4, 3*time.Second, 4
	c.submit(s)
	log := &callers{network: newNetwork(10 * time.Millisecond), by: map[string][]string{}}
	strait := newStrait(t, c.engine.ClientURL())
	nc, err := nats.Connect("nats://"+strait.Addr().String(), nats.MaxReconnects(-1))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	ctx, cancel := context.WithCancel(t.Context())
	var cut sync.WaitGroup
	cut.Go(func() { _ = (&Worker{Name: "cut", Dial: log.dial("cut"), Tell: c.tell}).Run(ctx, nc) })
	defer cut.Wait()
	defer cancel()
	calls := func() int {
		log.mu.Lock()
		defer log.mu.Unlock()
		return len(log.by)
	}
	require.Eventually(t, func() bool { return calls() > 300 }, time.Minute, time.Millisecond)
	strait.shut.Store(true)
	c.worker(Worker{Name: "other", Dial: log.dial("other")})
	once(t, 4096, c.collect(s.ID))
	strait.shut.Store(false)

	log.mu.Lock()
	defer log.mu.Unlock()
	both := 0
	for address, by := range log.by {
		if by[0] == "cut" && by[len(by)-1] == "other" {
			both++
			continue
		}
		require.Equal(t, by[0], by[len(by)-1], address)
	}
	t.Logf("%d hosts were asked by both, one after the other", both)
}
