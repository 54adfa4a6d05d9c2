package fleet

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Scans share what little a server may store: each leaves room for others, and gives back what it doesn't need when it has ended. One
// that wants more than there is says so, and what is removed is gone.
func TestLittleRoom(t *testing.T) {
	config := filepath.Join(t.TempDir(), "nats.conf")
	require.NoError(t, os.WriteFile(config, []byte("jetstream {max_file_store: 1GB}"), 0o600))
	c := newCampOf(t, EngineOptions{Config: config})
	reserved := func() int64 {
		account, err := c.client.js.AccountInfo(t.Context())
		require.NoError(t, err)
		return int64(account.ReservedStore)
	}
	phase := func(s *Scan, want Phase) *Status {
		t.Helper()
		var st *Status
		require.Eventually(t, func() (ok bool) {
			var err error
			st, err = c.client.Status(t.Context(), s.ID)
			require.NoError(t, err)
			return st.Phase == want
		}, time.Minute, look)
		return st
	}

	first := phase(c.submit(small()), Running)
	require.Equal(t, int64(512<<20), first.Room)
	second := phase(c.submit(small()), Running)
	require.Equal(t, int64(256<<20), second.Room)
	third := phase(c.submit(small()), Running)
	require.Equal(t, int64(128<<20), third.Room)
	greedy := small()
	greedy.MaxBytes = 512 << 20
	require.Contains(t, phase(c.submit(greedy), Failed).Reason, "no room for 512 MB")

	require.NoError(t, c.client.Cancel(t.Context(), third.ID))
	c.worker(Worker{Dial: newNetwork(0).dial})
	path := filepath.Join(t.TempDir(), "results.jsonl")
	require.Equal(t, 1024, bytes.Count(c.gather(&first.Scan, path, true), []byte(`"outcome":"`)))
	once(t, 1024, c.collect(second.ID))
	require.Eventually(t, func() bool { return reserved() < 3*(MinMaxBytes+1<<20) }, time.Minute, look)

	running := phase(c.submit(small()), Running)
	require.ErrorContains(t, c.client.Remove(t.Context(), running.ID), "cancel it first")
	require.NoError(t, c.client.Cancel(t.Context(), running.ID))
	for _, s := range []string{first.ID, second.ID, third.ID, greedy.ID, running.ID} {
		require.NoError(t, c.client.Remove(t.Context(), s))
	}
	require.Zero(t, reserved())
	scans, err := c.client.Scans(t.Context())
	require.NoError(t, err)
	require.Empty(t, scans)

	again := small()
	again.ID = first.ID
	phase(c.submit(again), Running)
	out, err := OpenFile(again.ID, path, path+".state")
	require.NoError(t, err)
	require.ErrorContains(t, out.Whole(t.Context(), c.client, again, "test", false), "choose another file")
	require.NoError(t, out.Close())
}
