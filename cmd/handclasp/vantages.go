package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

// reportVantages writes where stored results of several vantages disagree.
func (a *app) reportVantages(o *reportOptions, paths []string) error {
	switch {
	case o.format != formatTable && o.format != formatJSONL:
		return fmt.Errorf("--vantages: where they disagree is written as table or jsonl, and not as %s", o.format)
	case len(o.more) > 0:
		return errors.New("--vantages: one output can be written at a time")
	case slices.Contains(paths, "-"):
		return errors.New("--vantages: results are read twice: name a file in place of standard input")
	}
	v, bad := report.NewVantages(), 0
	for again, take := range []func(finding.Entry){v.Learn, v.Collect} {
		err := a.eachFile(paths, func(s *stored) error {
			s.silent = again > 0
			for e := range s.entries() {
				take(e)
			}
			bad += s.bad
			return s.foreign()
		})
		if err != nil {
			return err
		}
	}
	out, err := openOutput(o.output, a.stdout)
	if err != nil {
		return err
	}
	if err := a.writeDisagreements(out, o.format, v.Disagreements()); err != nil {
		return out.failure(err)
	}
	if err := out.commit(); err != nil || bad == 0 {
		return err
	}
	return exit(exitTrouble)
}

func (a *app) writeDisagreements(out *output, format string, all []report.Disagreement) error {
	if format == formatJSONL {
		for _, d := range all {
			line, err := json.Marshal(d)
			if err == nil {
				_, err = out.Write(append(report.CleanJSON(line), '\n'))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	var look report.TableOptions
	if out.path == "" {
		look = a.tableLook()
	}
	blocks := make([]report.Block, 0, len(all))
	for _, d := range all {
		blocks = append(blocks, d.Block())
	}
	if err := report.WriteBlocks(out, blocks, look); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "endpoints that don't look the same from everywhere: %d\n", len(all))
	return err
}
