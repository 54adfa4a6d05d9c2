package finding_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// What is gone since the scan has less to judge by isn't resolved, and is told once, for its cause.
func TestScansJudgedByLess(t *testing.T) {
	vulnerable := house("shut")
	vulnerable.Findings = append(vulnerable.Findings, finding.Finding{ID: "software.vulnerable", Severity: finding.High, Known: finding.Seen, Basis: []string{"/software/0"},
		Items: []finding.Item{{Value: "CVE-1", Basis: "/software/0"}}})
	more := vulnerable
	more.Findings = slices.Clone(more.Findings)
	more.Findings[len(more.Findings)-1].Items = []finding.Item{{Value: "CVE-1", Basis: "/software/0"}, {Value: "CVE-2", Basis: "/software/0"}}
	without := house("shut")
	busy := with(without, func(r *probe.Result) { r.Outcome, r.Partial = probe.OutcomeBusy, []string{"/evidence"} })
	named := with(busy, func(r *probe.Result) { r.Software = []probe.Software{{Product: "vsftpd", Version: "3"}} })
	header := func(scan, data string) finding.Header {
		return finding.Header{Scan: scan, Digests: finding.Digests{Advisories: data, Rules: "r"}}
	}
	const at = "192.0.2.7:7007 software.vulnerable"
	for name, c := range map[string]struct {
		older, newer     finding.Record
		oldData, newData string
		want             []string
	}{
		"less":                     {vulnerable, without, "d", "", []string{"unknown " + at + ": judged by less than the scan that found it", "cause advisories []→[software.vulnerable]"}},
		"more":                     {without, vulnerable, "", "d", []string{"cause advisories []→[software.vulnerable]"}},
		"the same":                 {vulnerable, without, "d", "d", []string{"resolved " + at}},
		"none by the same":         {without, vulnerable, "d", "d", []string{"new " + at}},
		"items by the same":        {vulnerable, more, "d", "d", []string{"changed " + at + " +CVE-2"}},
		"not learned, by the same": {busy, vulnerable, "d", "d", []string{"unknown " + at + ": whether it is new isn't known: the server was busy"}},
		"busy, but named":          {named, vulnerable, "d", "d", []string{"new " + at}},
		"none by what is built in": {without, vulnerable, "", "", []string{"new " + at}},
		"the same, built in":       {vulnerable, without, "", "", []string{"resolved " + at}},
		"items by more":            {vulnerable, more, "d", "e", []string{"cause advisories []→[software.vulnerable]"}},
		"items by less":            {more, vulnerable, "d", "", []string{"cause advisories []→[software.vulnerable]"}},
	} {
		t.Run(name, func(t *testing.T) {
			older := scanned(header("a", c.oldData), nil, c.older)
			newer := scanned(header("b", c.newData), nil, c.newer)
			require.Equal(t, c.want, lines(finding.Diff(slices.Values(older), slices.Values(newer), &finding.DiffOptions{Rules: houseRules})))
		})
	}
}
