package main

import (
	"cmp"
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

const diffHelp = `Compare the findings of two scans that were written with --format jsonl.

A finding is new, resolved, unchanged or unknown. Resolved means that the endpoint was asked as far as
before and the finding isn't there any more, or that the port is closed. Unknown means that it wasn't
learned: the endpoint wasn't scanned this time, couldn't be reached, or didn't tell.

A scan is OLD or NEW, or - for one of the two on standard input.`

const diffExit = `
Exit status:
  0  both files were read
  1  and a new finding is at or above --fail-on
  2  a wrong flag, a file that can't be read, or a line in it that holds no result (the others are compared)
`

func (a *app) diffCommand() *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff [flags] OLD.jsonl NEW.jsonl",
		Short: "Compare the findings of two scans",
		Long:  diffHelp,
		Example: `  handclasp diff monday.jsonl tuesday.jsonl
  handclasp diff --fail-on medium monday.jsonl tuesday.jsonl
  handclasp scan --format jsonl --targets hosts.txt | handclasp diff last.jsonl -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return &usageError{errors.New("two files are compared: name the older one first, then the newer one"), cmd.CommandPath()}
			}
			if args[0] == "-" && args[1] == "-" {
				return &usageError{errors.New("standard input can be one of the two scans only"), cmd.CommandPath()}
			}
			return a.diff(&o, args[0], args[1])
		},
	}
	o.format = formatTable
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(value[string]{&o.format, parseListFormat, func(s string) string { return s }, "FORMAT"}, "format",
		"what to write: table, or jsonl, one JSON object a line")
	f.Var(value[string]{&o.output, parseFile, func(s string) string { return s }, "FILE"}, "output", "write to FILE instead of standard output")
	f.Var(value[finding.Severity]{&o.failOn, finding.ParseSeverity, showSeverity, "SEVERITY"}, "fail-on",
		"exit with status 1 where a new finding is as severe as this, or more: info, low, medium, high or critical")
	cmd.SetUsageTemplate(cmd.UsageTemplate() + diffExit)
	return cmd
}

type diffOptions struct {
	format string
	output string
	failOn finding.Severity
}

// parseListFormat takes the forms that a list of changes has.
func parseListFormat(text string) (string, error) {
	if text != formatTable && text != formatJSONL {
		return "", errors.New("unknown format: use table or jsonl")
	}
	return text, nil
}

func (a *app) diff(o *diffOptions, older, newer string) error {
	was, err := a.openStored(older)
	if err != nil {
		return err
	}
	is, err := a.openStored(newer)
	if err != nil {
		was.close()
		return err
	}
	changes := finding.Diff(was.records(), is.records())
	was.close()
	is.close()
	if err := cmp.Or(was.foreign(), is.foreign()); err != nil {
		return err // what is missing would look resolved or new
	}
	if err := a.writeChanges(o, changes); err != nil {
		return err
	}
	if was.bad+is.bad > 0 {
		return exit(exitTrouble)
	}
	for _, c := range changes {
		if c.Status == finding.New && o.failOn > 0 && c.Finding.Severity >= o.failOn {
			return exit(exitFindings)
		}
	}
	return nil
}

func (a *app) writeChanges(o *diffOptions, changes []finding.Change) error {
	out, err := openOutput(o.output, a.stdout)
	if err != nil {
		return err
	}
	if o.format == formatJSONL {
		lines := json.NewEncoder(out)
		for _, c := range changes {
			if err = lines.Encode(c); err != nil {
				break
			}
		}
	} else {
		var look report.TableOptions
		if o.output == "" {
			look = report.TableOptions{Color: colours(a.stdout), Width: width(a.stdout)}
		}
		err = report.WriteChanges(out, changes, look)
	}
	if err != nil {
		return out.failure(err)
	}
	return out.commit()
}
