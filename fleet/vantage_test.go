package fleet

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Each endpoint is asked from each vantage, by workers of that label, and its results are of another endpoint each.
func TestVantages(t *testing.T) {
	c := newCamp(t)
	berlin, tokyo, nowhere := newNetwork(0), newNetwork(0), newNetwork(0)
	c.worker(Worker{Label: "berlin", Dial: berlin.dial})
	c.worker(Worker{Label: "tokyo", Dial: tokyo.dial})
	c.worker(Worker{Dial: nowhere.dial})
	s := small()
	s.Targets, s.Vantages, s.Shards = []string{"127.64.0.0/25:21"}, []string{"berlin", "tokyo"}, 2
	c.submit(s)

	path := filepath.Join(t.TempDir(), "out.jsonl")
	data := c.gather(s, path, true)
	require.Len(t, berlin.calls, 128)
	require.Len(t, tokyo.calls, 128)
	require.Empty(t, nowhere.calls)

	results := map[string]int{}
	vantages := map[string]string{}
	complete := 0
	for line := range bytes.Lines(data) {
		entry, err := finding.DecodeEntry(line)
		require.NoError(t, err)
		switch {
		case entry.Header != nil:
			vantages[entry.Header.Scan] = entry.Header.Vantage
		case entry.Footer != nil:
			require.True(t, entry.Footer.Complete)
			require.Equal(t, map[probe.Outcome]int64{probe.OutcomeOK: 8, probe.OutcomeRefused: 120}, entry.Footer.Outcomes)
			complete++
		default:
			results[entry.Scan]++
		}
	}
	require.Equal(t, map[string]string{s.ID + "-berlin": "berlin", s.ID + "-tokyo": "tokyo"}, vantages)
	require.Equal(t, map[string]int{s.ID + "-berlin": 128, s.ID + "-tokyo": 128}, results)
	require.Equal(t, 2, complete)

	require.Equal(t, string(data), string(c.gather(s, path, true)))
}
