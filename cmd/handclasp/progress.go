package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// A progress is a bar on standard error, where that is a terminal; else nothing. It steps aside for whatever is
// written to the terminal meanwhile, and comes back with the next step.
type progress struct {
	bar     *progressbar.ProgressBar // nil for nothing
	cleared bool
	drawn   time.Time
}

// newProgress returns a bar over total endpoints, -1 where their number isn't known.
func newProgress(stderr *os.File, total int) *progress {
	if total == 0 || !isTerminal(stderr) || os.Getenv("TERM") == "dumb" {
		return &progress{}
	}
	return &progress{bar: progressbar.NewOptions(total,
		progressbar.OptionSetWriter(stderr),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetDescription("scanning"),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetWidth(24),
		progressbar.OptionSetSpinnerChangeInterval(0),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "━", SaucerHead: "━", SaucerPadding: " "}),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetRenderBlankState(true),
	)}
}

// redrawEvery is as often as an eye can use.
const redrawEvery = 50 * time.Millisecond

// step says that n of total endpoints are done.
func (p *progress) step(n, total int) {
	if p.bar == nil || !p.cleared && time.Since(p.drawn) < redrawEvery {
		return
	}
	p.cleared, p.drawn = false, time.Now()
	if total > 0 && total != p.bar.GetMax() {
		p.bar.ChangeMax(max(n, total))
	}
	_ = p.bar.Set(n)
}

func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.cleared = true
	}
}

// behind is a writer that clears the bar away before it writes to w.
func (p *progress) behind(w io.Writer) io.Writer { return aside{p, w} }

type aside struct {
	p *progress
	w io.Writer
}

func (a aside) Write(b []byte) (int, error) {
	a.p.clear()
	return a.w.Write(b)
}
