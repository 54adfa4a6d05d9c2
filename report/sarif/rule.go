package sarif

import (
	"fmt"
	"strings"

	oasis "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

// level is what SARIF knows of severities.
var level = map[finding.Severity]string{
	finding.Critical: oasis.LevelError, finding.High: oasis.LevelError, finding.Medium: oasis.LevelWarning,
	finding.Low: oasis.LevelNote, finding.Info: oasis.LevelNote,
}

// securitySeverity is a score amid the band that GitHub shows under the severity's name. Information has none, so
// that it is shown as a note.
var securitySeverity = map[finding.Severity]string{
	finding.Critical: "9.5", finding.High: "8.0", finding.Medium: "5.5", finding.Low: "2.0",
}

// describe is what a log says of a rule.
func describe(r finding.Rule) *oasis.ReportingDescriptor {
	title, summary := report.Clean(r.Title), r.Summary
	if title == "" {
		title = report.Clean(r.ID)
	}
	if summary == "" {
		summary = title + "."
	}
	properties := oasis.NewPropertyBag()
	if score := securitySeverity[r.Severity]; score != "" {
		properties.Add("security-severity", score).AddTag("security")
	}
	if protocol, _, ok := strings.Cut(r.ID, "."); ok {
		properties.AddTag(report.Clean(protocol))
	}
	for _, n := range r.CWE {
		properties.AddTag(fmt.Sprintf("external/cwe/cwe-%03d", n))
	}
	d := oasis.NewReportingDescriptor().WithID(r.ID).WithName(r.ID).
		WithShortDescription(oasis.NewMultiformatMessageString().WithText(literal(title))).
		WithFullDescription(oasis.NewMultiformatMessageString().WithText(literal(summary))).
		WithHelp(oasis.NewMultiformatMessageString().WithText(literal(helpText(r, summary))).WithMarkdown(helpMarkdown(r, summary))).
		WithDefaultConfiguration(oasis.NewReportingConfiguration().WithLevel(level[r.Severity])).
		WithProperties(properties)
	if uri := helpURI(r); uri != "" {
		d.WithHelpURI(uri)
	}
	return d
}

func weakness(n int) string { return fmt.Sprintf("CWE-%d", n) }

// helpURI is where the rule's first reference can be read.
func helpURI(r finding.Rule) string {
	for _, ref := range r.References {
		if uri := report.Link(ref); uri != "" {
			return uri
		}
	}
	if len(r.CWE) > 0 {
		return report.Link(weakness(r.CWE[0]))
	}
	return ""
}

func helpText(r finding.Rule, summary string) string {
	words := []string{report.Clean(summary)}
	if r.Remediation != "" {
		words = append(words, "What to do: "+r.Remediation)
	}
	if len(r.References) > 0 {
		words = append(words, "References: "+strings.Join(r.References, ", ")+".")
	}
	return strings.Join(words, " ")
}

func helpMarkdown(r finding.Rule, summary string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", markdown(summary))
	if r.Remediation != "" {
		fmt.Fprintf(&b, "\n**What to do.** %s\n", markdown(r.Remediation))
	}
	if len(r.References)+len(r.CWE) == 0 {
		return b.String()
	}
	b.WriteString("\n**References**\n\n")
	for _, ref := range r.References {
		if uri := report.Link(ref); uri != "" {
			fmt.Fprintf(&b, "- [%s](%s)\n", markdown(ref), uri)
		} else {
			fmt.Fprintf(&b, "- %s\n", markdown(ref))
		}
	}
	for _, n := range r.CWE {
		fmt.Fprintf(&b, "- [%s](%s)\n", weakness(n), report.Link(weakness(n)))
	}
	return b.String()
}

// markdown spells text so that it is only text in Markdown.
func markdown(text string) string {
	var b strings.Builder
	for _, r := range report.Clean(text) {
		if strings.ContainsRune("\\`*_{}[]<>#|~&!", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
