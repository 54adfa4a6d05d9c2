package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

// stored are the results in a file that --format jsonl wrote.
type stored struct {
	app    *app
	path   string
	r      io.Reader
	file   *os.File // to be closed; nil for standard input
	bad    int      // lines that hold no result
	failed error    // why reading ended early
}

// openStored opens the file, - for standard input.
func (a *app) openStored(path string) (*stored, error) {
	if path == "-" {
		return &stored{app: a, path: "standard input", r: a.stdin}, nil
	}
	file, err := os.Open(path)
	if err == nil {
		var info os.FileInfo
		if info, err = file.Stat(); err == nil && info.IsDir() {
			err = errors.New("it is a directory")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: name a file that 'handclasp scan --format jsonl' wrote", path, cause(err))
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
		b.Add(r.Judged())
	}
	switch {
	case s.failed != nil:
		return nil, fmt.Errorf("--baseline: %w", s.failed)
	case s.bad > 0:
		return nil, fmt.Errorf("--baseline: %s: lines as said above hold no result: take them out", s.path)
	}
	return b, nil
}

// records yields what can be read, and complains of each line that can't.
func (s *stored) records() iter.Seq[report.Record] {
	return func(yield func(report.Record) bool) {
		for r, err := range report.Read(s.r, s.app.probers...) {
			var line *report.LineError
			switch {
			case errors.As(err, &line):
				s.bad++
				s.app.complain("%s:%d: no result: %v: each line is a JSON object that 'handclasp scan --format jsonl' wrote", s.path, line.Line, line.Err)
			case err != nil:
				s.failed = fmt.Errorf("%s: %w", s.path, cause(err))
			default:
				if !yield(r) {
					return
				}
			}
		}
	}
}

func (s *stored) close() {
	if s.file != nil {
		_ = s.file.Close()
	}
}
