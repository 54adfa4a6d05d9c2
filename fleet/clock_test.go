package fleet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The clock of whoever submitted a scan may be ahead of the coordinator's.
func TestEndsNotBeforeItBegan(t *testing.T) {
	s := Scan{Submitted: time.Now().Add(time.Hour).UTC()}
	s.end(Finished)
	require.Equal(t, s.Submitted, s.Ended)
	s.Submitted = time.Now().Add(-time.Hour).UTC()
	s.end(Finished)
	require.WithinDuration(t, time.Now(), s.Ended, 30*time.Minute)
}

func TestServersClockIsSetBack(t *testing.T) {
	var o offers
	now := time.Now()
	for _, c := range []struct {
		after time.Duration
		back  bool
	}{{0, false}, {time.Second, false}, {-20 * time.Second, false}, {time.Hour, false}, {time.Minute, true}, {2 * time.Minute, false}} {
		require.Equal(t, c.back, o.see(now.Add(c.after), 30*time.Second), c.after)
	}
}

// Shards that a worker took with it are offered at once when the clock was set back, and each endpoint is asked once all the same.
func TestShardsAreOfferedAnew(t *testing.T) {
	c := newCamp(t)
	s := small()
	s.Lease = 10 * time.Minute // it runs out by no clock of this test
	c.submit(s)
	l := newLedger(c.client.nc, c.client.js)
	require.Eventually(t, func() bool {
		is, _, err := get(t.Context(), c.client.kv, s.ID)
		return err == nil && is.Phase == Running
	}, time.Minute, 10*time.Millisecond)
	var taken ticket
	for range s.Shards {
		var err error
		taken, err = l.offer(t.Context(), s.ID, anywhere)
		require.NoError(t, err)
		require.NotNil(t, taken)
	}
	none, err := l.offer(t.Context(), s.ID, anywhere)
	require.NoError(t, err)
	require.Nil(t, none)

	co := &Coordinator{js: c.client.js, kv: c.client.kv, live: map[string]*liveScan{}, Tell: c.tell}
	co.note(s)
	require.NoError(t, co.offerAnew(t.Context(), s, time.Now().Add(time.Hour)))
	none, err = l.offer(t.Context(), s.ID, anywhere)
	require.NoError(t, err)
	require.Nil(t, none)
	require.NoError(t, co.offerAnew(t.Context(), s, time.Now()))
	c.worker(Worker{Dial: newNetwork(0).dial})
	once(t, 1024, c.collect(s.ID))
	require.NoError(t, taken.renew()) // of a queue that isn't there any more
}
