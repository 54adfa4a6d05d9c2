package nntp_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
)

// Evidence that a program made without an address to probe is nil, and tells nothing.
func TestNoEvidence(t *testing.T) {
	var none *nntp.Evidence
	require.Equal(t, "nntp", none.Protocol())
	require.Nil(t, none.TLSHandshake())
	require.Equal(t, probe.Unknown, none.STARTTLSInjection())
}

// Lists that weren't learned are null.
func TestEmptyEvidence(t *testing.T) {
	stored, err := json.Marshal(&probe.Result{Protocol: "nntp", Evidence: &probe.RawEvidence{Name: "nntp", JSON: []byte("{}")}})
	require.NoError(t, err)
	r, err := probe.Decode(stored, nntp.Prober{})
	require.NoError(t, err)
	text, err := json.Marshal(r.Evidence)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields))
	for _, list := range []string{
		"capabilities", "capabilities_after_mode_reader", "capabilities_after_tls", "auth_methods", "auth_methods_after_tls",
		"sasl_mechanisms", "sasl_mechanisms_after_tls",
	} {
		require.Contains(t, fields, list)
		require.Nil(t, fields[list], list)
	}
}

func TestBanners(t *testing.T) {
	var none *nntp.Evidence
	require.Empty(t, none.Banners())
	e := &nntp.Evidence{
		Greeting: &probe.Reply{Code: 200, Lines: []string{"hello"}}, Implementation: "X 1", ModeReader: &probe.Reply{Code: 201, Lines: []string{"reader"}},
	}
	require.Equal(t, []probe.Banner{
		{Kind: "nntp.banner", Source: "greeting", Text: "hello"}, {Kind: "nntp.implementation", Source: "implementation", Text: "X 1"},
		{Kind: "nntp.banner", Source: "mode_reader", Text: "reader"},
	}, e.Banners())
}
