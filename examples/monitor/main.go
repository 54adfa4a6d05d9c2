// Command monitor scans targets, tells what changed since its last run, and exits with status 1 where something new is at
// least medium: a job for cron or CI.
//
//	go run ./examples/monitor results.jsonl ftp://127.0.0.1:2121 192.0.2.0/28
//
// It keeps the results of the last run in the file that is named first.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

var errNew = errors.New("there is something new")

// probeAll scans the targets and returns what was found.
func probeAll(ctx context.Context, targets []string) (records []finding.Record, err error) {
	for r, err := range handclasp.Scan(ctx, targets, nil) {
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, ctx.Err()
}

// stored are the records of the last run; none at the first.
func stored(path string) (records []finding.Record, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	for r, err := range report.Read(file, handclasp.Probers()...) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// store replaces the file, whole or not at all.
func store(path string, records []finding.Record) error {
	file, err := os.CreateTemp(".", "results-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // where it isn't renamed
	lines := report.NewJSONL(file)
	for _, r := range records {
		err = errors.Join(err, lines.Write(r.WithoutTranscript()))
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) < 2 {
		return errors.New("usage: monitor RESULTS.jsonl TARGET [TARGET]")
	}
	last, err := stored(args[0])
	if err != nil {
		return err
	}
	now, err := probeAll(ctx, args[1:])
	if err != nil {
		return err
	}
	delta := finding.Diff(finding.Entries(slices.Values(last)), finding.Entries(slices.Values(now)), &finding.DiffOptions{
		Rules: handclasp.Rules(), Comparisons: handclasp.Comparisons(),
	})
	if err := report.WriteDelta(stdout, delta, report.TableOptions{}); err != nil {
		return err
	}
	// Before the alarm: it is raised once.
	if err := store(args[0], now); err != nil {
		return err
	}
	if slices.ContainsFunc(delta.Changes, func(c finding.Change) bool { return c.Alarming(finding.Medium) }) {
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
