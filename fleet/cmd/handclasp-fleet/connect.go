package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/fleet"
)

// A connection is how to reach the server, and who one is.
type connection struct {
	url             string
	creds, nkey     string
	ca, cert, inKey string
	inbox           string
}

func (c *connection) register(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&c.url, "nats", nats.DefaultURL, "the server: `URL`, or several with commas between them")
	f.StringVar(&c.creds, "creds", "", "who one is: a `FILE` of credentials, as nsc makes it")
	f.StringVar(&c.nkey, "nkey", "", "who one is: a `FILE` with the seed of an nkey")
	f.StringVar(&c.inbox, "inbox", "", "have answers sent to subjects that begin with `PREFIX`, where permissions want one")
	f.StringVar(&c.ca, "tls-ca", "", "trust the certificates in `FILE` (PEM) instead of the system's")
	f.StringVar(&c.cert, "tls-cert", "", "show the certificate in `FILE` (PEM), with --tls-key")
	f.StringVar(&c.inKey, "tls-key", "", "its private key, in `FILE` (PEM)")
}

// identity says who one is. A connection is made again for as long as the program runs.
func (c *connection) identity() ([]nats.Option, error) {
	all := []nats.Option{nats.Name("handclasp-fleet"), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second)}
	if c.creds != "" {
		all = append(all, nats.UserCredentials(c.creds))
	}
	if c.nkey != "" {
		seed, err := nats.NkeyOptionFromSeed(c.nkey)
		if err != nil {
			return nil, fmt.Errorf("--nkey: %w", err)
		}
		all = append(all, seed)
	}
	if c.inbox != "" {
		all = append(all, nats.CustomInboxPrefix(c.inbox))
	}
	return all, nil
}

// options are those of a connection over the network.
func (c *connection) options() ([]nats.Option, error) {
	all, err := c.identity()
	if err != nil {
		return nil, err
	}
	if c.ca != "" {
		all = append(all, nats.RootCAs(c.ca))
	}
	if (c.cert == "") != (c.inKey == "") {
		return nil, errors.New("--tls-cert and --tls-key: give both")
	}
	if c.cert != "" {
		all = append(all, nats.ClientCert(c.cert, c.inKey))
	}
	return all, nil
}

func (c *connection) connect(more ...nats.Option) (*nats.Conn, error) {
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	options = append(options, more...)
	nc, err := nats.Connect(c.url, options...)
	if err != nil {
		return nil, fmt.Errorf("--nats: %s: %w", c.url, err)
	}
	return nc, nil
}

// with calls f with a client of the fleet.
func (c *connection) with(ctx context.Context, f func(*fleet.Client) error) error {
	nc, client, err := c.open(ctx)
	for begun := time.Now(); early(err) && time.Since(begun) < patience && ctx.Err() == nil; nc, client, err = c.open(ctx) {
		time.Sleep(patience / 20)
	}
	if err != nil {
		return err
	}
	defer nc.Close()
	return f(client)
}

// patience is how long a command waits for a server that was started just before it.
const patience = 5 * time.Second

// early reports whether the server may only be about to start.
func early(err error) bool {
	return errors.Is(err, nats.ErrNoServers) || errors.Is(err, fleet.ErrNoCoordinator)
}

func (c *connection) open(ctx context.Context) (*nats.Conn, *fleet.Client, error) {
	nc, err := c.connect()
	if err != nil {
		return nil, nil, err
	}
	client, err := fleet.Open(ctx, nc)
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	client.Tell = tell
	return nc, client, nil
}
