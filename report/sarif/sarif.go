// Package sarif writes findings for code scanning. It is apart from package report because of the modules that it links.
package sarif

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	oasis "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
)

// Options say what a log states beside the findings.
type Options struct {
	// Rules give findings their help. All of them are listed, so that a rule that found nothing can be told from one
	// that wasn't there. A finding of another rule is reported with what it says itself.
	Rules   []finding.Rule
	Version string // of the program that probed, such as "v1.2.3"; may be empty
}

// A Writer writes findings as a log in the Static Analysis Results Interchange Format 2.1.0, for GitHub code scanning and
// its like. Findings are written as they come, and what the log says about the rules comes last, so that memory
// doesn't grow with their number. Without Close the log is incomplete.
//
// A network has no source files, and code scanning takes no result without one: see [docs/decisions/009].
// GitHub refuses a log with more than 25,000 findings.
//
// [docs/decisions/009]: https://github.com/handclasp/handclasp/blob/main/docs/decisions/009-sarif-locations.md
type Writer struct {
	w       io.Writer
	version string
	rules   []finding.Rule
	index   map[string]int // of a rule in rules
	tally   report.Tally
	results int
	failed  error
}

// New returns a writer to w.
func New(w io.Writer, o Options) *Writer {
	s := &Writer{w: w, version: o.Version, index: map[string]int{}}
	for _, r := range o.Rules {
		s.rule(r)
	}
	return s
}

// rule returns the index of r, which is listed if it wasn't yet.
func (s *Writer) rule(r finding.Rule) int {
	i, ok := s.index[r.ID]
	if !ok {
		i = len(s.rules)
		s.rules, s.index[r.ID] = append(s.rules, r), i
	}
	return i
}

const schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// Write writes one record's findings. An error comes again from Close.
func (s *Writer) Write(r finding.Record) error {
	proofs := report.Proofs(r)
	var b bytes.Buffer
	s.head(&b)
	s.tally.Add(r)
	for n, f := range r.Findings {
		f.ID = cmp.Or(f.ID, "unknown") // neither the form nor GitHub takes none
		i := s.rule(finding.Rule{ID: f.ID, Title: f.Title, Severity: f.Severity, CWE: f.CWE})
		text, err := json.Marshal(struct {
			*oasis.Result
			// Either all results of a log have them or none has (§3.27.23); none of this result is another thing than not to say.
			Suppressions []*oasis.Suppression `json:"suppressions"`
		}{result(r, f, proofs[n], s.rules[i].Severity).WithRuleIndex(i), suppressions(f)})
		if err != nil {
			return err
		}
		if s.results > 0 {
			b.WriteByte(',')
		}
		s.results++
		b.WriteByte('\n')
		b.Write(report.CleanJSON(text))
	}
	return s.write(b.Bytes())
}

func (s *Writer) head(b *bytes.Buffer) {
	if s.tally.Endpoints == 0 {
		fmt.Fprintf(b, `{"$schema":%q,"version":"2.1.0","runs":[{"results":[`, schema)
	}
}

// Close writes the rest of the log.
func (s *Writer) Close() error {
	var b bytes.Buffer
	s.head(&b)
	driver := oasis.NewToolComponent().WithName("handclasp").WithInformationURI("https://github.com/handclasp/handclasp").
		WithRules([]*oasis.ReportingDescriptor{})
	if s.version != "" {
		driver.WithVersion(s.version)
	}
	for _, r := range s.rules {
		driver.AddRule(describe(r))
	}
	invocation := oasis.NewInvocation().WithExecutionSuccessful(true)
	if s.tally.Endpoints > 0 {
		invocation.WithStartTimeUtc(s.tally.First.UTC().Format(time.RFC3339)).WithEndTimeUtc(s.tally.Last.UTC().Format(time.RFC3339))
	}
	tail, err := json.Marshal(struct {
		Tool        *oasis.Tool         `json:"tool"`
		Invocations []*oasis.Invocation `json:"invocations"`
		ColumnKind  string              `json:"columnKind"`
	}{oasis.NewTool().WithDriver(driver), []*oasis.Invocation{invocation}, "utf16CodeUnits"})
	if err != nil {
		return cmp.Or(s.failed, err)
	}
	fmt.Fprintf(&b, "\n],%s]}\n", report.CleanJSON(bytes.TrimPrefix(tail, []byte("{"))))
	return s.write(b.Bytes())
}

func (s *Writer) write(b []byte) error {
	if s.failed == nil {
		_, s.failed = s.w.Write(b)
	}
	return s.failed
}

func result(r finding.Record, f finding.Finding, proofs []string, usual finding.Severity) *oasis.Result {
	text := f.Title
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	text = fmt.Sprintf("%s. On %s, %s: %s", brief(text), brief(r.Endpoint()), brief(cmp.Or(string(f.Known), "proof")), brief(strings.Join(proofs, "; ")))
	path := endpointPath(r)
	basis := []string{}
	for _, pointer := range f.Basis[:min(len(f.Basis), mostProofs)] {
		basis = append(basis, brief(pointer))
	}
	properties := oasis.NewPropertyBag().Add("severity", f.Severity.String()).Add("known", f.Known).Add("basis", basis).
		Add("endpoint", r.Endpoint()).Add("started", r.Started)
	if f.Severity != usual {
		if score := securitySeverity[f.Severity]; score != "" {
			properties.Add("security-severity", score)
		}
	}
	if len(f.CVE) > 0 {
		properties.Add("cve", f.CVE)
	}
	if f.KEV != "" {
		properties.Add("kev", f.KEV)
	}
	if f.EPSS > 0 {
		properties.Add("epss", f.EPSS)
	}
	if f.CVSS != "" {
		properties.Add("cvss", f.CVSS).Add("cvss_score", f.Score)
	}
	if f.Data != nil {
		properties.Add("data", f.Data)
	}
	return oasis.NewResult().WithRuleID(f.ID).WithLevel(level[f.Severity]).
		WithMessage(oasis.NewTextMessage(literal(text))).
		WithLocations([]*oasis.Location{oasis.NewLocationWithPhysicalLocation(oasis.NewPhysicalLocation().
			WithArtifactLocation(oasis.NewSimpleArtifactLocation(path)).
			WithRegion(oasis.NewRegion().WithStartLine(1).WithStartColumn(1).WithEndLine(1).WithEndColumn(1)))}).
		WithPartialFingerprints(fingerprints(f)).
		WithProperties(properties)
}

// suppressions say by whom and why a finding is accepted; empty if it isn't. One of which a part is accepted is a result like others.
func suppressions(f finding.Finding) []*oasis.Suppression {
	all := []*oasis.Suppression{}
	if !f.IsAccepted() {
		return all
	}
	for _, a := range f.Accepted {
		all = append(all, oasis.NewSuppression().WithKind("external").WithStatus("accepted").WithJustification(brief(a.String())))
	}
	return all
}

const (
	mostText   = 1000 // bytes of what a server chose
	mostProofs = 8    // of a finding
)

// brief is the beginning of a text, clean.
func brief(text string) string {
	end := len(text)
	if end > mostText {
		for end = mostText; end > 0 && !utf8.RuneStart(text[end]); end-- {
		}
		return report.Clean(text[:end]) + "…"
	}
	return report.Clean(text)
}

// literal keeps text that a server chose from being read as more than text: a link in brackets (SARIF 2.1.0 §3.11.6),
// which a blank breaks, and a placeholder in braces (§3.11.5), which are doubled.
func literal(text string) string {
	return escapes.Replace(report.Clean(text))
}

var escapes = strings.NewReplacer("](", "] (", "{", "{{", "}", "}}")

// endpointPath stands in for the path of a source file: relative, the same at every run, and sorted by host.
func endpointPath(r finding.Record) string {
	segments := []string{"scan"}
	if r.Target.Name != "" {
		segments = append(segments, r.Target.Name)
	}
	segments = append(segments, r.Target.Addr.Addr().String(), string(cmp.Or(r.Target.Network, probe.TCP)),
		fmt.Sprint(r.Target.Addr.Port()), r.Protocol)
	for i, s := range segments {
		s = strings.ReplaceAll(report.Clean(s), ":", "-") // a colon makes readers look for a scheme
		if strings.Trim(s, ".") == "" {
			s = "_"
		}
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/")
}

// fingerprints identify a finding by its key: neither time nor proof, which differ between runs. The first name is the only one
// that GitHub looks at, and its form that of a hash of 64 bits and a count.
func fingerprints(f finding.Finding) map[string]string {
	hash := strings.TrimPrefix(f.Key, "k1:")
	return map[string]string{"primaryLocationLineHash": hash[:min(len(hash), 16)] + ":1", "handclaspKey/v1": f.Key}
}
