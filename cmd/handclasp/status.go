package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/internal/pick"
	"github.com/handclasp/handclasp/internal/userfile"
	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/report"
)

// questions are the flags of what asks a state.
type questions struct {
	state  string
	format string
	maxAge time.Duration
}

func (q *questions) register(cmd *cobra.Command) {
	q.format = formatTable
	f := cmd.Flags()
	f.Var(value[string]{&q.state, parseFile, text, "FILE"}, "state", "the state that 'handclasp watch' keeps")
	f.Var(value[string]{&q.format, parseListFormat, text, "FORMAT"}, "format", "what to write: table, or jsonl, one JSON object a line")
}

// ask opens the state for questions.
func (q *questions) ask() (*monitor.State, error) {
	if q.state == "" {
		return nil, errors.New("--state: name the file that 'handclasp watch' keeps")
	}
	if _, err := os.Stat(q.state); err != nil {
		return nil, fmt.Errorf("--state: %s: %w", q.state, userfile.Cause(err))
	}
	return monitor.Open(q.state, &monitor.Options{ReadOnly: true})
}

func (a *app) statusCommand() *cobra.Command {
	var q questions
	cmd := &cobra.Command{
		Use:   "status --state FILE",
		Short: "Say how things stand: open findings with their age, the last scan, events that nobody got",
		Long: `Say how things stand by a state that 'handclasp watch' keeps: open findings by host with their age, those that the last
scans didn't learn, the age of the last scan, and events that weren't delivered.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context(), &q) },
	}
	q.register(cmd)
	cmd.Flags().Var(value[time.Duration]{&q.maxAge, pick.Spacing, showDuration, "DURATION"}, "max-age",
		"exit with status 3 if the last scan, or an event that nobody got, is older")
	cmd.SetUsageTemplate(cmd.UsageTemplate() + exitTable)
	return cmd
}

func (a *app) status(ctx context.Context, q *questions) error {
	state, err := q.ask()
	if err != nil {
		return err
	}
	defer state.Close()
	st, err := state.Status(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	if q.format == formatJSONL {
		err = json.NewEncoder(a.stdout).Encode(st)
	} else {
		err = a.writeStatus(a.stdout, st, now)
	}
	if err != nil {
		return fmt.Errorf("standard output: %w", userfile.Cause(err))
	}
	if q.maxAge > 0 && (st.Last == nil || now.Sub(st.Last.Ended) > q.maxAge || st.Undelivered > 0 && now.Sub(st.Oldest) > q.maxAge) {
		return exit(exitUnknown)
	}
	return nil
}

func (a *app) writeStatus(w io.Writer, st monitor.Status, now time.Time) error {
	var list []report.Block
	for _, f := range st.Open {
		if len(list) == 0 || list[len(list)-1].Head != f.Endpoint.Host {
			list = append(list, report.Block{Head: f.Endpoint.Host})
		}
		text := fmt.Sprintf("%d/%s %s", f.Endpoint.Port, f.Endpoint.Network, f.Rule)
		if f.Items != "" {
			text += ": " + f.Items
		}
		if f.Unknown > 0 {
			text += fmt.Sprintf(" · unknown for %s: %s", several(f.Unknown, "scan"), f.Reason)
		}
		for _, accepted := range f.Accepted {
			text += " · accepted"
			if len(accepted.Items) > 0 {
				text += " for " + strings.Join(accepted.Items, ", ")
			}
			if accepted.Until != "" {
				text += " until " + accepted.Until
			}
		}
		last := &list[len(list)-1]
		last.Lines = append(last.Lines, report.Line{Kind: age(now.Sub(f.FirstSeen)), Severity: f.Severity, Text: text})
	}
	if err := report.WriteBlocks(w, list, a.tableLook()); err != nil {
		return err
	}
	words := []string{several(len(st.Open), "open finding"), "no scan yet"}
	if st.Last != nil {
		words[1] = "last scan " + age(now.Sub(st.Last.Ended)) + " ago"
	}
	if st.Undelivered > 0 {
		words = append(words, fmt.Sprintf("%s undelivered, the oldest of %s ago", several(st.Undelivered, "event"), age(now.Sub(st.Oldest))))
	}
	if st.Trouble != "" {
		words = append(words, st.Trouble)
	}
	_, err := fmt.Fprintln(w, report.Clean(strings.Join(words, " · ")))
	return err
}

// several counts things whose name takes an s.
func several(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// age rounds a time to what people say.
func age(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return several(int(max(0, d/time.Second)), "second")
}
