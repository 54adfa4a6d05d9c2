package smb

import (
	"context"
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/probe"
)

// Wherever a server falls silent, the caller's end of patience is the end, and nothing stays behind.
func TestAnonymousStalls(t *testing.T) {
	before := runtime.NumGoroutine()
	for answered := range 10 {
		server := serve(fakesmb.Visit{})
		ctx, cancel := context.WithCancel(t.Context())
		near, far := net.Pipe()
		go func() {
			for n := 0; ; n++ {
				var head [frameSize]byte
				if _, err := io.ReadFull(far, head[:]); err != nil {
					return
				}
				request := make([]byte, int(head[2])<<8|int(head[3]))
				if _, err := io.ReadFull(far, request); err != nil {
					return
				}
				if n < answered {
					_, _ = far.Write(server.stream(request))
					continue
				}
				cancel()
			}
		}()
		start := time.Now()
		r := probe.Run(ctx, visitor{"3.1.1"}, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:445")}, &probe.Options{
			Level: probe.LevelAnonymous,
			Dial:  func(context.Context, string, string) (net.Conn, error) { return near, nil },
		})
		if answered < 9 {
			require.Equal(t, probe.OutcomeCanceled, r.Outcome, "%d answers: %v", answered, r.Err)
		}
		require.Less(t, time.Since(start), 5*time.Second)
		cancel()
		_ = far.Close()
	}
	settle(t, before)
}

// A context that ends between the messages ends the session as well, and is no fault of the server's.
func TestAnonymousCanceledBetween(t *testing.T) {
	for answered := range 9 {
		server := serve(fakesmb.Visit{})
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		r := probe.Run(ctx, visitor{"3.1.1"}, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:445")}, &probe.Options{
			Level: probe.LevelAnonymous,
			Dial: func(context.Context, string, string) (net.Conn, error) {
				return &fakeConn{answer: func(request []byte) []byte {
					if n++; n > answered {
						cancel()
					}
					return server.stream(request)
				}}, nil
			},
		})
		require.Equal(t, probe.OutcomeCanceled, r.Outcome, "%d answers: %v", answered, r.Err)
		cancel()
	}
}
