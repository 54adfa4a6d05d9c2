package ssh_test

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/ssh"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:22")

// Evidence that a program made without an address to probe is nil, and tells nothing.
func TestNoEvidence(t *testing.T) {
	var none *ssh.Evidence
	require.Equal(t, "ssh", none.Protocol())
	require.Nil(t, none.Banners())
	r := probe.Run(t.Context(), ssh.Prober{}, probe.Target{}, nil)
	require.Equal(t, probe.OutcomeForbidden, r.Outcome)
}

// Lists that weren't learned are null, and stay so when they are stored again.
func TestEmptyEvidence(t *testing.T) {
	stored, err := json.Marshal(&probe.Result{Protocol: "ssh", Evidence: &probe.RawEvidence{Name: "ssh", JSON: []byte("{}")}})
	require.NoError(t, err)
	r, err := probe.Decode(stored, ssh.Prober{})
	require.NoError(t, err)
	text, err := json.Marshal(r.Evidence)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields))
	for _, list := range []string{"greeting_lines", "host_keys", "host_keys_missing", "auth_methods", "gex", "algorithms"} {
		require.Contains(t, fields, list)
		require.Nil(t, fields[list], list)
	}
}
