package report_test

import (
	"encoding/csv"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

var night = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

// fleet is what a state holds after three nights, of servers that say what they like.
func fleet() report.Fleet {
	at := func(host string) finding.Endpoint { return finding.Endpoint{Host: host, Network: "tcp", Port: 873} }
	return report.Fleet{
		At: night.AddDate(0, 0, 10),
		Open: []finding.OpenFinding{
			{Endpoint: at("192.0.2.1"), Rule: "rsync.module-list", Severity: finding.Low, FirstSeen: night, LastSeen: night, Unknown: 2, Reason: "the server was busy"},
			{Endpoint: at("192.0.2.2"), Rule: "rsync.module-open", Severity: finding.High, Items: `<script>alert(1)</script>, =cmd`, FirstSeen: night.AddDate(0, 0, 9), LastSeen: night.AddDate(0, 0, 9),
				Accepted: []finding.Acceptance{{Until: "2027-03-31", Reason: "a mirror", By: "Jo"}}},
		},
		Nights: []report.Night{{At: night, Open: 1}, {At: night.AddDate(0, 0, 1), Open: 4}, {At: night.AddDate(0, 0, 2), Open: 2}},
	}
}

func TestFleetPage(t *testing.T) {
	var b strings.Builder
	rules := []finding.Rule{{ID: "rsync.module-open", Title: "a module without a password"}}
	require.NoError(t, report.WriteFleetHTML(&b, fleet(), report.HTMLOptions{Rules: rules, Title: "Open findings"}))
	page := b.String()
	require.Equal(t, 3, strings.Count(page, "<rect "))
	require.Contains(t, page, `height="120.00"><title>2026-03-02 02:00: 4 open</title>`, "the highest bar fills the chart")
	require.Contains(t, page, `height="30.00"><title>2026-03-01 02:00: 1 open</title>`)
	require.Less(t, strings.Index(page, "rsync.module-open"), strings.Index(page, "rsync.module-list"), "the most severe come first")
	require.Contains(t, page, "a module without a password")
	require.Contains(t, page, ">10 days<")
	require.Contains(t, page, ">1 day<")
	require.Contains(t, page, "not learned for 2 scans: the server was busy")
	require.Contains(t, page, "accepted: a mirror (Jo, until 2027-03-31)")
	require.NotContains(t, page, "<script")
	require.NotContains(t, page, "ZgotmplZ")
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}

	b.Reset()
	require.NoError(t, report.WriteFleetHTML(&b, report.Fleet{At: night}, report.HTMLOptions{Title: "Open findings"}))
	require.Contains(t, b.String(), "Nothing is open.")
	require.NotContains(t, b.String(), "<svg")
}

func TestFleetCSV(t *testing.T) {
	var b strings.Builder
	require.NoError(t, report.WriteFleetCSV(&b, fleet(), nil))
	lines, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	require.NoError(t, err)
	require.Equal(t, report.FleetColumns, lines[0])
	require.Equal(t, []string{"low", "rsync.module-list", "", "192.0.2.1", "873", "tcp", "", "", "2026-03-01T02:00:00Z", "2026-03-01T02:00:00Z", "10",
		"2", "the server was busy", "", ""}, lines[1])
	require.Equal(t, []string{"a mirror (Jo, until 2027-03-31)", "2027-03-31"}, lines[2][13:])
}
