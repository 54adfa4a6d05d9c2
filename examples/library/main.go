// Command library probes FTP servers by somebody else's client, github.com/jlaffaye/ftp, within handclasp's bounds: see
// prober.go.
//
//	go run ./examples/library 192.0.2.7:21
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/handclasp/handclasp/probe"
)

type dialFunc = func(network, address string) (net.Conn, error)

func run(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: library ADDRESS:PORT")
	}
	target, err := probe.ParseTarget(args[0])
	if err != nil {
		return err
	}
	r := probe.Run(ctx, Prober{}, target, &probe.Options{Level: probe.LevelAnonymous})
	if e, ok := probe.As[*Evidence](r); ok {
		fmt.Fprintf(stdout, "%v: %s, login %q, files %q, refusal %q\n", r.Target, r.Outcome, e.Login, e.Files, e.Refusal)
	}
	for _, e := range r.Transcript {
		if e.Dir == probe.DirSend {
			fmt.Fprintf(stdout, "%d > %s\n", e.Conn, e.Label)
		}
	}
	return r.Err
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "library:", err)
		os.Exit(1)
	}
}
