package scan_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/scan"
)

// prompt is a machine that has the time for all.
func prompt() time.Duration { return 0 }

// A machine that has the time for all has as many under way as are wanted before long; one that is late has fewer, and never
// fewer than somebody has who wants no more; and once it is prompt again, all.
func TestPlacesFollowTheMachine(t *testing.T) {
	for _, test := range []struct {
		name  string
		queue func(since time.Duration) time.Duration
		most  int64 // in flight, of 1,000, some seconds later
	}{
		{"prompt", func(time.Duration) time.Duration { return time.Millisecond }, 1000},
		{"late", func(time.Duration) time.Duration { return 100 * time.Millisecond }, scan.DefaultConcurrency},
		{"late, and then prompt", func(since time.Duration) time.Duration {
			if since < 5*time.Second {
				return 100 * time.Millisecond
			}
			return 0
		}, 1000},
		{"prompt, and then late", func(since time.Duration) time.Duration {
			if since < 5*time.Second {
				return 0
			}
			return 100 * time.Millisecond
		}, scan.DefaultConcurrency},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &crowd{drips: none}
				start, inFlight := time.Now(), int64(0)
				o := scan.Queueing(scan.Options{Concurrency: 1000}, func() time.Duration { return test.queue(time.Since(start)) })
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					time.Sleep(8 * time.Second)
					c.most.Store(0)
					time.Sleep(3 * time.Second)
					inFlight = c.most.Load()
					cancel()
				}()
				for range run(ctx, "10.0.0.0/16:21", o, c.visit) {
				}
				require.Equal(t, test.most, inFlight)
			})
		})
	}
}
