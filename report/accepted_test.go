package report_test

import (
	"bytes"
	"encoding/csv"
	"regexp"
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

// Of what other programs take, each says in its own way that a risk is accepted. What is accepted in part is open.
func TestAcceptedForPrograms(t *testing.T) {
	records := taken()
	findings := dojo(t, records...)
	require.Equal(t, []any{false, true}, []any{findings[0]["active"], findings[0]["risk_accepted"]})
	require.Equal(t, []any{true, nil}, []any{findings[1]["active"], findings[1]["risk_accepted"]})
	require.Contains(t, findings[1]["description"], "    accepted: pub: a \\x1b[31mred\\a reason (Jo, until 2027-03-31)\n")

	events := ocsf(t, records...)
	require.Equal(t, []any{3.0, "Suppressed"}, []any{events[0]["status_id"], events[0]["status"]})
	require.Equal(t, "accepted: a \\x1b[31mred\\a reason (Jo, until 2027-03-31)", events[0]["status_detail"])
	require.Equal(t, "New", events[1]["status"])

	suite := junit(t, records...).Suites[3]
	require.Equal(t, []int{2, 1, 0, 1}, []int{suite.Tests, suite.Failures, suite.Errors, suite.Skipped})
	require.Equal(t, "accepted: a \\x1b[31mred\\a reason (Jo, until 2027-03-31)", suite.Cases[0].Skipped.Message)
}

// A page folds them, counts them apart, and names them by the same anchor.
func TestAcceptedInPage(t *testing.T) {
	p := page(t, taken()...)
	require.Equal(t, []string{"medium", "medium", "medium"}, texts(t, p, "sev"))
	require.Equal(t, "Critical 0 High 0 Medium 3 Low 0 Info 0", strings.Join(regexp.MustCompile(`[A-Z][a-z]+|\d+`).FindAllString(texts(t, p, "chart")[0], -1), " "))
	require.Equal(t, []string{"1 finding high passwords asked for without TLS: a detail ftp.cleartext-login on ftp.example.net:21 " +
		`a \x1b[31mred\a reason (Jo, until 2027-03-31) #`}, texts(t, p, "accepted"))
	require.Contains(t, texts(t, p, "summary")[0], "Info0 1 accepted, not counted here")
	require.Contains(t, texts(t, p, "more")[2], `Accepted in part pub: a \x1b[31mred\a reason`)
	require.Equal(t, 1, strings.Count(p, `<li id="finding-`+strings.TrimPrefix(taken()[3].Findings[0].Key, "k1:")+`"`))
	require.NotContains(t, page(t, neighbourhood()...), "Accepted risks")
}
