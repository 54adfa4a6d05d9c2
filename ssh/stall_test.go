package ssh_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	xssh "golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/ssh"
)

// A stalling connection gives so many bytes, and then nothing.
type stalling struct {
	net.Conn
	mu      sync.Mutex
	left    int
	stalled func()
	given   int
}

func (c *stalling) Read(p []byte) (int, error) {
	c.mu.Lock()
	if c.left == 0 {
		c.mu.Unlock()
		c.stalled()
		return c.wait()
	}
	p = p[:min(len(p), c.left)]
	c.mu.Unlock()
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.left, c.given = c.left-n, c.given+n
	c.mu.Unlock()
	return n, err
}

// wait throws away what comes, until the connection is closed or its deadline is over.
func (c *stalling) wait() (int, error) {
	scrap := make([]byte, 1024)
	for {
		if _, err := c.Conn.Read(scrap); err != nil {
			return 0, err
		}
	}
}

// Wherever a server falls silent, the caller's end of patience is the end, and nothing stays behind.
func TestStalls(t *testing.T) {
	s := (&server{keys: []xssh.Signer{ed25519Key(t)}}).takeAll()
	target := serve(t, s)
	run := func(bytes int) (r *probe.Result, given int, took time.Duration) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var c *stalling
		var at time.Time
		r = probe.Run(ctx, ssh.Prober{}, target, &probe.Options{
			Level: probe.LevelAnonymous,
			Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				raw, err := new(net.Dialer).DialContext(ctx, network, addr)
				c = &stalling{Conn: raw, left: bytes, stalled: func() {
					at = time.Now()
					cancel()
				}}
				return c, err
			},
		})
		if !at.IsZero() {
			took = time.Since(at)
		}
		return r, c.given, took
	}
	r, all, _ := run(1 << 20)
	require.NoError(t, r.Err)
	for bytes := 0; bytes < all; bytes += 1 + all/40 {
		r, _, took := run(bytes)
		require.Equal(t, probe.OutcomeCanceled, r.Outcome, "after %d bytes of %d: %v", bytes, all, r.Err)
		require.Less(t, took, 5*time.Second, "after %d bytes", bytes)
	}
}
