package bench

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/selfsigned"
	"github.com/handclasp/handclasp/probe"
)

// Against a server that takes its time, a probe waits once for each command that it sends and once for each greeting, and
// for nothing else. The clock is a simulated one: what is counted are replies, however busy the machine is.
func TestRoundTrips(t *testing.T) {
	const delay = 50 * time.Millisecond
	cfg := &tls.Config{Certificates: []tls.Certificate{selfsigned.Certificate("slow.example")}}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var serving sync.WaitGroup
				dial := func(context.Context, string, string) (net.Conn, error) {
					here, there := net.Pipe()
					serving.Go(func() {
						defer there.Close()
						scripts[c.server].converse(there, cfg, delay)
					})
					return here, nil
				}
				target, err := probe.ParseTarget("192.0.2.7:21")
				require.NoError(t, err)
				options := c.options()
				options.Dial = dial
				start := time.Now()
				r := probe.Run(t.Context(), c.prober, target, options)
				took := time.Since(start)
				require.NoError(t, r.Err)
				serving.Wait()

				waits := 0
				for _, e := range r.Transcript {
					if e.Dir == probe.DirSend || e.Dir == probe.DirOpen {
						waits++
					}
				}
				require.Equal(t, time.Duration(waits)*delay, took.Truncate(delay), "%d commands and greetings", waits)
			})
		})
	}
}
