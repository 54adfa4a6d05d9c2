package main

import (
	"errors"
	"io"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/outform"
	"github.com/handclasp/handclasp/report"
)

// The forms in which results are written.
const (
	formatTable = outform.Table
	formatHTML  = outform.HTML
	formatCSV   = outform.CSV
	formatJSONL = outform.JSONL
)

const formatHelp = "what to write: table; html, one page for a browser; csv; sarif, defectdojo, ocsf or junit, for other programs; or jsonl, one JSON object a line"

// A sink takes results in one of the forms.
type sink interface {
	write(r finding.Record, h report.Host) error
	// pass takes note of a result that isn't to be written.
	pass(r finding.Record, h report.Host) error
	close() error
}

// fitsStdout refuses to fill a terminal with what isn't meant to be read there.
func (a *app) fitsStdout(format, output string) error {
	if format == formatHTML && output == "" && isTerminal(a.stdout) {
		return errors.New("--format html: a page is for a browser: add --output report.html")
	}
	return nil
}

// newSink returns a sink that writes to w, which is standard output or not. The table's options say more of a table.
func (a *app) newSink(w io.Writer, format string, stdout bool, o report.TableOptions) sink {
	switch format {
	case formatTable:
		if stdout {
			o.Color, o.Width = colours(a.stdout), width(a.stdout)
		}
		return grouped{report.NewTable(w, o)}
	case formatJSONL:
		return everything{plain{report.NewJSONL(w)}}
	}
	return plain{outform.New(w, format, a.catalogue(), moduleVersion())}
}

// plain is a form that knows no hosts.
type plain struct{ w report.Writer }

func (p plain) write(r finding.Record, _ report.Host) error { return p.w.Write(r) }
func (p plain) pass(finding.Record, report.Host) error      { return nil }
func (p plain) close() error                                { return p.w.Close() }

// everything is a form that has all results, whatever isn't new.
type everything struct{ plain }

func (e everything) pass(r finding.Record, h report.Host) error { return e.write(r, h) }

// skip takes note of a result that nobody asked for, in whatever form.
func skip(s sink) func(finding.Record, report.Host) error {
	if e, ok := s.(everything); ok {
		return e.plain.pass
	}
	return s.pass
}

type grouped struct{ t *report.Table }

func (g grouped) write(r finding.Record, h report.Host) error { return g.t.Write(r, h) }
func (g grouped) pass(r finding.Record, h report.Host) error  { return g.t.Pass(r, h) }
func (g grouped) close() error                                { return g.t.Close() }
