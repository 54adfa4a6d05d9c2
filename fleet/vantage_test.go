package fleet

import (
	"bytes"
	"context"
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
)

// Each endpoint is asked from each vantage, by workers of that label, and its results are of another endpoint each.
func TestVantages(t *testing.T) {
	c := newCamp(t)
	berlin, tokyo, nowhere := newNetwork(0), newNetwork(0), newNetwork(0)
	c.worker(Worker{Label: "berlin", Dial: berlin.dial})
	const walled = "127.64.0.16:21" // for those who come from tokyo
	c.worker(Worker{Label: "tokyo", Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := tokyo.dial(ctx, network, address)
		if err == nil && address == walled {
			return nil, errors.Join(syscall.ECONNREFUSED, conn.Close())
		}
		return conn, err
	}})
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
	complete := map[int64]int{}
	views := report.NewVantages()
	for line := range bytes.Lines(data) {
		entry, err := finding.DecodeEntry(line, Readers()...)
		require.NoError(t, err)
		views.Learn(entry)
		switch {
		case entry.Header != nil:
			vantages[entry.Header.Scan] = entry.Header.Vantage
		case entry.Footer != nil:
			require.True(t, entry.Footer.Complete)
			answered := entry.Footer.Outcomes[probe.OutcomeOK]
			require.EqualValues(t, 128, answered+entry.Footer.Outcomes[probe.OutcomeRefused])
			complete[answered]++
		default:
			results[entry.Scan]++
		}
	}
	require.Equal(t, map[string]string{s.ID + "-berlin": "berlin", s.ID + "-tokyo": "tokyo"}, vantages)
	require.Equal(t, map[string]int{s.ID + "-berlin": 128, s.ID + "-tokyo": 128}, results)
	require.Equal(t, map[int64]int{8: 1, 7: 1}, complete)

	for line := range bytes.Lines(data) {
		entry, err := finding.DecodeEntry(line, Readers()...)
		require.NoError(t, err)
		views.Collect(entry)
	}
	disputed := views.Disagreements()
	require.Len(t, disputed, 1)
	require.Equal(t, walled, disputed[0].Addr)
	require.Equal(t, "berlin", disputed[0].Views[0].Vantage)
	require.Equal(t, report.Answered, disputed[0].Views[0].State)
	require.Contains(t, disputed[0].Views[0].Findings, "ftp.exposed")
	require.Equal(t, report.View{Vantage: "tokyo", State: report.Refused, Findings: []string{}}, disputed[0].Views[1])

	require.Equal(t, string(data), string(c.gather(s, path, true)))
}
