package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

func sortedRules(lists ...[]finding.Rule) []finding.Rule {
	return slices.SortedFunc(slices.Values(slices.Concat(lists...)), func(x, y finding.Rule) int { return cmp.Compare(x.ID, y.ID) })
}

// ruleJSON is a rule as 'rules --format json' writes it.
type ruleJSON struct {
	ID          string             `json:"id"`
	Title       string             `json:"title"`
	Severity    finding.Severity   `json:"severity"`
	Varies      []finding.Severity `json:"varies,omitempty"`
	Summary     string             `json:"summary"`
	Remediation string             `json:"remediation"`
	Level       string             `json:"level"` // the least at which it is answered
	Flag        string             `json:"flag,omitempty"`
	CWE         []int              `json:"cwe"`
	CVE         []string           `json:"cve,omitempty"`
	CVSS        string             `json:"cvss,omitempty"`
	Score       float64            `json:"score,omitempty"`
	Techniques  []string           `json:"techniques,omitempty"`
	Controls    []string           `json:"controls,omitempty"`
	References  []string           `json:"references"`
}

func writeRulesJSON(w io.Writer, rules []finding.Rule) error {
	all := make([]ruleJSON, 0, len(rules))
	for _, r := range rules {
		all = append(all, ruleJSON{
			ID: r.ID, Title: r.Title, Severity: r.Severity, Varies: r.Varies, Summary: r.Summary, Remediation: r.Remediation,
			Level: r.Needs.Level.String(), Flag: knobFlags[r.Needs.Knob], CWE: append([]int{}, r.CWE...), CVE: r.CVE, CVSS: r.CVSS, Score: r.Score,
			Techniques: r.Techniques, Controls: r.Controls, References: append([]string{}, r.References...),
		})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

const catalogueHead = `# Rules

What results are judged by, as ` + "`handclasp rules --format markdown`" + ` writes it. Ids are permanent. What stands behind
"needs" is the level or the flag of ` + "`handclasp scan`" + ` without which a rule can't be answered; in a program it is a
field of the prober.
`

// writeRulesMarkdown writes the catalogue: a table, and a section for each rule.
func writeRulesMarkdown(w io.Writer, rules []finding.Rule) error {
	var b strings.Builder
	b.WriteString(catalogueHead + "\n| rule | severity | title | needs |\n|---|---|---|---|\n")
	for _, r := range rules {
		needs := needsOf(r)
		if needs != "" {
			needs = "`" + needs + "`"
		}
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", r.ID, strings.ReplaceAll(r.ID, ".", ""), r.Severity, r.Title, needs)
	}
	for _, r := range rules {
		fmt.Fprintf(&b, "\n## %s\n\n%s. %s\n\n**What to do.** %s\n\n", r.ID, strings.ToUpper(r.Title[:1])+r.Title[1:], r.Summary, r.Remediation)
		for _, line := range particulars(r) {
			fmt.Fprintf(&b, "- %s: %s\n", line[0], line[1])
		}
		for _, n := range r.CWE {
			fmt.Fprintf(&b, "- [CWE-%d](https://cwe.mitre.org/data/definitions/%d.html)\n", n, n)
		}
		for _, reference := range r.References {
			if uri := report.Link(reference); uri != "" {
				reference = fmt.Sprintf("[%s](%s)", reference, uri)
			}
			fmt.Fprintf(&b, "- %s\n", reference)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
