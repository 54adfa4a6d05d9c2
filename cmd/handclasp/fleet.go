package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/report"
)

// mostNights bounds what is read of a state for a chart.
const mostNights = 1000

// reportState writes how things stand by a state.
func (a *app) reportState(ctx context.Context, o *reportOptions) error {
	switch {
	case o.format != formatTable && o.format != formatHTML && o.format != formatCSV && o.format != formatJSONL:
		return fmt.Errorf("--state: how things stand is written as table, html, csv or jsonl, and not as %s", o.format)
	case len(o.more) > 0:
		return errors.New("--state: one output can be written at a time")
	}
	if err := a.fitsStdout(o.format, o.output); err != nil {
		return err
	}
	state, err := (&questions{state: o.state}).ask()
	if err != nil {
		return err
	}
	defer state.Close()
	st, err := state.Status(ctx)
	if err != nil {
		return err
	}
	scans, err := state.Scans(ctx, mostNights)
	if err != nil {
		return err
	}
	fleet := report.Fleet{At: time.Now(), Open: st.Open}
	for _, s := range slices.Backward(scans) {
		fleet.Nights = append(fleet.Nights, report.Night{At: s.Ended, Open: s.Known + s.New - s.Resolved})
	}
	out, err := openOutput(o.output, a.stdout)
	if err != nil {
		return err
	}
	if err := a.writeFleet(out, o, st, fleet); err != nil {
		return out.failure(err)
	}
	return out.commit()
}

func (a *app) writeFleet(w io.Writer, o *reportOptions, st monitor.Status, fleet report.Fleet) error {
	switch o.format {
	case formatHTML:
		return report.WriteFleetHTML(w, fleet, report.HTMLOptions{Rules: a.catalogue(), Title: "Open findings"})
	case formatCSV:
		return report.WriteFleetCSV(w, fleet, a.catalogue())
	case formatJSONL:
		for _, open := range st.Open {
			line, err := json.Marshal(open)
			if err == nil {
				_, err = w.Write(append(report.CleanJSON(line), '\n'))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return a.writeStatus(w, st, fleet.At)
}
