package probe_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// Whoever speaks plaintext in place of TLS can be heard to the end, and isn't spoken to.
func TestPlain(t *testing.T) {
	leakFree(t)
	target := serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_, _ = io.WriteString(c, "-ERR ")
		time.Sleep(20 * time.Millisecond)
		_, _ = io.WriteString(c, "unknown command")
		_, _ = io.Copy(io.Discard, c)
	})
	var all string
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
		c, err := s.Open(ctx)
		require.NoError(t, err)
		seen, err := c.StartTLS(ctx)
		require.ErrorIs(t, err, probe.OutcomeTLS)
		require.True(t, c.Plain(seen))
		more, err := c.Peek(time.Second)
		require.NoError(t, err)
		all = string(seen.LeftoverPlaintext) + string(more)
		return c.Send([]byte("HELLO\r\n"))
	}}, target, nil)
	require.Equal(t, "-ERR unknown command", all)
	require.Equal(t, probe.OutcomeForbidden, r.Outcome)
}

// A handshake that failed otherwise leaves nothing to be heard.
func TestNotPlain(t *testing.T) {
	leakFree(t)
	target := serve(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) })
	probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
		c, err := s.Open(ctx)
		require.NoError(t, err)
		seen, _ := c.StartTLS(ctx)
		require.False(t, c.Plain(seen))
		return nil
	}}, target, nil)
}

// Patience below Limits.Idle ends a read earlier, and says so.
func TestSetPatience(t *testing.T) {
	leakFree(t)
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
		c, err := s.Open(ctx)
		require.NoError(t, err)
		c.SetPatience(20 * time.Millisecond)
		_, err = c.Read(make([]byte, 1))
		return err
	}}, serve(t, hang), nil)
	require.Equal(t, probe.OutcomeTimeout, r.Outcome)
	require.ErrorContains(t, r.Err, "silence for 20ms")
}
