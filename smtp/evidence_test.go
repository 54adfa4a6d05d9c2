package smtp_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smtp"
)

// Evidence that a program made without an address to probe is nil, and tells nothing.
func TestNoEvidence(t *testing.T) {
	var none *smtp.Evidence
	require.Equal(t, "smtp", none.Protocol())
	require.Nil(t, none.TLSHandshake())
	require.Equal(t, probe.Unknown, none.STARTTLSInjection())
	require.Nil(t, none.NTLMChallenge())
	require.Equal(t, probe.Unknown, none.OffersTLS())
}

func TestOffersTLS(t *testing.T) {
	for _, c := range []struct {
		e    smtp.Evidence
		want probe.Fact
	}{
		{smtp.Evidence{ImplicitTLS: probe.Yes, STARTTLS: probe.No}, probe.Yes},
		{smtp.Evidence{ImplicitTLS: probe.No, STARTTLS: probe.Yes}, probe.Yes},
		{smtp.Evidence{ImplicitTLS: probe.No, STARTTLS: probe.No}, probe.No},
		{smtp.Evidence{ImplicitTLS: probe.No, STARTTLS: probe.No, STARTTLSStripped: probe.Yes}, probe.Unknown},
		{smtp.Evidence{ImplicitTLS: probe.No}, probe.Unknown},
	} {
		require.Equal(t, c.want, c.e.OffersTLS(), "%+v", c.e)
	}
}

// Lists that weren't learned are null.
func TestEmptyEvidence(t *testing.T) {
	stored, err := json.Marshal(&probe.Result{Protocol: "smtp", Evidence: &probe.RawEvidence{Name: "smtp", JSON: []byte("{}")}})
	require.NoError(t, err)
	r, err := probe.Decode(stored, smtp.Prober{})
	require.NoError(t, err)
	text, err := json.Marshal(r.Evidence)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields))
	for _, list := range []string{"extensions", "auth_mechanisms", "extensions_after_tls", "auth_mechanisms_after_tls"} {
		require.Contains(t, fields, list)
		require.Nil(t, fields[list], list)
	}
}

// Replies other than the greeting have their codes.
func TestBanners(t *testing.T) {
	var none *smtp.Evidence
	require.Empty(t, none.Banners())
	e := &smtp.Evidence{
		Greeting: &probe.Reply{Code: 220, Lines: []string{"mx", "ESMTP"}},
		EHLO:     &probe.Reply{Code: 250, Lines: []string{"hello", "SIZE", "8BITMIME"}},
		HELO:     &probe.Reply{Code: 502, Lines: []string{"no"}},
	}
	require.Equal(t, []probe.Banner{
		{Kind: "smtp.banner", Source: "greeting", Text: "mx\nESMTP"},
		{Kind: "smtp.ehlo", Source: "ehlo", Text: "250-hello\n250-SIZE\n250 8BITMIME"},
		{Kind: "smtp.ehlo", Source: "helo", Text: "502 no"},
		{Kind: "smtp.ehlo", Source: "ehlo_after_tls"},
		{Kind: "smtp.vrfy", Source: "vrfy_reply"},
	}, e.Banners())
}
