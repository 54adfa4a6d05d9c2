package main

import (
	"os"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/dialer"
	"github.com/handclasp/handclasp/fleet"
	"github.com/handclasp/handclasp/internal/pick"
)

func workerCommand(c *connection) *cobra.Command {
	w := fleet.Worker{Tell: tell}
	var route dialer.Route
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Scan shards of all scans that run, until it is stopped",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if w.Dial, err = route.Dialer(); err != nil {
				return err
			}
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
	parsed(f, &w.MaxRate, pick.Rate, "max-rate", "", "at most `N` new connections a second of this worker for a scan, whatever the scan's --rate")
	parsed(f, &w.Shards, pick.Concurrency, "shards", "1", "scan `N` shards at once")
	f.StringVar(&route.Proxy, "proxy", "", "connect to targets through a SOCKS5 proxy, a `URL`: socks5://127.0.0.1:1080")
	parsed(f, &route.Source, pick.Source, "source", "", "connect to targets from this `ADDRESS` of this machine")
	f.StringVar(&route.Interface, "interface", "", "connect to targets by the network interface `NAME`")
	return cmd
}
