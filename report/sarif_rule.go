package report

import (
	"fmt"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/handclasp/handclasp/finding"
)

// sarifLevel is what SARIF knows of severities.
var sarifLevel = map[finding.Severity]string{
	finding.Critical: sarif.LevelError, finding.High: sarif.LevelError, finding.Medium: sarif.LevelWarning,
	finding.Low: sarif.LevelNote, finding.Info: sarif.LevelNote,
}

// securitySeverity is a score amid the band that GitHub shows under the severity's name. Information has none, so
// that it is shown as a note.
var securitySeverity = map[finding.Severity]string{
	finding.Critical: "9.5", finding.High: "8.0", finding.Medium: "5.5", finding.Low: "2.0",
}

func sarifRule(r finding.Rule) *sarif.ReportingDescriptor {
	title, summary := Clean(r.Title), r.Summary
	if title == "" {
		title = Clean(r.ID)
	}
	if summary == "" {
		summary = title + "."
	}
	properties := sarif.NewPropertyBag()
	if score := securitySeverity[r.Severity]; score != "" {
		properties.Add("security-severity", score).AddTag("security")
	}
	if protocol, _, ok := strings.Cut(r.ID, "."); ok {
		properties.AddTag(Clean(protocol))
	}
	for _, n := range r.CWE {
		properties.AddTag(fmt.Sprintf("external/cwe/cwe-%03d", n))
	}
	d := sarif.NewReportingDescriptor().WithID(r.ID).WithName(r.ID).
		WithShortDescription(sarif.NewMultiformatMessageString().WithText(literal(title))).
		WithFullDescription(sarif.NewMultiformatMessageString().WithText(literal(summary))).
		WithHelp(sarif.NewMultiformatMessageString().WithText(literal(helpText(r, summary))).WithMarkdown(helpMarkdown(r, summary))).
		WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(sarifLevel[r.Severity])).
		WithProperties(properties)
	if uri := helpURI(r); uri != "" {
		d.WithHelpURI(uri)
	}
	return d
}

// helpURI is where the rule's first reference can be read.
func helpURI(r finding.Rule) string {
	for _, ref := range r.References {
		if uri := address(ref); uri != "" {
			return uri
		}
	}
	if len(r.CWE) > 0 {
		return cweAddress(r.CWE[0])
	}
	return ""
}

func helpText(r finding.Rule, summary string) string {
	words := []string{Clean(summary)}
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
		if uri := address(ref); uri != "" {
			fmt.Fprintf(&b, "- [%s](%s)\n", markdown(ref), uri)
		} else {
			fmt.Fprintf(&b, "- %s\n", markdown(ref))
		}
	}
	for _, n := range r.CWE {
		fmt.Fprintf(&b, "- [CWE-%d](%s)\n", n, cweAddress(n))
	}
	return b.String()
}

// markdown spells text so that it is only text in Markdown.
func markdown(text string) string {
	var b strings.Builder
	for _, r := range Clean(text) {
		if strings.ContainsRune("\\`*_{}[]<>#|~&!", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
