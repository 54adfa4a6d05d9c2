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

func TestReadFull(t *testing.T) {
	leakFree(t)
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		require.NoError(t, err)
		b := make([]byte, 4)
		n, err := c.ReadFull(b)
		require.NoError(t, err)
		require.Equal(t, "0123", string(b[:n]))
		require.Equal(t, "45", string(c.Buffered()), "it came with the rest")
		n, err = c.Read(nil)
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = c.ReadFull(b)
		require.Equal(t, "45", string(b[:n]), "what came before the end")
		return err
	}}, serve(t, func(c net.Conn) { _, _ = c.Write([]byte("012345")) }), nil)
	require.ErrorIs(t, r.Err, io.EOF)
	require.Equal(t, probe.OutcomeClosed, r.Outcome)
}

// Third-party libraries see a net.Conn, whose every byte goes the same way.
func TestNetConn(t *testing.T) {
	leakFree(t)
	target := serve(t, say("hello\n"))
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		require.NoError(t, err)
		require.False(t, c.Secure())
		view := c.NetConn()
		require.Equal(t, target.Addr.String(), view.RemoteAddr().String())
		require.IsType(t, new(net.TCPAddr), view.LocalAddr())
		// The deadlines stay the session's.
		require.NoError(t, view.SetDeadline(time.Unix(1, 0)))
		require.NoError(t, view.SetReadDeadline(time.Unix(1, 0)))
		require.NoError(t, view.SetWriteDeadline(time.Unix(1, 0)))
		n, err := view.Write([]byte("HELLO\r\n"))
		require.NoError(t, err)
		require.Equal(t, 7, n)
		_, err = view.Write([]byte("QUIT\r\n"))
		require.ErrorIs(t, err, probe.OutcomeForbidden)
		b := make([]byte, 16)
		n, err = view.Read(b)
		require.NoError(t, err)
		require.Equal(t, "hello\n", string(b[:n]))
		require.NoError(t, view.Close())
		_, err = view.Read(b)
		require.ErrorIs(t, err, probe.OutcomeInternal)
		return nil
	}}, target, nil)
	require.NoError(t, r.Err)
	require.Len(t, r.Transcript, 3)
}

// They read in a goroutine of their own while they write in another, and end that by Close, which isn't what the server
// said.
func TestNetConnAtOnce(t *testing.T) {
	leakFree(t)
	r := probe.Run(t.Context(), script{talk: func(ctx context.Context, s *probe.Session, e *evidence) error {
		c, err := s.Open(ctx)
		require.NoError(t, err)
		view := c.NetConn()
		first, ended := make(chan string), make(chan error)
		go func() {
			b := make([]byte, 16)
			n, err := view.Read(b)
			first <- string(b[:n])
			if err == nil {
				_, err = view.Read(b)
			}
			ended <- err
		}()
		_, err = view.Write([]byte("HELLO\r\n"))
		require.NoError(t, err)
		require.Equal(t, "HELLO\r\n", <-first)
		require.NoError(t, view.Close())
		require.Error(t, <-ended)
		require.NoError(t, view.Close())
		_, err = view.Write([]byte("HELLO\r\n"))
		require.ErrorIs(t, err, net.ErrClosed)
		return nil
	}}, serve(t, func(c net.Conn) { _, _ = io.Copy(c, c) }), nil)
	require.NoError(t, r.Err)
	dirs := []probe.Dir{}
	for _, e := range r.Transcript {
		dirs = append(dirs, e.Dir)
	}
	require.Equal(t, []probe.Dir{probe.DirOpen, probe.DirSend, probe.DirRecv}, dirs)
}

func TestTrace(t *testing.T) {
	leakFree(t)
	first := make(chan struct{})
	target := serve(t, func(c net.Conn) {
		_, _ = c.Write([]byte("one "))
		<-first
		_, _ = c.Write([]byte("two\n"))
	})
	var seen probe.Transcript
	r := probe.Run(t.Context(), script{talk: listen}, target, &probe.Options{Trace: func(e probe.Event) {
		if seen = append(seen, e); len(seen) == 2 {
			close(first)
		}
	}})
	require.Len(t, r.Transcript, 3, "what was received is one event there")
	require.Equal(t, "one two\n", string(r.Transcript[1].Data))
	require.Len(t, seen, 4, "and each read is one here")
	require.Equal(t, "one ", string(seen[1].Data))
	require.Equal(t, "two\n", string(seen[2].Data))
	require.GreaterOrEqual(t, seen[2].At, seen[1].At)
	require.Equal(t, probe.Event{At: seen[3].At, Conn: 1, Dir: probe.DirEnd, Outcome: probe.OutcomeClosed}, seen[3])
}

func TestWords(t *testing.T) {
	for _, l := range []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous} {
		again, err := probe.ParseLevel(l.String())
		require.NoError(t, err)
		require.Equal(t, l, again)
	}
	_, err := probe.ParseLevel("loud")
	require.EqualError(t, err, `unknown level "loud": use greeting, handshake or anonymous`)
	require.Equal(t, "Level(9)", probe.Level(9).String())

	require.EqualError(t, &probe.LimitError{Limit: "Idle", Value: 15 * time.Second}, "silence for 15s (limit)")
	require.EqualError(t, &probe.LimitError{Limit: "Own", Value: 3}, "Own 3 (limit)")
	require.EqualError(t, &probe.PanicError{Value: "odd"}, "panic: odd")
	require.EqualError(t, &probe.Error{Op: "read", Outcome: probe.OutcomeClosed}, "read: closed by the server")

	named := mustTarget("192.0.2.7:21")
	require.Equal(t, "192.0.2.7:21", named.String())
	named.Name = "ftp.example"
	require.Equal(t, "ftp.example (192.0.2.7:21)", named.String())

	var none *probe.Reply
	require.Empty(t, none.Text())
	require.False(t, none.Is(220))
	reply := &probe.Reply{Code: 220, Lines: []string{"one", "two"}}
	require.Equal(t, "one\ntwo", reply.Text())
	require.True(t, reply.Is(120, 220))
	require.False(t, reply.Is(421))
}
