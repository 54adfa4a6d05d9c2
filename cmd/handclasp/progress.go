package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/handclasp/handclasp/scan"
)

// A progress shows how far a scan has come, on standard error: lines if they are asked for, else a bar if that
// is a terminal, else nothing, and a line whenever the signal USR1 asks for one. A bar steps aside for whatever is written
// to the terminal meanwhile, and comes back with the next step.
type progress struct {
	stop func()

	mu      sync.Mutex               // of what follows
	bar     *progressbar.ProgressBar // nil for none
	cleared bool
	drawn   time.Time
}

// newProgress returns one that shows a journal's numbers; lines come every so often, and not at all if that is 0.
func newProgress(stderr *os.File, journal *scan.Journal, lines time.Duration, silent bool) *progress {
	p := new(progress)
	total := journal.Progress().Total
	if total == 0 || silent {
		lines = 0
	}
	p.stop = p.lines(stderr, journal, lines)
	switch {
	case total == 0, silent, lines > 0:
	case isTerminal(stderr) && os.Getenv("TERM") != "dumb":
		p.bar = progressbar.NewOptions(int(total),
			progressbar.OptionSetWriter(stderr),
			progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetDescription("scanning"),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetWidth(16),
			progressbar.OptionSetSpinnerChangeInterval(0),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "━", SaucerHead: "━", SaucerPadding: " "}),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetRenderBlankState(true),
		)
	}
	return p
}

// lines writes a line of progress when somebody asks for it, and every so often, unless that is 0; then also a last one when
// the function that it returns is called.
func (p *progress) lines(stderr io.Writer, journal *scan.Journal, every time.Duration) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	asked, ignore := requests()
	write := func() {
		p.clear()
		fmt.Fprintln(stderr, "handclasp: "+progressLine(journal.Progress()))
	}
	var ticks <-chan time.Time
	if every > 0 {
		ticks = time.Tick(every)
	}
	go func() {
		defer close(ended)
		for {
			select {
			case <-asked:
				write()
			case <-ticks:
				write()
			case <-end:
				if ticks != nil {
					write()
				}
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		ignore()
		close(end)
		<-ended
	})
}

// progressLine is "1200 of 65536 done · 118/s · 64 in flight · 4 open · 2 findings · 9m5s left".
func progressLine(p scan.Progress) string {
	done := fmt.Sprintf("%d done", p.Done)
	if p.Total >= 0 {
		done = fmt.Sprintf("%d of %d done", p.Done, p.Total)
	}
	return strings.Join(append([]string{done}, progressWords(p, fmt.Sprintf("%d in flight", p.InFlight))...), " · ")
}

func progressWords(p scan.Progress, more ...string) []string {
	words := append([]string{fmt.Sprintf("%.0f/s", p.Rate)}, more...)
	findings := fmt.Sprintf("%d findings", p.Findings)
	if p.Findings == 1 {
		findings = "1 finding"
	}
	words = append(words, fmt.Sprintf("%d open", p.Open), findings)
	if p.Left > 0 {
		words = append(words, fmt.Sprintf("%v left", p.Left))
	}
	return words
}

// redrawEvery is as often as an eye can use.
const redrawEvery = 50 * time.Millisecond

// step shows what has changed.
func (p *progress) step(journal *scan.Journal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil || !p.cleared && time.Since(p.drawn) < redrawEvery {
		return
	}
	p.cleared, p.drawn = false, time.Now()
	now := journal.Progress()
	if total := int(now.Total); total > 0 && total != p.bar.GetMax() {
		p.bar.ChangeMax(max(int(now.Done), total))
	}
	p.bar.Describe("scanning " + strings.Join(progressWords(now), " · "))
	_ = p.bar.Set(int(now.Done))
}

func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
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
