package smb_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/smb"
)

// Real servers, from public captures, say what Wireshark's dissectors read in them.
func TestCaptures(t *testing.T) {
	table, err := os.ReadFile("testdata/captures/facts.tsv")
	require.NoError(t, err)
	facts := map[string][][]string{}
	for line := range strings.Lines(string(table)) {
		if fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(fields) == 3 {
			facts[fields[0]] = append(facts[fields[0]], fields[1:])
		}
	}
	require.Len(t, facts, 19)
	probetest.ReplayAll(t, smb.Prober{}, "testdata/captures/*.txt", func(t *testing.T, name string, r *probe.Result) {
		require.NoError(t, r.Err)
		require.Empty(t, r.Partial)
		document, err := json.Marshal(r)
		require.NoError(t, err)
		rows := facts[strings.TrimSuffix(name, ".txt")]
		require.NotEmpty(t, rows)
		for _, row := range rows {
			value, err := finding.Resolve(document, row[0])
			require.NoError(t, err, row[0])
			require.JSONEq(t, row[1], string(value), row[0])
		}
	})
}
