package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

const diffHelp = `Compare two scans that were written with --format jsonl.

A finding is new, changed (it is about more or less than before, or rated otherwise), resolved, unchanged or
unknown. Resolved means that it isn't so in a result that learned that, or that the port is closed. Unknown
means that it wasn't learned, this time or before. Of what didn't change only the number is told; --all
lists it.

Beside findings it tells what identifies a server and changed: host keys, certificate keys, versions, names, ways
to log in; that a name moved, that something was asked for by another name, and what follows from another level
or other rules. If half of a group of four endpoints or more is lost at once nothing in it counts as resolved;
--accept-loss says that it is gone indeed.

Severities and accepted risks are those that are stored, unless --severity-profile or --accept says otherwise: then it is
as if both scans had been made with it.

A scan is OLD or NEW, or - for one of the two on standard input. Both may be compressed by gzip or zstd.`

func (a *app) diffCommand() *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff [flags] OLD.jsonl NEW.jsonl",
		Short: "Compare the findings of two scans",
		Long:  diffHelp,
		Example: `  handclasp diff monday.jsonl tuesday.jsonl
  handclasp diff --fail-on medium monday.jsonl tuesday.jsonl
  handclasp scan --format jsonl --input hosts.txt | handclasp diff last.jsonl -`,
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
	f.Var(value[string]{&o.format, parseListFormat, text, "FORMAT"}, "format",
		"what to write: table, or jsonl, one JSON object a line")
	f.Var(value[string]{&o.output, parseFile, text, "FILE"}, "output", "write to FILE instead of standard output")
	f.Var(value[finding.Severity]{&o.failOn, finding.ParseSeverity, showSeverity, "SEVERITY"}, "fail-on",
		"exit with status 1 if something new is as severe as this, or more: info, low, medium, high or critical")
	o.losses.register(f)
	o.accept.register(f)
	registerProfile(f, &o.profile)
	o.policies.register(f)
	f.BoolVar(&o.unchanged, "all", false, "list findings that didn't change, too")
	cmd.SetUsageTemplate(cmd.UsageTemplate() + exitTable)
	return cmd
}

type diffOptions struct {
	format string
	output string
	failOn finding.Severity

	losses    losses
	unchanged bool
	accept    acceptance
	profile   finding.Profile // none: severities are those stored
	policies  policies
}

// parseListFormat takes the forms that a list of changes has.
func parseListFormat(text string) (string, error) {
	if text != formatTable && text != formatJSONL {
		return "", errors.New("unknown format: use table or jsonl")
	}
	return text, nil
}

func (a *app) diff(o *diffOptions, older, newer string) error {
	a, err := o.policies.apply(a)
	if err == nil {
		err = a.readAccepted(&o.accept)
	}
	if err != nil {
		return err
	}
	was, err := a.openStored(older)
	if err != nil {
		return err
	}
	is, err := a.openStored(newer)
	if err != nil {
		was.close()
		return err
	}
	delta := finding.Diff(o.accept.again(was.entries()), o.accept.mark(is.entries()), &finding.DiffOptions{
		Rules: o.profile.Rate(a.rules), Comparisons: o.profile.RateComparisons(a.comparisons), Rated: o.profile.Name != "",
		AcceptLoss: o.losses.accept, Unchanged: o.unchanged,
	})
	was.close()
	is.close()
	if err := cmp.Or(was.foreign(), is.foreign()); err != nil {
		return err // what is missing would look resolved or new
	}
	if is.good > 0 && was.latest.After(is.latest) {
		return fmt.Errorf("%s was scanned later than %s: name the older one first", was.path, is.path)
	}
	if err := a.writeChanges(o, delta); err != nil {
		return err
	}
	o.accept.tell(a)
	return o.losses.judgement(balanceOf(delta), o.failOn, was.bad+is.bad > 0)
}

func (a *app) writeChanges(o *diffOptions, delta finding.Delta) error {
	out, err := openOutput(o.output, a.stdout)
	if err != nil {
		return err
	}
	if o.format == formatJSONL {
		lines := json.NewEncoder(out)
		for _, c := range delta.Changes {
			err = errors.Join(err, lines.Encode(c))
		}
		for _, n := range delta.Notes {
			err = errors.Join(err, lines.Encode(n))
		}
	} else {
		var look report.TableOptions
		if o.output == "" {
			look = a.tableLook()
		}
		err = report.WriteDelta(out, delta, look)
	}
	if err != nil {
		return out.failure(err)
	}
	return out.commit()
}
