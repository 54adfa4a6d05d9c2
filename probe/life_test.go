package probe_test

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// What waits for the context of a probe, rather than for the server, hears of its end too, whichever it is.
func TestContextOfAProbe(t *testing.T) {
	const total = time.Minute
	for name, c := range map[string]struct {
		caller func(context.Context) (context.Context, context.CancelFunc)
		lasts  time.Duration
		err    error
	}{
		"total time": {context.WithCancel, total, context.DeadlineExceeded},
		"the caller's time": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, time.Second, context.DeadlineExceeded},
		"the caller's cancel": {cancelsAfter(time.Second), time.Second, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := c.caller(t.Context())
				defer cancel()
				began := time.Now()
				probe.Run(ctx, script{talk: func(ctx context.Context, _ *probe.Session, _ *evidence) error {
					due, ok := ctx.Deadline()
					require.True(t, ok)
					require.LessOrEqual(t, due, began.Add(total))
					require.NoError(t, ctx.Err())
					narrow, stop := context.WithCancel(ctx)
					defer stop()
					<-narrow.Done()
					require.ErrorIs(t, ctx.Err(), c.err)
					require.ErrorIs(t, narrow.Err(), c.err)
					require.Equal(t, c.lasts, time.Since(began))
					return nil
				}}, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:21")}, &probe.Options{Limits: probe.Limits{Total: total}})
			})
		})
	}
}

func cancelsAfter(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
	return func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(d, cancel)
		return ctx, cancel
	}
}
