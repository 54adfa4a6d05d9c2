package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
)

// stored are the results in a file that --format jsonl wrote.
type stored struct {
	app    *app
	path   string
	r      io.Reader
	file   *os.File // to be closed; nil for standard input
	good   int      // lines that hold a result
	bad    int      // lines that hold none, blank ones aside
	failed error    // why reading ended early
}

// readable finds out whether there is such a file, - being standard input.
func readable(path string) error {
	if path == "-" {
		return nil
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		err = errors.New("it is a directory")
	}
	if err != nil {
		return fmt.Errorf("%s: %w: name a file that 'handclasp scan --format jsonl' wrote, or - for standard input", path, cause(err))
	}
	return nil
}

// openStored opens the file, - for standard input.
func (a *app) openStored(path string) (*stored, error) {
	if path == "-" {
		return &stored{app: a, path: "standard input", r: a.stdin}, nil
	}
	if err := readable(path); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	return &stored{app: a, path: path, r: file, file: file}, nil
}

// readBaseline reads the findings of an earlier scan. A line that can't be read is an error: what it holds would be
// reported as new.
func (a *app) readBaseline(path string) (*finding.Baseline, error) {
	s, err := a.openStored(path)
	if err != nil {
		return nil, fmt.Errorf("--baseline: %w", err)
	}
	defer s.close()
	b := finding.NewBaseline()
	for r := range s.records() {
		b.Add(r)
	}
	switch {
	case s.failed != nil:
		return nil, fmt.Errorf("--baseline: %w", s.failed)
	case s.bad > 0:
		return nil, fmt.Errorf("--baseline: %s: lines as said above hold no result: take them out", s.path)
	}
	return b, nil
}

// complaints is how many lines of a file are named before the rest is only counted: a file of another kind has many.
const complaints = 5

// records yields what can be read, its evidence typed, and complains of each line that can't.
func (s *stored) records() iter.Seq[finding.Record] { return s.read(s.app.readers()) }

func (s *stored) read(probers []probe.Prober) iter.Seq[finding.Record] {
	return func(yield func(finding.Record) bool) {
		for r, err := range report.Read(s.r, probers...) {
			var line *report.LineError
			switch {
			case errors.As(err, &line):
				if s.bad++; s.bad <= complaints {
					s.app.complain("%s:%d: not a result: %s: passed over", s.path, line.Line, shortened(line.Err))
				}
			case err != nil:
				s.failed = fmt.Errorf("%s: %w", s.path, cause(err))
			default:
				s.good++
				if !yield(r) {
					return
				}
			}
		}
		if more := s.bad - complaints; more > 0 {
			s.app.complain("%s: and %d more such lines", s.path, more)
		}
	}
}

// shortened words an error that may quote all of a line.
func shortened(err error) string {
	const most = 240
	text := err.Error()
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}

// foreign is why a file can't be taken for results: it failed, or holds lines and no result; nil where it can.
func (s *stored) foreign() error {
	var none error
	if s.bad > 0 && s.good == 0 {
		none = fmt.Errorf("%s: no results: name a file that 'handclasp scan --format jsonl' wrote", s.path)
	}
	return cmp.Or(s.failed, none)
}

func (s *stored) close() {
	if s.file != nil {
		_ = s.file.Close()
	}
}
