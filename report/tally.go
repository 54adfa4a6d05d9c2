package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/handclasp/handclasp/finding"
)

// A Tally counts records. The zero value is ready to use.
type Tally struct {
	Endpoints int
	States    map[State]int
	Findings  map[finding.Severity]int // that aren't accepted
	Accepted  int                      // findings that are
	// First and Last are when the earliest probe began and the latest ended; zero without endpoints.
	First, Last time.Time
}

// Add counts one record.
func (t *Tally) Add(r finding.Record) { t.Count(StateOf(r), r) }

// Count counts a record whose state is known. Neither evidence nor transcript are looked at.
func (t *Tally) Count(state State, r finding.Record) {
	if t.States == nil {
		t.States, t.Findings = map[State]int{}, map[finding.Severity]int{}
	}
	t.Endpoints++
	t.States[state]++
	for _, f := range r.Findings {
		if f.IsAccepted() {
			t.Accepted++
			continue
		}
		t.Findings[f.Severity]++
	}
	if end := r.Started.Add(r.Elapsed); end.After(t.Last) {
		t.Last = end
	}
	if t.First.IsZero() || r.Started.Before(t.First) {
		t.First = r.Started
	}
}

// AtLeast returns how many findings that aren't accepted are as severe as s, or more.
func (t *Tally) AtLeast(s finding.Severity) int {
	n := 0
	for severity, count := range t.Findings {
		if severity >= s {
			n += count
		}
	}
	return n
}

// String is one line: "9 endpoints in 1.2s: 1 answered · 8 refused".
func (t *Tally) String() string {
	if t.Endpoints == 0 {
		return "no endpoint was probed"
	}
	return fmt.Sprintf("%s in %s: %s", plural(t.Endpoints, "endpoint"), elapsed(t.Last.Sub(t.First)), countStates(t.States))
}

func countStates(n map[State]int) string {
	var words []string
	for _, s := range states {
		if n[s] > 0 {
			words = append(words, fmt.Sprintf("%d %s", n[s], s))
		}
	}
	return strings.Join(words, " · ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// elapsed leaves two or three significant digits. Results count whole milliseconds.
func elapsed(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "<1ms"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
