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
)

const rulesHelp = `List the rules that results are judged by, or explain those that are named.

A NAME is a rule's id, such as ftp.anonymous, or what stands before its dot, such as ftp.`

func (a *app) rulesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rules [NAME...]",
		Short: "List the rules, or explain one",
		Long:  rulesHelp,
		Example: `  handclasp rules
  handclasp rules ftp
  handclasp rules tls.cert-expired`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.explainRules(cmd, args) },
	}
}

// catalogue returns every rule, those that compare results included, by id.
func (a *app) catalogue() []finding.Rule {
	rules := slices.Concat(a.rules, advisory.Judge{}.Rules())
	for _, c := range a.comparisons {
		rules = append(rules, c.Rule)
	}
	slices.SortFunc(rules, func(x, y finding.Rule) int { return cmp.Compare(x.ID, y.ID) })
	return rules
}

func (a *app) explainRules(cmd *cobra.Command, names []string) error {
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
		fmt.Fprintf(w, "%-*s  %-8s  %s\n", widest, r.ID, r.Severity, r.Title)
	}
}

func explainRule(w io.Writer, r finding.Rule) {
	fmt.Fprintf(w, "%s  %s  %s\n\n", r.ID, r.Severity, r.Title)
	wrap(w, r.Summary)
	fmt.Fprintln(w, "\nWhat to do")
	wrap(w, r.Remediation)
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
