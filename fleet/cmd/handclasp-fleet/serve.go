package main

import (
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/fleet"
)

func serveCommand(c *connection) *cobra.Command {
	e := fleet.EngineOptions{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Coordinate scans, and be the server unless --nats names one",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			nc, end, err := reach(c, e, cmd.Flags().Changed("nats"))
			if err != nil {
				return err
			}
			defer end()
			return (&fleet.Coordinator{Tell: tell}).Run(cmd.Context(), nc)
		},
	}
	f := cmd.Flags()
	f.StringVar(&e.Store, "store", "handclasp-fleet.store", "keep scans and results in the folder `DIR`")
	f.StringVar(&e.Listen, "listen", "", "listen on `ADDRESS:PORT` (default 127.0.0.1:4222); others than loopback need users, by --config")
	f.StringVar(&e.Config, "config", "", "a configuration `FILE` of nats-server: users, permissions, certificates")
	return cmd
}

// reach returns a connection to the server that is named, or else to one that it starts.
func reach(c *connection, e fleet.EngineOptions, named bool) (nc *nats.Conn, end func(), err error) {
	if named {
		nc, err := c.connect()
		return nc, nc.Close, err
	}
	options, err := c.options()
	if err != nil {
		return nil, nil, err
	}
	engine, err := fleet.StartEngine(e)
	if err != nil {
		return nil, nil, err
	}
	if nc, err = engine.Connect(options...); err != nil {
		engine.Close()
		return nil, nil, err
	}
	tell(fmt.Sprintf("listening on %s, and keeping all in %s", engine.ClientURL(), e.Store))
	return nc, func() { nc.Close(); engine.Close() }, nil
}
