package main

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
)

func TestEnoughFiles(t *testing.T) {
	require.NoError(t, enoughFiles(16384, 0), "a system that doesn't say")
	require.NoError(t, enoughFiles(126, 1024))
	require.EqualError(t, enoughFiles(127, 1024), "--concurrency 127: this system lets a program have 1024 files open, "+
		"and each connection is one, of which a probe has up to 8: take 126 or less, or allow more, as with ulimit -n 1032")
	require.ErrorContains(t, enoughFiles(1, 10), "up to 8: allow more, as with ulimit -n 24")
}

// Slow endpoints take no more than what is left.
func TestSlowLane(t *testing.T) {
	for _, tc := range []struct {
		concurrency int
		most        uint64
		want        int
	}{{64, 0, 0}, {64, 1 << 20, 0}, {64, 1024, 62}, {126, 1024, -1}, {10, 1024, 80}, {1, 10, -1}} {
		require.Equal(t, tc.want, slowLane(tc.concurrency, tc.most), "%+v", tc)
	}
}

// No probe has more connections at once than the advice counts.
func TestTogether(t *testing.T) {
	most := 0
	for name, start := range map[string]func(context.Context) (*lab.Server, error){
		"ftp": lab.AnonymousFTP, "smtp": lab.CleartextMail, "nntp": lab.OpenNews, "rsync": lab.OpenRsync, "smb": lab.OpenFiles, "ssh": lab.PasswordSSH,
	} {
		server, err := start(t.Context())
		require.NoError(t, err)
		for _, p := range handclasp.Probers() {
			if p.Spec().Protocol != name {
				continue
			}
			c := new(counting)
			r := probe.Run(t.Context(), p, probe.Target{Addr: server.Addr}, &probe.Options{Level: probe.LevelAnonymous, Dial: c.dial})
			atOnce := c.atOnce() // a library may still be closing what is closed already
			require.Positive(t, atOnce, "%s: %v", name, r.Err)
			require.LessOrEqual(t, atOnce, connsEach, name)
			most = max(most, atOnce)
		}
		require.NoError(t, server.Close())
	}
	require.Greater(t, most, 1, "some are asked side by side")
}

// counting counts the connections that are open.
type counting struct {
	mu         sync.Mutex
	open, most int
}

func (c *counting) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open += n
	c.most = max(c.most, c.open)
}

func (c *counting) atOnce() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.most
}

func (c *counting) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.add(1)
	return &counted{Conn: conn, c: c}, nil
}

type counted struct {
	net.Conn
	c    *counting
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.c.add(-1) })
	return c.Conn.Close()
}
