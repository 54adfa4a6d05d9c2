package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/fleet"
	"github.com/handclasp/handclasp/report"
)

// watchEvery is how often a table is written anew, and rateOver is over how many of these a rate goes.
const (
	watchEvery = time.Second
	rateOver   = 10
)

func statusCommand(c *connection) *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use:   "status [SCAN]",
		Short: "Show how far scans are, who works on them and what was given up",
		Long: `status shows how far scans are: endpoints that are done and how many a second, how long the rest is going to take at that
rate, shards and workers, and why shards were given up. The rate is that since the scan was begun, and with --watch that of
the last ten seconds.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(client *fleet.Client) error {
				b := board{client: client, only: args, seen: map[string][]look{}}
				if !watch {
					all, err := b.look(cmd.Context())
					if err != nil {
						return err
					}
					return b.show(cmd.OutOrStdout(), all)
				}
				return b.watch(cmd.Context(), cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "write the table anew each second, until the scan that is named has ended, or all have")
	return cmd
}

// A board shows scans, one if it is named.
type board struct {
	client *fleet.Client
	only   []string
	seen   map[string][]look // the last ones of each scan
}

// A look is how far a scan was at a time.
type look struct {
	at   time.Time
	done int64
}

func (b *board) look(ctx context.Context) (all []*fleet.Status, err error) {
	scans, err := b.client.Scans(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range scans {
		if len(b.only) > 0 && s.ID != b.only[0] {
			continue
		}
		st, err := b.client.Status(ctx, s.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, st)
		seen := append(b.seen[s.ID], look{time.Now(), st.Total.Done})
		b.seen[s.ID] = seen[max(0, len(seen)-rateOver-1):]
	}
	if len(b.only) > 0 && all == nil {
		_, err = b.client.Pick(ctx, b.only) // says that there is none
	}
	return all, err
}

// watch shows scans until they have ended.
func (b *board) watch(ctx context.Context, w io.Writer) error {
	for {
		all, err := b.look(ctx)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		if err := b.show(&text, all); err != nil {
			return err
		}
		if isTerminal(w) {
			_, err = fmt.Fprintf(w, "\x1b[H\x1b[2J%s", text.Bytes())
		} else {
			_, err = fmt.Fprintf(w, "%s\n", text.Bytes())
		}
		if err != nil || !slices.ContainsFunc(all, goesOn) {
			return err
		}
		select {
		case <-time.After(watchEvery):
		case <-ctx.Done():
			return nil
		}
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func goesOn(st *fleet.Status) bool { return st.Phase == fleet.Submitted || st.Phase == fleet.Running }

// show writes a table of scans, one of their workers, and what is to be said of them.
func (b *board) show(w io.Writer, all []*fleet.Status) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SCAN\tPHASE\tDONE\tOF\tRATE\tLEFT\tOPEN\tFINDINGS\tSHARDS LEFT\tGIVEN UP\tWORKERS")
	var workers, notes []string
	for _, st := range all {
		total := st.Endpoints * int64(max(1, len(st.Vantages)))
		rate, left := b.pace(st, total)
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\t%s\t%d\t%d\t%d\t%d\t%d\n", st.ID, st.Phase, st.Total.Done, total, rate, left,
			st.Total.Open, st.Total.Findings, st.Waiting, len(st.Dead), len(st.Workers))
		for _, name := range slices.Sorted(maps.Keys(st.Workers)) {
			workers = append(workers, fmt.Sprintf("%s\t%s\t%d\n", report.Clean(name), st.ID, st.Workers[name]))
		}
		notes = append(notes, remarks(st)...)
	}
	if len(workers) > 0 {
		fmt.Fprintln(t, "\nWORKER\tSCAN\tSHARDS")
		for _, line := range workers {
			fmt.Fprint(t, line)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, n := range notes {
		if _, err := fmt.Fprintln(w, n); err != nil {
			return err
		}
	}
	return nil
}

// pace says how many endpoints are done a second, and how long the rest takes.
func (b *board) pace(st *fleet.Status, total int64) (rate, left string) {
	seen := b.seen[st.ID]
	last := seen[len(seen)-1]
	first := look{last.at.Add(-st.Age), 0}
	if len(seen) > 1 {
		first = seen[0]
	}
	perSecond := float64(last.done-first.done) / last.at.Sub(first.at).Seconds()
	if !goesOn(st) || !(perSecond > 0) {
		return "-", "-"
	}
	rest := time.Duration(float64(max(0, total-last.done)) / perSecond * float64(time.Second))
	return fmt.Sprintf("%.0f/s", perSecond), rest.Round(time.Second).String()
}

// remarks are what the table has no place for.
func remarks(st *fleet.Status) (notes []string) {
	if st.Reason != "" {
		notes = append(notes, fmt.Sprintf("%s: %s", st.ID, st.Reason))
	}
	if n := st.Unusable + st.Total.Unresolved; n > 0 {
		notes = append(notes, fmt.Sprintf("%s: targets that couldn't be used: %d, of which %d are names without an address", st.ID, n, st.Total.Unresolved))
	}
	if st.Aside.Count > 0 {
		notes = append(notes, fmt.Sprintf("%s: set aside among the results, since it is none: %d messages or lines, the first of each shard:", st.ID, st.Aside.Count))
	}
	for _, shard := range slices.Sorted(maps.Keys(st.Aside.Of)) {
		notes = append(notes, fmt.Sprintf("%s: shard %s: %s", st.ID, shard, report.Clean(st.Aside.Of[shard])))
	}
	for _, shard := range st.Unread {
		notes = append(notes, fmt.Sprintf("%s: shard %s: its state can't be read", st.ID, shard))
	}
	for _, shard := range slices.Sorted(maps.Keys(st.Dead)) {
		notes = append(notes, fmt.Sprintf("%s: shard %s was given up: %s", st.ID, shard, report.Clean(st.Dead[shard])))
	}
	return notes
}
