package main

import (
	"os"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/fleet"
)

func workerCommand(c *connection) *cobra.Command {
	w := fleet.Worker{Tell: tell}
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Scan shards of all scans that run, until it is stopped",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			nc, err := c.connect(nats.RetryOnFailedConnect(true)) // it may be started first
			if err != nil {
				return err
			}
			defer nc.Close()
			if host, err := os.Hostname(); err == nil {
				w.Name = host + "-" + fleet.NewID() // a worker that is started anew is another
			}
			return w.Run(cmd.Context(), nc)
		},
	}
	f := cmd.Flags()
	f.StringVar(&w.Label, "label", "", "from where this worker asks: `NAME`, for scans with that --vantage")
	f.StringSliceVar(&w.Scans, "scan", nil, "work on these scans alone: `IDS`, with commas between them")
	f.Float64Var(&w.MaxRate, "max-rate", 0, "at most `N` new connections a second of this worker for a scan, whatever the scan's --rate")
	f.IntVar(&w.Shards, "shards", 1, "scan `N` shards at once")
	return cmd
}
