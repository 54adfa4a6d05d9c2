package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/handclasp/handclasp/finding"
)

// CSV writes a line for each finding, and one for each record without any, so that what was reached and is clean can
// be told from what wasn't reached. The form is that of RFC 4180, in UTF-8, with a header; each record is written with
// one call to Write as soon as it is given.
//
// Texts that a server chose can't act in a spreadsheet: what isn't printable is spelled as [Clean] does, a cell is cut
// behind a thousand columns, and if a cell, or what stands behind a semicolon in it, begins with =, +, -, @ or the
// full-width form of one of them, an apostrophe is put before it.
type CSV struct {
	w     io.Writer
	began bool
}

// csvHeader names the columns. They are a contract: added to, never renamed.
var csvHeader = []string{
	"severity", "id", "title", "detail", "known", "proof", "cwe",
	"protocol", "network", "address", "port", "name", "state", "outcome", "error", "greeting", "software", "cpe", "started",
	"cve", "cvss", "cvss_score", "kev", "epss", "data", "accepted",
}

// NewCSV returns a writer of CSV to w.
func NewCSV(w io.Writer) *CSV { return &CSV{w: w} }

// Write writes one record.
func (c *CSV) Write(r finding.Record) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if !c.began {
		_ = w.Write(csvHeader) // a buffer takes everything
	}
	for _, line := range csvLines(r) {
		for i := range line {
			line[i] = inert(line[i])
		}
		_ = w.Write(line)
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	c.began = true
	_, err := c.w.Write(b.Bytes())
	return err
}

// Close returns nil: everything is written already.
func (c *CSV) Close() error { return nil }

func csvLines(r finding.Record) [][]string {
	document := documentOf(r)
	failure := ""
	if r.Err != nil {
		failure = r.Err.Error()
	}
	where := []string{
		r.Protocol, string(r.Target.Network), r.Target.Addr.Addr().String(), fmt.Sprint(r.Target.Addr.Port()), r.Target.Name,
		string(StateOf(r)), string(r.Outcome), failure, headline(r, document), software(r), cpes(r), r.Started.UTC().Format(time.RFC3339),
	}
	if len(r.Findings) == 0 {
		line := make([]string, len(csvHeader))
		copy(line[whereColumn:], where)
		return [][]string{line}
	}
	var lines [][]string
	for _, f := range r.Findings {
		line := []string{
			f.Severity.String(), f.ID, f.Title, f.Detail, string(f.Known), strings.Join(proofs(document, f), " | "), numbers(f.CWE),
		}
		data := ""
		if f.Data != nil {
			data = dataName(f.Data)
		}
		line = append(append(line, where...), strings.Join(f.CVE, " "), f.CVSS, number(f.Score), f.KEV, number(f.EPSS), data, acceptedWords(f))
		lines = append(lines, line)
	}
	return lines
}

// whereColumn is the first of those that say which endpoint it is.
const whereColumn = 7

// number is empty for zero, which stands for not known.
func number(x float64) string {
	if x == 0 {
		return ""
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

func numbers(list []int) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = fmt.Sprint(n)
	}
	return strings.Join(words, " ")
}

// cpes are the CPE names of what was recognised.
func cpes(r finding.Record) string {
	var names []string
	for _, s := range r.Software {
		if s.CPE != "" {
			names = append(names, s.CPE)
		}
	}
	return strings.Join(names, " ")
}

// maxCell is in columns: enough for any proof, and a cell still opens in every spreadsheet.
const maxCell = 1000

// inert makes text safe for a cell. If a spreadsheet takes the semicolon for the separator, as it does in many
// languages, what stands behind one becomes a cell too.
func inert(s string) string {
	parts := strings.SplitAfter(fit(s, maxCell), ";")
	for i, part := range parts {
		if bare := strings.TrimLeft(part, ` "`); bare != "" {
			if first, _ := utf8.DecodeRuneInString(bare); strings.ContainsRune("=+-@＝＋－＠", first) {
				parts[i] = "'" + part
			}
		}
	}
	return strings.Join(parts, "")
}
