package netbios_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/netbios"
	"github.com/handclasp/handclasp/probe"
)

// Lists that weren't learned are null, and stay so when they are stored again.
func TestEmptyEvidence(t *testing.T) {
	stored, err := json.Marshal(&probe.Result{Protocol: "netbios", Evidence: &probe.RawEvidence{Name: "netbios", JSON: []byte("{}")}})
	require.NoError(t, err)
	r, err := probe.Decode(stored, netbios.Prober{})
	require.NoError(t, err)
	text, err := json.Marshal(r.Evidence)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields))
	for _, list := range []string{"names", "addresses", "stray_replies"} {
		require.Contains(t, fields, list)
		require.Nil(t, fields[list], list)
	}
}
