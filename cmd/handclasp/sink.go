package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/report/sarif"
)

// The forms in which results are written.
const (
	formatTable = "table"
	formatHTML  = "html"
	formatCSV   = "csv"
	formatSARIF = "sarif"
	formatDojo  = "defectdojo"
	formatOCSF  = "ocsf"
	formatJUnit = "junit"
	formatJSONL = "jsonl"
)

var formats = []string{formatTable, formatHTML, formatCSV, formatSARIF, formatDojo, formatOCSF, formatJUnit, formatJSONL}

const formatHelp = "what to write: table; html, one page for a browser; csv; sarif, defectdojo, ocsf or junit, for other programs; or jsonl, one JSON object a line"

func parseFormat(text string) (string, error) {
	if slices.Contains(formats, text) {
		return text, nil
	}
	last := len(formats) - 1
	return "", fmt.Errorf("unknown format: use %s or %s", strings.Join(formats[:last], ", "), formats[last])
}

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
	case formatHTML:
		return plain{report.NewHTML(w, report.HTMLOptions{Rules: a.catalogue()})}
	case formatCSV:
		return plain{report.NewCSV(w)}
	case formatSARIF:
		return plain{sarif.New(w, sarif.Options{Rules: a.catalogue(), Version: moduleVersion()})}
	case formatDojo:
		return plain{report.NewDefectDojo(w, report.Options{Rules: a.catalogue(), Version: moduleVersion()})}
	case formatOCSF:
		return plain{report.NewOCSF(w, report.Options{Rules: a.catalogue(), Version: moduleVersion()})}
	case formatJUnit:
		return plain{report.NewJUnit(w, report.Options{Rules: a.catalogue(), Version: moduleVersion()})}
	case formatJSONL:
		return everything{plain{report.NewJSONL(w)}}
	}
	if stdout {
		o.Color, o.Width = colours(a.stdout), width(a.stdout)
	}
	return grouped{report.NewTable(w, o)}
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
