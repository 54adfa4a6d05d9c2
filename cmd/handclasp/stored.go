package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/userfile"
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
	end    func()   // of decompression; nil for none
	latest time.Time
	silent bool // about lines that can't be read
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
		return fmt.Errorf("%s: %w: name a file that 'handclasp scan --format jsonl' wrote, or - for standard input", path, userfile.Cause(err))
	}
	return nil
}

// openStored opens the file, - for standard input. What gzip or zstd compressed is read as well.
func (a *app) openStored(path string) (*stored, error) {
	s := &stored{app: a, path: named(path)}
	if path == "-" {
		s.r = a.stdin
		return s, nil
	}
	if err := readable(path); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, userfile.Cause(err))
	}
	s.r, s.file = file, file
	if s.r, s.end, err = decompress(file); err != nil {
		s.close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// eachStored calls f with the results of all files, one after the other. silent is for files of whose bad lines somebody else tells.
func (a *app) eachStored(paths []string, silent bool, f func(*probe.Result)) error {
	return a.eachFile(paths, func(s *stored) error {
		s.silent = silent
		for record := range s.records() {
			f(record.Result)
		}
		return s.failed
	})
}

// eachFile opens the files one after the other, and closes each behind f.
func (a *app) eachFile(paths []string, f func(*stored) error) error {
	for _, path := range paths {
		s, err := a.openStored(path)
		if err != nil {
			return err
		}
		err = f(s)
		s.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// decompress looks at the first bytes of a file, whatever its name.
func decompress(file io.Reader) (r io.Reader, end func(), err error) {
	b := bufio.NewReader(file)
	magic, _ := b.Peek(4) // of a shorter file none matches
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		return z, nil, err
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}
	return b, nil, nil
}

// readBaseline reads the findings of an earlier scan. A line that can't be read is an error: what it holds would be
// reported as new.
func (a *app) readBaseline(o *options) (*finding.Baseline, error) {
	s, err := a.openStored(o.earlier)
	if err != nil {
		return nil, fmt.Errorf("--baseline: %w", err)
	}
	defer s.close()
	rules := a.profile.Rate(slices.Concat(a.rules, o.advice.judge.Rules()))
	b := finding.NewBaseline(s.entries(), rules, a.profile.RateComparisons(a.comparisons))
	switch {
	case s.failed != nil:
		return nil, fmt.Errorf("--baseline: %w", s.failed)
	case s.bad > 0:
		return nil, fmt.Errorf("--baseline: %s: lines as said above hold no result: take them out", s.path)
	}
	return b, nil
}

// sameFile reports whether two names are of one file.
func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// complaints is how many lines of a file are named before the rest is only counted: a file of another kind has many.
const complaints = 5

// entries yields what can be read, its evidence typed, and complains of each line that can't.
func (s *stored) entries() iter.Seq[finding.Entry] { return s.readEntries(s.app.readers()) }

// records yields the records among it.
func (s *stored) records() iter.Seq[finding.Record] { return s.read(s.app.readers()) }

func (s *stored) read(probers []probe.Prober) iter.Seq[finding.Record] {
	return func(yield func(finding.Record) bool) {
		for e := range s.readEntries(probers) {
			if e.Result != nil && !yield(e.Record) {
				return
			}
		}
	}
}

func (s *stored) readEntries(probers []probe.Prober) iter.Seq[finding.Entry] {
	return func(yield func(finding.Entry) bool) {
		for e, err := range report.ReadEntries(s.r, probers...) {
			var line *report.LineError
			switch {
			case errors.As(err, &line):
				if s.bad++; s.bad <= complaints && !s.silent {
					s.app.complain("%s:%d: not a result: %s: passed over", s.path, line.Line, shortened(line.Err))
				}
			case err != nil:
				s.failed = fmt.Errorf("%s: %w: the file is damaged or cut off: copy or write it anew", s.path, userfile.Cause(err))
			default:
				s.note(e)
				if !yield(e) {
					return
				}
			}
		}
		if more := s.bad - complaints; more > 0 && !s.silent {
			s.app.complain("%s: and %d more such lines", s.path, more)
		}
	}
}

// note remembers what tells two files apart.
func (s *stored) note(e finding.Entry) {
	s.good++
	if e.Result != nil && e.Started.After(s.latest) {
		s.latest = e.Started
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

// foreign is why a file can't be taken for results: it failed, or holds none; nil if it can.
func (s *stored) foreign() error {
	var none error
	if s.good == 0 {
		none = noResults(s.path)
	}
	return cmp.Or(s.failed, none)
}

// noResults is the error of files that hold nothing to tell.
func noResults(paths ...string) error {
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = named(path)
	}
	return fmt.Errorf("%s: no results: name a file that 'handclasp scan --format jsonl' wrote", strings.Join(names, ", "))
}

// named is how an error names a file.
func named(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

func (s *stored) close() {
	if s.end != nil {
		s.end()
	}
	if s.file != nil {
		_ = s.file.Close()
	}
}
