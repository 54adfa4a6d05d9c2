// Package outform knows the forms in which commands write results, and which of them the name of a file tells.
package outform

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/report/sarif"
)

// The forms.
const (
	Table = "table"
	HTML  = "html"
	CSV   = "csv"
	SARIF = "sarif"
	Dojo  = "defectdojo"
	OCSF  = "ocsf"
	JUnit = "junit"
	JSONL = "jsonl"
)

// Forms are all of them.
var Forms = []string{Table, HTML, CSV, SARIF, Dojo, OCSF, JUnit, JSONL}

// Parse returns the form of that name.
func Parse(text string) (string, error) {
	if slices.Contains(Forms, text) {
		return text, nil
	}
	last := len(Forms) - 1
	return "", fmt.Errorf("unknown format: use %s or %s", strings.Join(Forms[:last], ", "), Forms[last])
}

// endings are the forms that names of files tell. The first that fits counts.
var endings = []struct{ ending, form string }{
	{".defectdojo.json", Dojo}, {".ocsf.jsonl", OCSF}, {".ocsf.json", OCSF}, {".junit.xml", JUnit}, {".xml", JUnit},
	{".jsonl", JSONL}, {".ndjson", JSONL}, {".json", JSONL}, {".html", HTML}, {".htm", HTML}, {".csv", CSV},
	{".sarif", SARIF}, {".txt", Table},
}

// Of is the form that a name tells; empty if it tells none.
func Of(path string) string {
	path = strings.ToLower(path)
	for _, e := range endings {
		if strings.HasSuffix(path, e.ending) {
			return e.form
		}
	}
	return ""
}

// Untold is the error of a name that tells no form.
func Untold(path string) error {
	return fmt.Errorf("--output: the name %s says no format: let it end with .jsonl, .html, .csv, .sarif, .defectdojo.json, .ocsf.jsonl, .junit.xml or .txt", path)
}

// New returns a writer of a form. The rules are those that findings may be of, and the version is that of the program that probed.
func New(w io.Writer, form string, rules []finding.Rule, version string) report.Writer {
	o := report.Options{Rules: rules, Version: version}
	switch form {
	case HTML:
		return report.NewHTML(w, report.HTMLOptions{Rules: rules})
	case CSV:
		return report.NewCSV(w)
	case SARIF:
		return sarif.New(w, sarif.Options{Rules: rules, Version: version})
	case Dojo:
		return report.NewDefectDojo(w, o)
	case OCSF:
		return report.NewOCSF(w, o)
	case JUnit:
		return report.NewJUnit(w, o)
	case JSONL:
		return report.NewJSONL(w)
	}
	return ungrouped{report.NewTable(w, report.TableOptions{})}
}

// An ungrouped table knows no hosts.
type ungrouped struct{ *report.Table }

func (u ungrouped) Write(r finding.Record) error { return u.Table.Write(r, report.Host{}) }
