package handclasp_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
)

// A rule that isn't asked, since the evidence is another protocol's or shows no TLS, wouldn't fire: on no recording, whether its
// evidence has its type or is stored JSON.
func TestRulesFireOnTheirProtocolAlone(t *testing.T) {
	rules := handclasp.Rules()
	whole := slices.Clone(rules)
	narrow := 0
	for i := range whole {
		if whole[i].Protocol != "" {
			narrow++
		}
		whole[i].Protocol = ""
	}
	require.NotZero(t, narrow)
	all, err := recordings()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	for _, f := range all {
		require.Equal(t, finding.Evaluate(f.record.Result, whole), finding.Evaluate(f.record.Result, rules), f.file)
		stored, err := json.Marshal(f.record)
		require.NoError(t, err)
		raw, err := finding.DecodeRecord(stored)
		require.NoError(t, err)
		require.Equal(t, finding.Evaluate(raw.Result, whole), finding.Evaluate(raw.Result, rules), f.file)
	}
}
