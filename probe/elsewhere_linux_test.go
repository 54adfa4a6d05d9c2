package probe_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// What comes from another port or address than what was asked is no reply, and is kept, a few datagrams of it.
func TestElsewhere(t *testing.T) {
	leakFree(t)
	for name, local := range map[string]string{"another port": "127.0.0.1:0", "another address": "127.0.0.9:0"} {
		other, err := net.ListenPacket("udp", local)
		require.NoError(t, err)
		asked, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		go func() {
			b := make([]byte, 64)
			for {
				_, from, err := asked.ReadFrom(b)
				if err != nil {
					return
				}
				for range 5 {
					_, _ = other.WriteTo([]byte("right"), from)
				}
			}
		}()
		var heard []probe.Stray
		strays := 0
		talk := func(ctx context.Context, s *probe.Session, _ *evidence) error {
			c, err := s.Open(ctx)
			if err != nil {
				return err
			}
			_, strays, err = c.Exchange([]byte("HELLO\r\n"), func([]byte) bool { return true })
			heard = c.Elsewhere()
			return err
		}
		target := probe.Target{Network: probe.UDP, Addr: asked.LocalAddr().(*net.UDPAddr).AddrPort()}
		r := probe.Run(t.Context(), script{talk: talk}, target, limits(probe.Limits{Idle: 40 * time.Millisecond}))
		require.Equal(t, probe.OutcomeTimeout, r.Outcome, name)
		require.ErrorContains(t, r.Err, "silence for 120ms", "the waits for three replies")
		require.Zero(t, strays)
		require.Len(t, heard, 8)
		for _, s := range heard {
			require.Equal(t, probe.Stray{From: netip.MustParseAddrPort(other.LocalAddr().String()), Data: []byte("right")}, s)
		}
		events := 0
		for _, e := range r.Transcript {
			if e.Dir == probe.DirStray {
				events++
				require.Equal(t, other.LocalAddr().String(), e.Label)
			}
		}
		require.Equal(t, 8, events)
		_, _ = asked.Close(), other.Close()
	}
}
