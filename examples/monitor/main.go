// Command monitor scans targets, tells what changed since its last runs, and exits with status 1 if something new is at
// least medium: a job for cron or CI.
//
//	go run ./examples/monitor fleet.db ftp://127.0.0.1:2121 192.0.2.0/28
//
// It keeps what is known in the file that is named first.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/scan"
)

var errNew = errors.New("there is something new")

// scanAll scans the targets as one whole scan with an id of its own. A name that has no address tonight keeps what is known of it.
func scanAll(ctx context.Context, targets []string) ([]finding.Entry, error) {
	began := time.Now().UTC()
	id := began.Format(time.RFC3339Nano)
	entries := []finding.Entry{{Header: &finding.Header{Scan: id, Started: began}}}
	var unresolved []string
	for record, err := range handclasp.Scan(ctx, targets, nil) {
		if bad := (*scan.InputError)(nil); errors.As(err, &bad) && bad.Unresolved != "" {
			unresolved = append(unresolved, bad.Unresolved)
			continue
		}
		if err != nil {
			return nil, err
		}
		record.Scan = id
		entries = append(entries, finding.Entry{Record: record})
	}
	return append(entries, finding.Entry{Footer: &finding.Footer{Scan: id, Ended: time.Now().UTC(), Complete: true, Unresolved: unresolved}}), ctx.Err()
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) < 2 {
		return errors.New("usage: monitor FLEET.db TARGET [TARGET]")
	}
	state, err := monitor.Open(args[0], &monitor.Options{Rules: handclasp.Rules(), Comparisons: handclasp.Comparisons()})
	if err != nil {
		return err
	}
	defer state.Close()
	entries, err := scanAll(ctx, args[1:])
	if err != nil {
		return err
	}
	if _, err := state.Apply(ctx, slices.Values(entries), nil); err != nil {
		return err
	}
	alarm := false
	var told []int64
	for e, err := range state.Events(ctx, 0) {
		if err != nil {
			return err
		}
		switch {
		case e.Change != nil:
			fmt.Fprintln(stdout, e.Kind, e.Endpoint, e.Change.Finding.ID, e.Change.Finding.Severity)
		case e.Note != nil:
			fmt.Fprintln(stdout, e.Kind, e.Endpoint, e.Note.Text)
		case e.Summary != nil:
			fmt.Fprintf(stdout, "%d new · %d resolved · %d unknown · %d unchanged\n", e.Summary.New, e.Summary.Resolved, e.Summary.Unknown, e.Summary.Unchanged)
		}
		alarm = alarm || e.Alarming(finding.Medium)
		told = append(told, e.ID)
	}
	if err := state.Ack(ctx, told...); err != nil {
		return err // they are told again the next time
	}
	if alarm {
		return errNew
	}
	return nil
}

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, errNew):
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
