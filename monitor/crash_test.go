package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/monitor"
)

// The file is as it was, or as it is to be, and never in between.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.db")
	s, err := monitor.Open(path, options)
	require.NoError(t, err)
	require.NotEmpty(t, night(t, s, 0, at("open", "k")))
	s.Limit(t.Context(), 40) // pages
	many := make([]house, 2000)
	for i := range many {
		many[i] = at("open", "k", "oak")
		many[i].addr = fmt.Sprintf("10.0.%d.%d:7", i/250, i%250)
	}
	_, err = s.Apply(t.Context(), scan(1, many...), nil)
	require.ErrorContains(t, err, "full")
	s.Limit(t.Context(), 1<<30)
	require.Len(t, night(t, s, 1, many...), 2*len(many)+1, "once there is room")
	require.NoError(t, s.Close())
}

// TestKilled applies scans in a program that is killed at any moment; what it tells in the end is what an undisturbed one
// does.
func TestKilled(t *testing.T) {
	path := os.Getenv("MONITOR_KILLED")
	houses := func(n int) []house {
		many := make([]house, 300)
		for i := range many {
			many[i] = at("open", fmt.Sprint(n), "oak")
			many[i].addr = fmt.Sprintf("10.0.%d.%d:7", i/250, i%250)
		}
		return many
	}
	if path != "" {
		s, err := monitor.Open(path, options)
		require.NoError(t, err)
		for n := range 4 {
			_, err := s.Apply(t.Context(), scan(n, houses(n)...), nil)
			if err != nil && !errors.Is(err, monitor.ErrOlder) {
				t.Fatal(err)
			}
		}
		return
	}
	count := func(path string) map[string]int {
		s, err := monitor.Open(path, options)
		require.NoError(t, err)
		defer s.Close()
		kinds := map[string]int{}
		for e, err := range s.Events(t.Context(), 0) {
			require.NoError(t, err)
			kinds[e.Kind]++
		}
		return kinds
	}
	run := func(path string, kill time.Duration) {
		ctx, cancel := context.WithTimeout(t.Context(), kill)
		defer cancel()
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "MONITOR_KILLED="+path)
		_ = cmd.Run() // ends by the signal
	}
	dir := t.TempDir()
	quiet, killed := filepath.Join(dir, "quiet.db"), filepath.Join(dir, "killed.db")
	run(quiet, time.Minute)
	for i := range 8 {
		run(killed, time.Duration(20+i*35)*time.Millisecond)
	}
	run(killed, time.Minute)
	require.Equal(t, map[string]int{"new": 600, "fact": 900, "scan": 4}, count(quiet))
	require.Equal(t, count(quiet), count(killed))
}
