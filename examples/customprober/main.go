// Command customprober probes a protocol that handclasp doesn't know, Redis, by a prober of its own: see redis.go.
//
//	go run ./examples/customprober 192.0.2.7:6379
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

func run(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: customprober ADDRESS:PORT")
	}
	target, err := probe.ParseTarget(args[0])
	if err != nil {
		return err
	}
	r := probe.Run(ctx, Prober{}, target, nil)
	if e, ok := probe.As[*Evidence](r); ok {
		fmt.Fprintf(stdout, "%v: %s, reply %q, open %q\n", r.Target, r.Outcome, e.Reply, e.Open)
	}
	for _, f := range finding.Evaluate(r, []finding.Rule{RuleOpen}) {
		fmt.Fprintf(stdout, "%v: %s: %s, see %s\n", f.Severity, f.ID, f.Title, strings.Join(f.Basis, " "))
	}
	for _, e := range r.Transcript {
		switch e.Dir {
		case probe.DirSend:
			fmt.Fprintf(stdout, "> %q (%s)\n", e.Data, e.Label)
		case probe.DirRecv:
			fmt.Fprintf(stdout, "< %q\n", e.Data)
		}
	}
	return r.Err
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "customprober:", err)
		os.Exit(1)
	}
}
