package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/advisory"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/pick"
	"github.com/handclasp/handclasp/probe"
)

const rulesHelp = `List the rules that results are judged by, or explain those that are named.

A NAME is a rule's id, such as ftp.anonymous, or what stands before its dot, such as ftp. What stands
behind "needs" is the level or the flag of scan without which the rule can't be answered.`

func (a *app) rulesCommand() *cobra.Command {
	format := formatText
	b := *a
	cmd := &cobra.Command{
		Use:   "rules [flags] [NAME...]",
		Short: "List the rules, or explain one",
		Long:  rulesHelp,
		Example: `  handclasp rules
  handclasp rules ftp
  handclasp rules tls.cert-expired
  handclasp rules --format json`,
		RunE: func(cmd *cobra.Command, args []string) error { return b.explainRules(cmd, format, args) },
	}
	cmd.Flags().Var(value[string]{&format, pick.OneOf(formatText, formatJSON, formatMarkdown), text, "FORMAT"}, "format",
		"what to write: text, json or markdown")
	registerProfile(cmd.Flags(), &b.profile)
	return cmd
}

// The forms of the catalogue.
const (
	formatText     = "text"
	formatJSON     = "json"
	formatMarkdown = "markdown"
)

// catalogue returns every rule as the profile rates it, those that compare results included, by id.
func (a *app) catalogue() []finding.Rule {
	rules := slices.Concat(a.rules, advisory.Judge{}.Rules())
	for _, c := range a.comparisons {
		rules = append(rules, c.Rule)
	}
	rules = a.profile.Rate(rules)
	slices.SortFunc(rules, func(x, y finding.Rule) int { return cmp.Compare(x.ID, y.ID) })
	return rules
}

func (a *app) explainRules(cmd *cobra.Command, format string, names []string) error {
	rules := a.catalogue()
	var listed, explained []finding.Rule
	if len(names) == 0 {
		listed = rules
	}
	for _, name := range names {
		group := strings.TrimSuffix(name, ".") + "."
		found := false
		for _, r := range rules {
			switch {
			case r.ID == name:
				explained = append(explained, r)
			case strings.HasPrefix(r.ID, group):
				listed = append(listed, r)
			default:
				continue
			}
			found = true
		}
		if !found {
			return fmt.Errorf("no rule is called %q: 'handclasp rules' lists them", name)
		}
	}
	w := bufio.NewWriter(cmd.OutOrStdout())
	switch format {
	case formatJSON:
		return writeRulesJSON(cmd.OutOrStdout(), sortedRules(listed, explained))
	case formatMarkdown:
		return writeRulesMarkdown(cmd.OutOrStdout(), sortedRules(listed, explained))
	}
	listRules(w, listed)
	for i, r := range explained {
		if i > 0 || len(listed) > 0 {
			fmt.Fprintln(w)
		}
		explainRule(w, r)
	}
	return w.Flush()
}

func listRules(w io.Writer, rules []finding.Rule) {
	widest := 0
	for _, r := range rules {
		widest = max(widest, len(r.ID))
	}
	for _, r := range rules {
		fmt.Fprintf(w, "%-*s  %-8s  %s", widest, r.ID, r.Severity, r.Title)
		if needs := needsOf(r); needs != "" {
			fmt.Fprintf(w, " (needs %s)", needs)
		}
		fmt.Fprintln(w)
	}
}

// knobFlags are the flags of the fields that rules need.
var knobFlags = map[string]string{
	"GroupExchange": "--ssh gex",
	"Injection":     "--injection", "Verify": "--verify-names", "Modules": "--modules", "TLS": "--tls weak",
}

// needsOf is what the default level doesn't do and the rule can't be answered without; empty for nothing.
func needsOf(r finding.Rule) string {
	var needs []string
	if r.Needs.Level > probe.LevelHandshake {
		needs = append(needs, "--level "+r.Needs.Level.String())
	}
	if r.Needs.Knob != "" {
		needs = append(needs, cmp.Or(knobFlags[r.Needs.Knob], "the field "+r.Needs.Knob))
	}
	return strings.Join(needs, " and ")
}

func explainRule(w io.Writer, r finding.Rule) {
	fmt.Fprintf(w, "%s  %s  %s\n\n", r.ID, r.Severity, r.Title)
	wrap(w, r.Summary)
	fmt.Fprintln(w, "\nWhat to do")
	wrap(w, r.Remediation)
	for _, line := range particulars(r) {
		fmt.Fprintf(w, "\n%s\n", line[0])
		wrap(w, line[1])
	}
	if len(r.CWE)+len(r.References) > 0 {
		fmt.Fprintln(w, "\nRead more")
	}
	for _, n := range r.CWE {
		fmt.Fprintf(w, "  CWE-%d, https://cwe.mitre.org/data/definitions/%d.html\n", n, n)
	}
	for _, reference := range r.References {
		fmt.Fprintf(w, "  %s\n", reference)
	}
}

// wrap writes text in lines that are easy to read.
func wrap(w io.Writer, text string) {
	const indent, width = "  ", 90
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
			fmt.Fprint(w, indent)
			column = len(indent)
		case column+1+len([]rune(word)) > width:
			fmt.Fprint(w, "\n"+indent)
			column = len(indent)
		default:
			fmt.Fprint(w, " ")
			column++
		}
		fmt.Fprint(w, word)
		column += len([]rune(word))
	}
	fmt.Fprintln(w)
}

// particulars are the short facts of a rule, each with its name.
func particulars(r finding.Rule) (lines [][2]string) {
	add := func(name, text string) {
		if text != "" {
			lines = append(lines, [2]string{name, text})
		}
	}
	add("Needs", needsOf(r))
	if len(r.Varies) > 0 {
		words := make([]string, len(r.Varies))
		for i, s := range r.Varies {
			words[i] = s.String()
		}
		add("Severity by the evidence", strings.Join(words, ", "))
	}
	if r.CVSS != "" {
		add("CVSS", fmt.Sprintf("%.1f (%s)", r.Score, r.CVSS))
	}
	add("CVE", strings.Join(r.CVE, ", "))
	add("ATT&CK", strings.Join(r.Techniques, ", "))
	add("Controls", strings.Join(r.Controls, "; "))
	return lines
}
