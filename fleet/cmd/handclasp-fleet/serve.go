package main

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/fleet"
)

func serveCommand(c *connection) *cobra.Command {
	e := fleet.EngineOptions{}
	var address string
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
			if address != "" {
				stop, err := serveMetrics(address, nc)
				if err != nil {
					return err
				}
				defer stop()
			}
			return (&fleet.Coordinator{Tell: tell}).Run(cmd.Context(), nc)
		},
	}
	f := cmd.Flags()
	f.StringVar(&e.Store, "store", "handclasp-fleet.store", "keep scans and results in the folder `DIR`")
	f.StringVar(&e.Listen, "listen", "", "listen on `ADDRESS:PORT` (default 127.0.0.1:4222); others than loopback need users, by --config")
	f.StringVar(&address, "metrics", "", "serve /metrics for Prometheus on `ADDRESS:PORT`; without an address, on 127.0.0.1")
	f.StringVar(&e.Config, "config", "", "a configuration `FILE` of nats-server: users, permissions, certificates")
	return cmd
}

// reach returns a connection to the server that is named, or else to one that it starts.
func reach(c *connection, e fleet.EngineOptions, named bool) (nc *nats.Conn, end func(), err error) {
	if named {
		if nc, err = c.connect(nats.RetryOnFailedConnect(true)); err != nil { // it may be started first
			return nil, nil, err
		}
		return nc, nc.Close, nil
	}
	options, err := c.identity() // within this process nothing is encrypted
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

// serveMetrics answers Prometheus. What it tells is how many, and of which scans, and it takes nothing in.
func serveMetrics(address string, nc *nats.Conn) (stop func(), err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--metrics: %q: write an address and a port, such as 127.0.0.1:9464", address)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(cmp.Or(host, "127.0.0.1"), port))
	if err != nil {
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", fleet.NewMetrics(nc))
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute, MaxHeaderBytes: 1 << 14}
	go func() { _ = s.Serve(l) }()
	tell(fmt.Sprintf("metrics on http://%s/metrics", l.Addr()))
	return func() { _ = s.Close() }, nil
}
