package ftp

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

func TestBanners(t *testing.T) {
	var none *Evidence
	require.Empty(t, none.Banners())
	e := &Evidence{
		Greeting: &probe.Reply{Code: 220, Lines: []string{"hello", "there"}}, System: "UNIX Type: L8",
		Features: []string{"UTF8", "SIZE"}, FeaturesAfterTLS: []string{"UTF8"},
	}
	require.Equal(t, []probe.Banner{
		{Kind: "ftp.banner", Source: "greeting", Text: "hello\nthere"},
		{Kind: "ftp.syst", Source: "system", Text: "UNIX Type: L8"},
		{Kind: "ftp.feat", Source: "features", Text: "UTF8\nSIZE"},
		{Kind: "ftp.feat", Source: "features_after_tls", Text: "UTF8"},
	}, e.Banners())
}
