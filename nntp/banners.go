package nntp

import "github.com/handclasp/handclasp/probe"

// Banners implements [probe.BannerEvidence]. The reply to MODE READER is a greeting too, if another program takes
// over that serves readers.
func (e *Evidence) Banners() []probe.Banner {
	if e == nil {
		return nil
	}
	return []probe.Banner{
		{Kind: "nntp.banner", Source: "greeting", Text: e.Greeting.Text()},
		{Kind: "nntp.implementation", Source: "implementation", Text: e.Implementation},
		{Kind: "nntp.banner", Source: "mode_reader", Text: e.ModeReader.Text()},
	}
}
