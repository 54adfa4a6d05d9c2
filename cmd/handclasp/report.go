package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/internal/digest"
	"github.com/handclasp/handclasp/report"
)

const reportHelp = `Write stored results in another form, without probing anything.

RESULTS is a file of JSON lines as handclasp scan --format jsonl writes them, or - for standard
input; several are put together. Findings are those that were stored. What they mean and what to
do about them is what this version knows. A table is by host, and so holds all results until the
last is read; the other forms don't. With --accept findings are accepted anew, and as those who
stored them did without it. With --policy they are judged by policies anew; with
--compare, over all files, by the rules that need several results: a scan tells of the second host that has
a key, and not of the first.

With --vantages, of results from several places (scan --vantage), the endpoints are written instead that don't look the same from
everywhere, with what became of them and their findings, by vantage.

With --state what is open by a state that 'handclasp watch' keeps is written instead.

Conversations are part of a page where they were stored: scan with --transcript.`

const reportExitHelp = `
Exit status:
  0  everything was read and written
  2  a wrong flag, trouble with a file, or a line that holds no result. The others are
     still reported
`

// reportOptions are what the flags say.
type reportOptions struct {
	form
	accept   acceptance
	policies policies
	compare  bool
	vantages bool
	state    string
}

func (a *app) reportCommand() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report [flags] RESULTS...",
		Short: "Write stored results as a table, a page, or for another program",
		Long:  reportHelp,
		Example: `  handclasp scan --format jsonl --transcript --output results.jsonl 192.0.2.0/24
  handclasp report --format html --output report.html results.jsonl
  handclasp report --format sarif --output handclasp.sarif results.jsonl
  zcat monday.jsonl.gz | handclasp report --format csv -
  handclasp report --state fleet.db --output open.html`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.state != "" && len(args) > 0:
				return &usageError{errors.New("--state goes without files of results"), cmd.CommandPath()}
			case o.state == "" && len(args) == 0:
				return &usageError{errors.New("no results: name a file of JSON lines, or - for standard input"), cmd.CommandPath()}
			}
			if err := o.settle(cmd); err != nil {
				return err
			}
			switch {
			case o.state != "":
				return a.reportState(cmd.Context(), &o)
			case o.vantages:
				return a.reportVantages(&o, args)
			}
			return a.interruptible(cmd.Context(), func(ctx context.Context) error { return a.report(ctx, &o, args) })
		},
	}
	cmd.Flags().SortFlags = false
	o.form.register(cmd)
	o.accept.register(cmd.Flags())
	o.policies.register(cmd.Flags())
	cmd.Flags().BoolVar(&o.compare, "compare", false, "judge anew who has a key or an identifier in common with another one, over all files")
	cmd.Flags().BoolVar(&o.vantages, "vantages", false, "write where results of several vantages disagree: table or jsonl")
	cmd.Flags().Var(value[string]{&o.state, parseFile, text, "FILE"}, "state",
		"write what is open by a state that 'handclasp watch' keeps, with ages; as a page with a chart of how much was: table, html, csv or jsonl")
	cmd.SetUsageTemplate(cmd.UsageTemplate() + reportExitHelp)
	return cmd
}

// report is the report command, its flags read.
func (a *app) report(ctx context.Context, o *reportOptions, paths []string) error {
	if err := a.fitsStdout(o.format, o.output); err != nil {
		return err
	}
	if err := a.readAccepted(&o.accept); err != nil {
		return err
	}
	a, err := o.policies.apply(a)
	if err != nil {
		return err
	}
	// Before a file is made, so that a misspelled name leaves nothing behind.
	for _, path := range paths {
		if err := readable(path); err != nil {
			return err
		}
	}
	shared, err := o.shared(a, paths)
	if err != nil {
		return err
	}
	garbage := 200 // percent of what is held, which is little
	if o.format == formatTable {
		garbage = 40 // of all that is going to be written
	}
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	out, err := openOutput(o.output, a.stdout)
	if err != nil {
		return err
	}
	more, err := a.openAlso(&o.form, true, report.TableOptions{})
	if err != nil {
		out.discard()
		return err
	}
	c := &conversion{also: more, out: out, app: a, sink: a.newSink(out, o.format, o.output == "", report.TableOptions{}), raw: o.format == formatJSONL, accept: &o.accept, policies: &o.policies, shared: shared}
	done := make(chan error, 1)
	go func() { done <- c.files(paths) }()
	select {
	case <-ctx.Done(): // it may be waiting for more to read, or for who reads its output, and is left to it
		out.discard()
		more.discard()
		return errors.New("interrupted")
	case err = <-done:
	}
	if err != nil || c.records == 0 {
		more.discard()
	}
	switch {
	case c.broken != nil:
		return out.failure(c.broken)
	case err != nil:
		out.discard()
		return err
	}
	if err := c.finish(out, paths); err != nil {
		return err
	}
	if !o.silent {
		o.accept.tell(a)
	}
	return nil
}

// A conversion is one run of report.
type conversion struct {
	*app
	sink     sink
	also     also
	accept   *acceptance
	policies *policies
	shared   *comparing // nil for what was stored
	out      io.Writer
	raw      bool // evidence stays as it was stored, what this version doesn't know of it included
	records  int
	skipped  int // lines
	broken   error
}

// files converts them all. Much is written only at the end.
func (c *conversion) files(paths []string) error {
	if err := c.eachFile(paths, c.file); err != nil {
		return err
	}
	if c.records > 0 {
		c.broken = c.sink.close()
	}
	return nil
}

func (c *conversion) file(results *stored) error {
	probers := c.readers()
	if c.raw && c.shared == nil {
		probers = nil
	}
	for e := range results.readEntries(probers) {
		if e.Result == nil {
			if c.raw {
				if h := e.Header; h != nil && len(c.app.policies) > 0 {
					h.Digests.Policy = digest.Of(c.app.policies)
				}
				c.broken = writeEntry(c.out, e)
			}
		} else {
			c.records++
			e.Findings = c.shared.judge(e.Result, c.policies.judge(e.Result, e.Findings))
			if c.accept.Acceptor != nil {
				e.Findings = c.accept.Mark(e.Record)
			}
			c.broken = c.sink.write(e.Record, report.Host{})
			if err := c.also.write(e.Record, report.Host{}, false); err != nil {
				return err
			}
		}
		if c.broken != nil {
			return c.broken
		}
	}
	c.skipped += results.bad
	return results.failed
}

func (c *conversion) finish(out *output, paths []string) error {
	if c.records == 0 {
		out.discard() // an earlier file is worth more than an empty one
		return noResults(paths...)
	}
	if err := errors.Join(out.commit(), c.also.commit()); err != nil {
		return err
	}
	if c.skipped == 0 {
		return nil
	}
	lines := "1 line isn't"
	if c.skipped > 1 {
		lines = fmt.Sprintf("%d lines aren't", c.skipped)
	}
	c.complain("%s in the report; where results were cut off, scan those endpoints again", lines)
	return exit(exitTrouble)
}
