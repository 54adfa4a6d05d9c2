package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/fleet"
)

func statusCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "status [SCAN]",
		Short: "Show how far scans are, who works on them and what was given up",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(client *fleet.Client) error {
				return show(cmd.Context(), client, args, cmd.OutOrStdout())
			})
		},
	}
}

// show writes a table of scans, of one if it is named.
func show(ctx context.Context, client *fleet.Client, args []string, w io.Writer) error {
	scans, err := client.Scans(ctx)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SCAN\tPHASE\tDONE\tOF\tOPEN\tFINDINGS\tSHARDS LEFT\tGIVEN UP\tWORKERS")
	var notes []string
	for _, s := range scans {
		if len(args) > 0 && s.ID != args[0] {
			continue
		}
		st, err := client.Status(ctx, s.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", s.ID, s.Phase, st.Total.Done, st.Endpoints*int64(max(1, len(st.Vantages))),
			st.Total.Open, st.Total.Findings, st.Waiting, len(st.Dead), len(st.Workers))
		if s.Reason != "" {
			notes = append(notes, fmt.Sprintf("%s: %s", s.ID, s.Reason))
		}
		for _, shard := range slices.Sorted(maps.Keys(st.Dead)) {
			notes = append(notes, fmt.Sprintf("%s: shard %s was given up: %s", s.ID, shard, st.Dead[shard]))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintln(w, n)
	}
	return nil
}
