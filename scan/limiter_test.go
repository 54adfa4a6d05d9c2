package scan_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// Two scans keep to one bound together, and to another once it is set.
func TestLimiterIsSharedAndSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := scan.NewLimiter(10)
		begun := time.Now()
		calls := make(chan time.Duration, 4096)
		dial := func(context.Context, string, string) (net.Conn, error) {
			calls <- time.Since(begun)
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}
		for range 2 {
			go func() {
				endpoints := scan.Endpoints(t.Context(), scan.Args([]string{"192.0.2.0/24:21"}), []probe.Prober{ftp.Prober{}}, &scan.EndpointOptions{NoDetection: true})
				for range scan.Run(t.Context(), endpoints, &scan.Options{Limiter: l, Probe: probe.Options{Dial: dial}}) {
				}
			}()
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.InDelta(t, 100, len(calls), 3)
		l.Set(20)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.InDelta(t, 300, len(calls), 6)
		l.Set(0)
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, calls, 512)
	})
}
