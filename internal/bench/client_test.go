package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// runClient holds the conversation of a case *total times, *inFlight at once, and prints its usage.
func runClient(kind string, args []string) error {
	c, target := cases[args[0]], args[1]
	t, err := probe.ParseTarget(target)
	if err != nil {
		return err
	}
	first := probe.Run(context.Background(), c.prober, t, c.options())
	if first.Err != nil {
		return first.Err
	}
	once := func() error { return probe.Run(context.Background(), c.prober, t, c.options()).Err }
	if kind == "bare" {
		plan := planOf(first.Transcript)
		once = func() error { return plan.hold(target) }
	}
	u, err := measure(once)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(u)
}

func measure(once func() error) (u usage, err error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	stop := make(chan struct{})
	sampled := make(chan uint64)
	go sampleLive(stop, sampled)

	var next, busy, most atomic.Int64
	var failed atomic.Pointer[error]
	var running sync.WaitGroup
	start := time.Now()
	for range *inFlight {
		running.Go(func() {
			for next.Add(1) <= int64(*total) {
				if n := busy.Add(1); n > most.Load() {
					most.Store(n)
				}
				if err := once(); err != nil {
					failed.Store(&err)
				}
				busy.Add(-1)
			}
		})
	}
	running.Wait()
	u.Wall = time.Since(start)
	close(stop)
	u.Live = <-sampled
	u.Busy = int(most.Load())
	runtime.ReadMemStats(&after)
	u.Mallocs, u.Bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	if e := failed.Load(); e != nil {
		return u, *e
	}
	return u, nil
}

// sampleLive sends the peak of heap objects and stacks.
func sampleLive(stop <-chan struct{}, peak chan<- uint64) {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	most := uint64(0)
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		metrics.Read(s)
		most = max(most, s[0].Value.Uint64()+s[1].Value.Uint64())
		select {
		case <-tick.C:
		case <-stop:
			tick.Stop()
			peak <- most
			return
		}
	}
}

// A plan is a conversation: what to send, how many lines to read, when to speak TLS.
type plan []step

type step struct {
	conn  int
	dir   probe.Dir
	data  []byte
	lines int
}

func planOf(t probe.Transcript) (p plan) {
	for _, e := range t {
		p = append(p, step{conn: e.Conn, dir: e.Dir, data: e.Data, lines: bytes.Count(e.Data, []byte("\n"))})
	}
	return p
}

// hold is the least Go that holds the conversation: net, bufio and crypto/tls, without time-outs, guard, transcript or evidence.
func (p plan) hold(addr string) error {
	type bare struct {
		net.Conn
		r *bufio.Reader
	}
	conns := make(map[int]*bare, 2)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for _, s := range p {
		c := conns[s.conn]
		switch s.dir {
		case probe.DirOpen:
			raw, err := net.Dial("tcp", addr)
			if err != nil {
				return err
			}
			conns[s.conn] = &bare{Conn: raw, r: bufio.NewReaderSize(raw, 1<<10)}
		case probe.DirSend:
			if _, err := c.Write(s.data); err != nil {
				return err
			}
		case probe.DirRecv:
			for range s.lines {
				if _, err := c.r.ReadSlice('\n'); err != nil {
					return fmt.Errorf("reading what answers %q: %w", s.data, err)
				}
			}
		case probe.DirTLS:
			t := tls.Client(c.Conn, bareTLS())
			if err := t.Handshake(); err != nil {
				return err
			}
			c.Conn = t
			c.r.Reset(t)
		}
	}
	return nil
}

// bareTLS offers the key exchanges that package probe does, which decide what a handshake costs, and else what crypto/tls does.
func bareTLS() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}}
}
