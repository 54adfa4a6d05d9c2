package interop_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/internal/demo"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
)

// The README's picture is what Chromium shows of the demo's page; -update takes it anew.
func TestPictureOfThePage(t *testing.T) {
	const file = "../../docs/page.png"
	stage, err := demo.Start(probe.LevelAnonymous)
	require.NoError(t, err)
	defer func() { _ = stage.Close() }()
	var page bytes.Buffer
	judge := handclasp.NewJudge(new(handclasp.Options))
	w := report.NewHTML(&page, report.HTMLOptions{Rules: handclasp.Rules()})
	for _, s := range stage.Servers() {
		for _, p := range handclasp.Probers() {
			if p.Spec().Protocol != s.Protocol {
				continue
			}
			o := &probe.Options{Level: probe.LevelAnonymous, Dial: stage.Dial, Rand: stage.Rand(), ImplicitTLS: s.ImplicitTLS, TLS: s.TLS}
			require.NoError(t, w.Write(judge.Record(probe.Run(t.Context(), s.Prober(p), s.Target, o))))
		}
	}
	require.NoError(t, w.Close())
	require.Contains(t, page.String(), "OpenSSH 6.7p1", "the software panel")
	require.NoError(t, stage.Err())
	b := openPage(t, page.String(), true)
	b.theme(t, "screen", "light")
	b.do(t, chromedp.EmulateViewport(1280, 900))
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	painted(t, picture)
	if *update {
		require.NoError(t, os.WriteFile(file, picture, 0o644))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	painted(t, kept)
}
