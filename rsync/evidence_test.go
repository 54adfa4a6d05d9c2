package rsync_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/rsync"
)

// Evidence that a program made without an address to probe is nil, and tells nothing.
func TestNoEvidence(t *testing.T) {
	var none *rsync.Evidence
	require.Equal(t, "rsync", none.Protocol())
	require.Nil(t, none.TLSHandshake())
	require.Nil(t, none.Banners())
}

func TestBanners(t *testing.T) {
	e := &rsync.Evidence{Greeting: "@RSYNCD: 31.0", MOTD: "a storage device"}
	require.Equal(t, []probe.Banner{
		{Kind: "rsync.banner", Source: "greeting", Text: "@RSYNCD: 31.0"},
		{Kind: "rsync.motd", Source: "motd", Text: "a storage device"},
	}, e.Banners())
}

func TestPorts(t *testing.T) {
	want := []probe.Port{{Network: probe.TCP, Number: 873}, {Network: probe.TCP, Number: 874, ImplicitTLS: true}}
	require.Equal(t, want, rsync.Prober{}.Spec().Ports)
}

// Lists that weren't learned are null, and stay so when they are stored again.
func TestEmptyEvidence(t *testing.T) {
	stored, err := json.Marshal(&probe.Result{Protocol: "rsync", Evidence: &probe.RawEvidence{Name: "rsync", JSON: []byte("{}")}})
	require.NoError(t, err)
	r, err := probe.Decode(stored, rsync.Prober{})
	require.NoError(t, err)
	text, err := json.Marshal(r.Evidence)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields))
	for _, list := range []string{"digests", "modules"} {
		require.Contains(t, fields, list)
		require.Nil(t, fields[list], list)
	}
}

// The names are a contract: they are added to, never changed.
func TestJSON(t *testing.T) {
	_, e := rerun(t, plain, "handwritten-motd-glued")
	text, err := json.Marshal(e)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"greeting": "@RSYNCD: 31.0", "protocol_version": 31, "subprotocol": 0, "digests": [],
		"implicit_tls": "no", "tls": null, "motd": "row\there\nWelcome",
		"absent_reply": "@ERROR: Unknown module 'handclasp.abcdefghijklmnop'", "absent_access": "unknown",
		"listing": "yes", "error": "", "modules_truncated": false, "modules_unasked": 0, "malformed_rows": 0,
		"modules": [{"name": "pub", "comment": "for everybody", "listed": "yes", "access": "open", "reply": "@RSYNCD: OK"}]
	}`, string(text))
}
