package report

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/handclasp/handclasp/finding"
)

// listShown is how many findings a list holds: more than anybody reads, and little to keep.
const listShown = 200

// A list is the most severe findings, each with what its line needs.
type list struct {
	items []listItem
	all   int
	lines []hostLine
	hosts int
}

type listItem struct {
	severity  finding.Severity
	id, where string
	proof     string
}

func (l *list) add(r finding.Record) {
	open := finding.Open(r.Findings)
	if len(open) == 0 {
		return
	}
	document := documentOf(r)
	for _, f := range open {
		item := listItem{f.Severity, f.ID, fmt.Sprintf("%s %s", r.Endpoint(), r.Protocol), ""}
		if all := proofs(document, f); len(all) > 0 {
			item.proof = fit(all[0], maxCell)
		}
		l.items = append(l.items, item)
		l.all++
	}
	if len(l.items) >= 2*listShown {
		l.cut()
	}
}

func (l *list) cut() {
	slices.SortStableFunc(l.items, func(a, b listItem) int {
		return cmp.Or(cmp.Compare(b.severity, a.severity), cmp.Compare(a.id, b.id))
	})
	l.items = slices.Clone(l.items[:min(len(l.items), listShown)])
}

// writeList writes the list: severity, rule, endpoint, proof.
func (t *Table) writeList(b *bytes.Buffer) {
	t.list.cut()
	ids, wheres := 0, 0
	for _, item := range t.list.items {
		ids, wheres = max(ids, len(item.id)), max(wheres, ansi.StringWidth(Clean(item.where)))
	}
	ids, wheres = min(ids, 32), min(wheres, max(20, t.width/4))
	if len(t.list.items) > 0 {
		b.WriteByte('\n')
	}
	for _, item := range t.list.items {
		severity := strings.ToUpper(item.severity.String())
		line := pad(fit(item.id, ids), ids) + "  " + pad(fit(item.where, wheres), wheres)
		room := t.width - 12 - ids - 2 - wheres - 2
		fmt.Fprintf(b, "  %s%s%s  %s\n", t.in(severityStyles[item.severity], severity), strings.Repeat(" ", max(1, 10-len(severity))),
			line, t.in(faint, fit(item.proof, room)))
	}
	if more := t.list.all - len(t.list.items); more > 0 {
		fmt.Fprintf(b, "  %s\n", t.in(faint, fmt.Sprintf("… and %d more", more)))
	}
}
