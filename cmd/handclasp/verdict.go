package main

import (
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
	lines *report.JSONL // has the line; nil if none is made
	line  []byte
	err   error // why there is no line
}

// judged judges a result; several are judged at once.
func (s *session) judged(r scan.Result) *verdict {
	v := &verdict{Result: r}
	if r.Outcome == probe.OutcomeCanceled && s.job.resume != nil {
		return v // it comes again
	}
	v.record = s.judge.Record(r.Result)
	v.record.Tag = r.Endpoint.Input.Tag
	v.record.Findings = s.o.choice.reported(v.record.Findings)
	v.state, v.silent = report.StateOf(v.record), s.o.choice.passes(v.record)
	if s.o.format == formatJSONL && s.o.baseline == nil && len(s.also) == 0 && !v.silent {
		s.makeLine(v)
	}
	return v
}

func (s *session) makeLine(v *verdict) {
	v.lines, _ = s.lines.Get().(*report.JSONL)
	if v.lines == nil {
		v.lines = report.NewJSONL(nil)
	}
	r := v.record.Result // nobody else has it any more
	if !s.o.transcript {
		r.Transcript = nil
	}
	v.line, v.err = v.lines.Line(s.stored(v.record))
	r.Evidence, r.Software, r.Transcript = nil, nil, nil
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

// writeLine writes the line, whose memory is free for the next then.
func (s *session) writeLine(v *verdict) func(finding.Record, report.Host) error {
	return func(finding.Record, report.Host) error {
		if v.err == nil {
			_, v.err = s.ledger.Write(v.line)
		}
		s.lines.Put(v.lines)
		v.lines, v.line = nil, nil
		return v.err
	}
}
