package report_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

// taken is the neighbourhood, in which everything of the first host that found something is accepted but for one finding's half.
func taken() []finding.Record {
	all := neighbourhood()
	for i, r := range all {
		if r.Target.Name != "ftp.example.net" || len(r.Findings) == 0 {
			continue
		}
		why := finding.Acceptance{Until: "2027-03-31", Reason: "a \x1b[31mred\x07 reason", By: "Jo"}
		all[i].Findings[0].Accepted = []finding.Acceptance{why}
		why.Items = []string{"pub"}
		all[i].Findings[1].Items = []finding.Item{{Value: "pub"}, {Value: "payroll"}}
		all[i].Findings[1].Accepted = []finding.Acceptance{why}
	}
	return all
}

// What is accepted takes one line, and doesn't count.
func TestAcceptedInTable(t *testing.T) {
	var b bytes.Buffer
	table := report.NewTable(&b, report.TableOptions{List: true})
	for _, r := range taken() {
		require.NoError(t, table.Write(r, report.Host{}))
	}
	require.NoError(t, table.Close())
	text := b.String()
	require.Contains(t, text, "    accepted  ftp.cleartext-login: a \\x1b[31mred\\a reason (Jo, until 2027-03-31)\n")
	require.Contains(t, text, "              accepted  pub: a \\x1b[31mred\\a reason (Jo, until 2027-03-31)\n")
	require.NotContains(t, text, "HIGH")
	require.Contains(t, text, "findings: 3 medium · 1 accepted\n")
	harmless(t, text)
}

func TestAcceptedInTally(t *testing.T) {
	var tally report.Tally
	for _, r := range taken() {
		tally.Add(r)
	}
	require.Equal(t, 1, tally.Accepted)
	require.Zero(t, tally.AtLeast(finding.High))
	require.Equal(t, 3, tally.AtLeast(finding.Medium), "one of which a part is accepted counts")
}

func TestAcceptedInCSV(t *testing.T) {
	var b bytes.Buffer
	writeAll(t, report.NewCSV(&b), taken()...)
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	require.NoError(t, err)
	last := len(rows[0]) - 1
	require.Equal(t, "accepted", rows[0][last])
	var got []string
	for _, row := range rows[1:] {
		if row[last] != "" {
			got = append(got, row[1]+" "+row[last])
		}
	}
	require.Equal(t, []string{`ftp.cleartext-login a \x1b[31mred\a reason (Jo, until 2027-03-31)`,
		`ftp.exposed pub: a \x1b[31mred\a reason (Jo, until 2027-03-31)`}, got)
}

func TestAcceptedInSARIF(t *testing.T) {
	suppressed := 0
	for _, r := range log(t, taken()...).Runs[0].Results {
		require.NotNil(t, r.Suppressions, "all of a log have them, or none")
		for _, s := range r.Suppressions {
			suppressed++
			require.Equal(t, "ftp.cleartext-login", *r.RuleID)
			require.Equal(t, "external", *s.Kind)
			require.Equal(t, "accepted", *s.Status)
			require.Equal(t, `a \x1b[31mred\a reason (Jo, until 2027-03-31)`, *s.Justification)
		}
	}
	require.Equal(t, 1, suppressed)
}
