package main

import (
	"bufio"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/fleet"
)

func resultsCommand(c *connection) *cobra.Command {
	var path, state, name string
	cmd := &cobra.Command{
		Use:   "results [flags] [SCAN]",
		Short: "Write a scan's results as JSON lines, as they come, until the scan has ended",
		Long: `results writes the results of a scan, the one that was submitted last unless another is named, as JSON lines.
With --output each is in the file exactly once: FILE.state says how far it goes, and the same command again goes on there.
Without it they go to standard output, from the first one on. 'handclasp report' makes pages and tables of them.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(client *fleet.Client) error {
				s, err := client.Pick(cmd.Context(), args)
				if err != nil {
					return err
				}
				if path == "" {
					return client.Collect(cmd.Context(), s.ID, "", 0, pipe{bufio.NewWriter(os.Stdout)})
				}
				if state == "" {
					state = path + ".state"
				}
				out, err := fleet.OpenFile(s.ID, path, state)
				if err != nil {
					return err
				}
				return errors.Join(out.Whole(cmd.Context(), client, s, name), out.Close())
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&path, "output", "o", "", "write to `FILE`, and go on with it where its state says")
	f.StringVar(&state, "state", "", "keep in `FILE` how far the output goes (default: that of --output with .state)")
	f.StringVar(&name, "name", "results", "tell this collector apart from others of the same scan by `NAME`")
	return cmd
}

// A pipe is an outlet that keeps nothing.
type pipe struct{ *bufio.Writer }

func (p pipe) Add(line []byte) error {
	_, err := p.Write(line)
	return errors.Join(err, p.WriteByte('\n'))
}

func (p pipe) Save(uint64) error { return p.Flush() }
