// Command handclasp-fleet spreads one scan over many machines.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/fleet"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "handclasp-fleet: %v\n", err)
		os.Exit(2)
	}
}

func root() *cobra.Command {
	root := &cobra.Command{
		Use:   "handclasp-fleet",
		Short: "Spread one scan over many machines",
		Long: `handclasp-fleet cuts a scan into shards and has workers on any number of machines scan them, by a NATS
server with JetStream that it brings along or one that is there. Each endpoint is among the results
exactly once, whatever is killed at what time, and a host is talked to by one worker at a time.

Scan only what you may: your own systems, or those whose owner agreed.`,
		Example: `  handclasp-fleet serve &
  handclasp-fleet worker &
  handclasp-fleet submit --only ftp 198.51.100.0/24
  handclasp-fleet status
  handclasp-fleet results --output results.jsonl`,
		Version: fleet.Version(), SilenceUsage: true, SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	var c connection
	c.register(root)
	root.AddCommand(serveCommand(&c), workerCommand(&c), submitCommand(&c), statusCommand(&c), resultsCommand(&c), cancelCommand(&c), excludeCommand(&c), retryCommand(&c), removeCommand(&c), keyCommand())
	return root
}

// tell writes what happens to standard error.
func tell(line string) { fmt.Fprintf(os.Stderr, "handclasp-fleet: %s\n", line) }
