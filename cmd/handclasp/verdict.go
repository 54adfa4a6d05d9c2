package main

import (
	"bytes"
	"io"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/scan"
)

// A verdict is a result that was judged, and is to be written.
type verdict struct {
	scan.Result
	record finding.Record
	state  report.State
	silent bool // nobody asked for it

	// If JSON lines are all that is written, the line is made already, and what it holds isn't held twice: neither evidence nor
	// software nor transcript is left in the result.
	lined bool
	line  []byte
	err   error // why there is no line
}

// judged judges a result, in the goroutine of its probe: several at once.
func (s *session) judged(r scan.Result) *verdict {
	v := &verdict{Result: r}
	if r.Outcome == probe.OutcomeCanceled && s.job.resume != nil {
		return v // it comes again
	}
	v.record = s.judge.Record(r.Result)
	v.record.Tag = r.Endpoint.Input.Tag
	v.record.Findings = s.o.choice.reported(v.record.Findings)
	v.state, v.silent = report.StateOf(v.record), s.o.choice.passes(v.record)
	if s.o.format == formatJSONL && s.o.baseline == nil && len(s.also) == 0 {
		s.makeLine(v)
	}
	return v
}

func (s *session) makeLine(v *verdict) {
	lines, _ := s.lines.Get().(*report.JSONL)
	if lines == nil {
		lines = report.NewJSONL(nil)
	}
	defer s.lines.Put(lines)
	v.lined = true
	line, err := lines.Line(s.stored(v.record))
	v.line, v.err = bytes.Clone(line), err
	rest := *v.record.Result
	rest.Evidence, rest.Software, rest.Transcript = nil, nil, nil
	v.Result.Result, v.record.Result = &rest, &rest
}

// stored is a record as it is written.
func (s *session) stored(r finding.Record) finding.Record {
	if s.tells() {
		r.Scan = s.job.identity.id
	}
	if s.o.format == formatJSONL && !s.o.transcript {
		r = r.WithoutTranscript()
	}
	return r
}

// write writes the line.
func (v *verdict) write(w io.Writer) func(finding.Record, report.Host) error {
	return func(finding.Record, report.Host) error {
		if v.err == nil {
			_, v.err = w.Write(v.line)
		}
		return v.err
	}
}
