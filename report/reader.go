package report

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// maxLine bounds a stored record. It holds what a probe with the default limits can collect many times over.
const maxLine = 64 << 20

// A LineError is a line of a file that holds no record.
type LineError struct {
	Line int // counted from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// Read returns the records that were stored as JSON lines, one in memory at a time. Evidence gets the type that the
// prober of its protocol states, and stays [probe.RawEvidence] if there is none. Empty lines are passed over.
//
// Headers and footers of scans are passed over, too. A line that can't be used is a *[LineError], and the next ones follow;
// any other error is the reader's, and the last. What findings point to may be shared by several records, and isn't to be changed.
func Read(r io.Reader, probers ...probe.Prober) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		for e, err := range ReadEntries(r, probers...) {
			if err == nil && e.Result == nil {
				continue
			}
			if !yield(e.Record, err) {
				return
			}
		}
	}
}

// ReadEntries is [Read] with the headers and footers.
func ReadEntries(r io.Reader, probers ...probe.Prober) iter.Seq2[finding.Entry, error] {
	return func(yield func(finding.Entry, error) bool) {
		b := bufio.NewReaderSize(r, lineKept) // most lines fit
		d := finding.Decoder{Probers: probers}
		for n := 1; ; n++ {
			line, tooLong, err := readLine(b)
			switch line = bytes.TrimSpace(line); {
			case tooLong:
				if !yield(finding.Entry{}, &LineError{n, fmt.Errorf("longer than %d MiB", maxLine>>20)}) {
					return
				}
			case len(line) > 0:
				entry, bad := d.Decode(line)
				entry.Record = entry.From(line)
				if bad != nil {
					if err != nil && !errors.Is(err, io.EOF) {
						break // the line isn't whole, as is told below
					}
					bad = &LineError{n, bad}
				}
				if !yield(entry, bad) {
					return
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					yield(finding.Entry{}, err)
				}
				return
			}
		}
	}
}

// readLine reads up to a line end, and keeps nothing of a line that is too long.
func readLine(b *bufio.Reader) (line []byte, tooLong bool, err error) {
	for {
		part, err := b.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > maxLine; tooLong {
			line = nil
		} else {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, tooLong, err
		}
	}
}
