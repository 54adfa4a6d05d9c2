package lockstep_test

import (
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/internal/lockstep"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	_      net.Conn = (*lockstep.Conn)(nil)
	remote          = netip.MustParseAddrPort("192.0.2.7:445")
)

// The library writes a header and a body, and reads as much as it likes; the owner sees whole messages.
func TestTalk(t *testing.T) {
	c := lockstep.New(remote)
	require.Equal(t, remote.String(), c.RemoteAddr().String())
	done := make(chan string)
	go func() {
		for _, part := range []string{"he", "llo", "bye"} {
			_, _ = c.Write([]byte(part))
		}
		answer, _ := io.ReadAll(c)
		done <- string(answer)
	}()
	message := make([]byte, 5)
	require.NoError(t, c.Take(message))
	require.Equal(t, "hello", string(message))
	c.Put([]byte("ans"))
	c.Put([]byte("wer"))
	require.NoError(t, c.Take(message[:3]))
	require.Equal(t, "bye", string(message[:3]))
	require.NoError(t, c.Close())
	require.Equal(t, "answer", <-done)
}

// Closing wakes whoever waits.
func TestClose(t *testing.T) {
	c := lockstep.New(remote)
	read, taken := make(chan error), make(chan error)
	go func() {
		_, err := c.Read(make([]byte, 1))
		read <- err
	}()
	go func() { taken <- c.Take(make([]byte, 1)) }()
	require.NoError(t, c.Close())
	require.Equal(t, io.EOF, <-read)
	require.Equal(t, io.EOF, <-taken)
	_, err := c.Write([]byte("late"))
	require.ErrorIs(t, err, net.ErrClosed)
}

// What was written before the end can still be taken.
func TestTakeBehindTheEnd(t *testing.T) {
	c := lockstep.New(remote)
	_, err := c.Write([]byte("last"))
	require.NoError(t, err)
	require.NoError(t, c.Close())
	p := make([]byte, 4)
	require.NoError(t, c.Take(p))
	require.Equal(t, "last", string(p))
	require.Equal(t, io.EOF, c.Take(p))
}
