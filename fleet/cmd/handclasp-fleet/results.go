package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/fleet"
	"github.com/handclasp/handclasp/internal/outform"
)

const resultsHelp = `results writes what there is by now of the results of a scan, the one that was submitted last unless another is named;
with --follow it goes on until the scan has ended.

With --output each result is in the file of JSON lines exactly once: FILE.state says how far it goes, and the same command
again goes on there. Files whose names tell another format, as with 'handclasp report', are written anew each time, once
the results are there. Without a file of JSON lines among them, those are kept beside the first, in FILE.jsonl.

Without --output JSON lines go to standard output, from the first one on.`

// results are the flags of the command.
type results struct {
	outputs     []string
	state, name string
	follow      bool
}

func resultsCommand(c *connection) *cobra.Command {
	var r results
	cmd := &cobra.Command{
		Use:   "results [flags] [SCAN]",
		Short: "Write a scan's results, as JSON lines or in any format of 'handclasp report'",
		Long:  resultsHelp,
		Example: `  handclasp-fleet results --follow -o results.jsonl
  handclasp-fleet results --follow -o results.jsonl -o page.html -o handclasp.sarif`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			lines, others, err := r.sorted()
			if err != nil {
				return err
			}
			return c.with(cmd.Context(), func(client *fleet.Client) error {
				s, err := client.Pick(cmd.Context(), args)
				if err != nil {
					return err
				}
				if lines == "" {
					err = fleet.NewStream(s.ID, cmd.OutOrStdout()).Whole(cmd.Context(), client, s, "", r.follow)
				} else if err = r.collect(cmd.Context(), client, s, lines); err == nil && len(others) > 0 {
					err = writeForms(s, lines, others)
				}
				return errors.Join(err, tellAside(cmd.Context(), client, s.ID))
			})
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&r.outputs, "output", "o", nil, "write to `FILE`, and go on with it where its state says; may be given several times, in the formats that their endings say")
	f.BoolVarP(&r.follow, "follow", "f", false, "go on until the scan has ended")
	f.StringVar(&r.state, "state", "", "keep in `FILE` how far the JSON lines go (default: their file with .state)")
	f.StringVar(&r.name, "name", "results", "tell this collector apart from others of the same scan by `NAME`")
	return cmd
}

// tellAside says how much isn't among the results.
func tellAside(ctx context.Context, client *fleet.Client, id string) error {
	if ctx.Err() != nil {
		return nil
	}
	s, err := client.Pick(ctx, []string{id})
	if err == nil && s.Aside.Count > 0 {
		tell(fmt.Sprintf("%s: set aside, since it is no result: %d messages or lines; 'handclasp-fleet status %s' says of which shards", id, s.Aside.Count, id))
	}
	return err
}

// sorted returns the file of JSON lines, which may be empty, and the others.
func (r *results) sorted() (lines string, others []string, err error) {
	for _, path := range r.outputs {
		switch form := outform.Of(path); {
		case form == "" && len(r.outputs) > 1:
			return "", nil, outform.Untold(path)
		case form != outform.JSONL && form != "":
			others = append(others, path)
		case lines != "":
			return "", nil, fmt.Errorf("--output: %s and %s are both JSON lines: one is enough", lines, path)
		default:
			lines = path
		}
	}
	if lines == "" && len(others) > 0 {
		lines = others[0] + ".jsonl"
	}
	return lines, others, nil
}

// collect goes on with the file of JSON lines.
func (r *results) collect(ctx context.Context, client *fleet.Client, s *fleet.Scan, lines string) error {
	state := r.state
	if state == "" {
		state = lines + ".state"
	}
	out, err := fleet.OpenFile(s.ID, lines, state)
	if err != nil {
		return err
	}
	return errors.Join(out.Whole(ctx, client, s, r.name, r.follow), out.Close())
}

// writeForms writes results that are collected in other formats. Each file is whole or as it was.
func writeForms(s *fleet.Scan, lines string, paths []string) (err error) {
	in, err := os.Open(lines)
	if err != nil {
		return err
	}
	defer in.Close()
	var parts []*os.File
	defer func() {
		for _, part := range parts {
			_ = part.Close()
			_ = os.Remove(part.Name()) // if it wasn't renamed
		}
	}()
	var all forms
	for _, path := range paths {
		part, err := os.OpenFile(path+".partial", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return err
		}
		parts = append(parts, part)
		all = append(all, outform.New(part, outform.Of(path), s.Rules(), s.Version))
	}
	if err := all.write(in); err != nil {
		return err
	}
	for i, part := range parts {
		if err := errors.Join(part.Sync(), os.Rename(part.Name(), paths[i])); err != nil {
			return err
		}
	}
	return nil
}
