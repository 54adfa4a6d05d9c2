package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/lazy"
)

// A DefectDojo writes findings for DefectDojo's Generic Findings Import, as JSON. Each record is written as it comes; without
// Close the file is incomplete.
//
// A finding's key is its unique id, so that the next import knows it again. Its importer refuses a file with a field that it
// doesn't know: kev_date and known_exploited are there only of a finding that has them, and want a DefectDojo of 2025.
type DefectDojo struct {
	out     envelope
	texts   texts
	written int
}

// NewDefectDojo returns a writer of findings to w.
func NewDefectDojo(w io.Writer, o Options) *DefectDojo {
	return &DefectDojo{out: envelope{w: w, head: `{"findings":[`, tail: "\n]}\n"}, texts: textsOf(o.Rules)}
}

// A dojoFinding has the names of DefectDojo's model.
type dojoFinding struct {
	Title            string         `json:"title"` // 511 characters at most
	Severity         string         `json:"severity"`
	Description      string         `json:"description"` // Markdown
	Date             string         `json:"date"`
	CWE              int            `json:"cwe,omitempty"`
	IDs              []string       `json:"vulnerability_ids,omitempty"`
	CVSSv3           string         `json:"cvssv3,omitempty"`
	CVSSv3Score      float64        `json:"cvssv3_score,omitempty"`
	CVSSv4           string         `json:"cvssv4,omitempty"`
	CVSSv4Score      float64        `json:"cvssv4_score,omitempty"`
	EPSS             float64        `json:"epss_score,omitempty"`
	Exploited        bool           `json:"known_exploited,omitempty"`
	KEV              string         `json:"kev_date,omitempty"`
	Mitigation       string         `json:"mitigation,omitempty"`
	References       string         `json:"references,omitempty"`
	Active           bool           `json:"active"`
	RiskAccepted     bool           `json:"risk_accepted,omitempty"`
	Static           bool           `json:"static_finding"`
	Dynamic          bool           `json:"dynamic_finding"`
	Confidence       int            `json:"scanner_confidence,omitempty"`
	Key              string         `json:"unique_id_from_tool"`
	Rule             string         `json:"vuln_id_from_tool"`
	ComponentName    string         `json:"component_name,omitempty"`
	ComponentVersion string         `json:"component_version,omitempty"`
	Service          string         `json:"service,omitempty"`
	Endpoints        []dojoEndpoint `json:"endpoints"`
}

type dojoEndpoint struct {
	Protocol string `json:"protocol,omitempty"`
	Host     string `json:"host"`
	Port     uint16 `json:"port"`
}

var dojoSeverities = map[finding.Severity]string{
	finding.Critical: "Critical", finding.High: "High", finding.Medium: "Medium", finding.Low: "Low", finding.Info: "Info",
}

// dojoConfidence is what DefectDojo calls certain, firm and tentative.
var dojoConfidence = map[finding.Known]int{finding.Seen: 1, finding.Claimed: 4, finding.Inferred: 7}

// Write writes one record's findings. An error comes again from Close.
func (d *DefectDojo) Write(r finding.Record) error {
	var b bytes.Buffer
	document := documentOf(r)
	for _, f := range r.Findings {
		text, err := json.Marshal(d.finding(r, f, document))
		if err != nil {
			return err
		}
		if d.written > 0 {
			b.WriteByte(',')
		}
		d.written++
		b.WriteByte('\n')
		b.Write(CleanJSON(text))
	}
	return d.out.write(b.Bytes())
}

// Close writes the end.
func (d *DefectDojo) Close() error { return d.out.close() }

func (d *DefectDojo) finding(r finding.Record, f finding.Finding, document *document) *dojoFinding {
	rule := d.texts.of(f)
	j := &dojoFinding{
		Title: fit(cmp.Or(f.Title, f.ID), 250), Severity: dojoSeverities[f.Severity], Date: r.Started.UTC().Format(time.DateOnly),
		IDs: vulnerabilities(f), EPSS: within(f.EPSS, 1), KEV: kevDay(f), Mitigation: remedy(f, rule), References: strings.Join(references(f, rule), "\n"),
		Active: !f.IsAccepted(), RiskAccepted: f.IsAccepted(), Dynamic: true, Confidence: dojoConfidence[f.Known], Key: fit(f.Key, 100), Rule: fit(f.ID, 100), Service: fit(r.Protocol, 40),
		Endpoints: []dojoEndpoint{endpointOfDojo(r)},
	}
	j.Exploited = j.KEV != ""
	if len(f.CWE) > 0 {
		j.CWE = f.CWE[0]
	}
	switch cvssVersion(f.CVSS) {
	case "3.0", "3.1":
		j.CVSSv3, j.CVSSv3Score = f.CVSS, within(f.Score, 10)
	case "4.0":
		j.CVSSv4, j.CVSSv4Score = f.CVSS, within(f.Score, 10)
	}
	if software := recognised(r, f); len(software) > 0 {
		j.ComponentName, j.ComponentVersion = fit(software[0].Product, 100), fit(software[0].Version, 50)
	}
	// What a server chose stands in a block of code, a line each, where nothing is Markdown.
	var b strings.Builder
	for _, paragraph := range []string{rule.Summary, knownSentences[f.Known]} {
		if paragraph != "" {
			b.WriteString(paragraph + "\n\n")
		}
	}
	for _, line := range lines(r, f, document) {
		b.WriteString("    " + line + "\n")
	}
	j.Description = b.String()
	return j
}

// What DefectDojo takes for a scheme and for a name.
var (
	dojoScheme = lazy.Pattern(`^[A-Za-z][A-Za-z0-9.+-]{1,9}$`)
	dojoHost   = lazy.Pattern(`^[A-Za-z0-9_+-][A-Za-z0-9_.+-]{1,254}$`)
)

// endpointOfDojo is the name that was asked for if DefectDojo takes it, or else the address, without a zone.
func endpointOfDojo(r finding.Record) dojoEndpoint {
	e := dojoEndpoint{Host: r.Target.Addr.Addr().WithZone("").String(), Port: r.Target.Addr.Port()}
	if dojoHost().MatchString(r.Target.Name) {
		e.Host = r.Target.Name
	}
	if dojoScheme().MatchString(r.Protocol) {
		e.Protocol = r.Protocol
	}
	return e
}
