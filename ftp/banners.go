package ftp

import (
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// Banners implements [probe.BannerEvidence].
func (e *Evidence) Banners() []probe.Banner {
	if e == nil {
		return nil
	}
	return []probe.Banner{
		{Kind: "ftp.banner", Source: "greeting", Text: e.Greeting.Text()},
		{Kind: "ftp.syst", Source: "system", Text: e.System},
		{Kind: "ftp.feat", Source: "features", Text: strings.Join(e.Features, "\n")},
		{Kind: "ftp.feat", Source: "features_after_tls", Text: strings.Join(e.FeaturesAfterTLS, "\n")},
	}
}
