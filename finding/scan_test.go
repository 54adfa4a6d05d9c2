package finding_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// scanned are results of a scan, with what it says of itself.
func scanned(h finding.Header, footers []finding.Footer, records ...finding.Record) (entries []finding.Entry) {
	for _, r := range records {
		r.Scan = h.Scan
		entries = append(entries, finding.Entry{Record: r})
	}
	entries = append(entries, finding.Entry{Header: &h}) // it may stand anywhere
	for _, f := range footers {
		f.Scan = h.Scan
		entries = append(entries, finding.Entry{Footer: &f})
	}
	return entries
}

func TestEntriesAreStored(t *testing.T) {
	h := finding.Header{Scan: "a", Level: probe.LevelAnonymous, Knobs: map[string]string{"Injection": "true"}, Protocols: []string{"test"},
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	f := finding.Footer{Complete: true, Outcomes: map[probe.Outcome]int64{probe.OutcomeOK: 1}, Unresolved: []string{"gone.example"}}
	for _, e := range scanned(h, []finding.Footer{f}, house("ajar")) {
		line, err := json.Marshal(e)
		require.NoError(t, err)
		stored, err := finding.DecodeEntry(line)
		require.NoError(t, err)
		again, err := json.Marshal(stored)
		require.NoError(t, err)
		require.JSONEq(t, string(line), string(again))
		require.Equal(t, e.Header, stored.Header)
		require.Equal(t, e.Footer, stored.Footer)
		require.Equal(t, e.Scan, stored.Scan)
	}
	for _, line := range []string{`{"schema":"handclasp.scan/1"}`, `{"schema":"handclasp.scan/1","kind":"other"}`, `{"schema":"handclasp.scan/2","kind":"header"}`, `{`} {
		_, err := finding.DecodeEntry([]byte(line))
		require.Error(t, err, line)
	}
}

// A scan is complete once all of its shards are.
func TestScansThatAreComplete(t *testing.T) {
	before := scanned(finding.Header{Scan: "a"}, []finding.Footer{{Complete: true}}, at("192.0.2.1:1", "", "ajar"), at("192.0.2.2:1", "", "ajar"))
	one := at("192.0.2.1:1", "", "ajar")
	for name, c := range map[string]struct {
		now  []finding.Entry
		want string
	}{
		"complete":        {scanned(finding.Header{Scan: "b"}, []finding.Footer{{Complete: true}}, one), "out_of_scope 192.0.2.2:1 []→[]"},
		"after a resume":  {scanned(finding.Header{Scan: "b"}, []finding.Footer{{}, {Complete: true}}, one), "out_of_scope 192.0.2.2:1 []→[]"},
		"no footer":       {scanned(finding.Header{Scan: "b"}, nil, one), "unknown 192.0.2.2:1 test.open: not scanned this time"},
		"a shard is lost": {scanned(finding.Header{Scan: "b", Shard: "1/2"}, []finding.Footer{{Complete: true, Shard: "1/2"}}, one), "unknown 192.0.2.2:1 test.open: not scanned this time"},
		"all shards":      {scanned(finding.Header{Scan: "b", Shard: "1/2"}, []finding.Footer{{Complete: true, Shard: "1/2"}, {Complete: true, Shard: "2/2"}}, one), "out_of_scope 192.0.2.2:1 []→[]"},
		"nobody says":     {[]finding.Entry{{Record: one}}, "unknown 192.0.2.2:1 test.open: not scanned this time, or taken out: the file doesn't say whether the scan is complete"},
		"results of two":  {append(scanned(finding.Header{Scan: "b"}, []finding.Footer{{Complete: true}}, one), finding.Entry{Record: one}), "unknown 192.0.2.2:1 test.open: not scanned this time, or taken out: the file doesn't say whether the scan is complete"},
		"another vantage": {scanned(finding.Header{Scan: "b", Vantage: "berlin"}, []finding.Footer{{Complete: true}}, one), "new 192.0.2.1:1 from berlin test.open"},
	} {
		t.Run(name, func(t *testing.T) {
			d := finding.Diff(slices.Values(before), slices.Values(c.now), &finding.DiffOptions{Rules: houseRules})
			require.Contains(t, lines(d), c.want)
		})
	}
}

// A name without an address is not out of scope.
func TestNamesThatDoNotResolve(t *testing.T) {
	before := scanned(finding.Header{Scan: "a"}, []finding.Footer{{Complete: true}}, at("192.0.2.1:1", "a.example", "ajar"))
	now := scanned(finding.Header{Scan: "b"}, []finding.Footer{{Complete: true, Unresolved: []string{"a.example"}}})
	d := finding.Diff(slices.Values(before), slices.Values(now), &finding.DiffOptions{Rules: houseRules})
	require.Equal(t, []string{"unknown a.example:1 test.open: the name had no address this time"}, lines(d))
}

// What follows from other digests is one note.
func TestCauses(t *testing.T) {
	software := func(version string) finding.Record {
		r := house("ajar")
		r.Software = []probe.Software{{Product: "vsftpd", Version: version}}
		return r
	}
	a, b := finding.Header{Scan: "a", Protocols: []string{"test"}}, finding.Header{Scan: "b", Protocols: []string{"test"}}
	diff := func(older, newer finding.Record) []string {
		return lines(finding.Diff(slices.Values(scanned(a, nil, older)), slices.Values(scanned(b, nil, newer)), &finding.DiffOptions{Rules: houseRules}))
	}
	require.Equal(t, []string{"fact 192.0.2.7:7007 test:/software [vsftpd 2.3.5]→[vsftpd 2.3.4]"}, diff(software("2.3.5"), software("2.3.4")))
	b.Digests.Fingerprints = "others"
	require.Equal(t, []string{"cause fingerprints []→[192.0.2.7:7007]"}, diff(software("2.3.5"), software("2.3.4")))
	b.Digests.Rules = "others"
	rated := house("ajar")
	rated.Findings[0].Severity = finding.Critical
	require.Equal(t, []string{"cause rules []→[test.open]"}, diff(house("ajar"), rated))
	a.Protocols = []string{"other"}
	fresh := at("192.0.2.9:1", "", "ajar")
	require.Contains(t, lines(finding.Diff(slices.Values(scanned(a, nil)), slices.Values(scanned(b, nil, fresh)), &finding.DiffOptions{Rules: houseRules})),
		"cause protocols []→[test.open]")
}

// Of two files that don't say how they were judged, evidence that is rated as it was today was rated by something else then.
func TestRatingsWithoutHeaders(t *testing.T) {
	rated := func(door string, s finding.Severity) finding.Record {
		r := house(door)
		r.Findings[0].Severity = s
		return r
	}
	for name, c := range map[string]struct {
		older, newer finding.Record
		want         string
		mark         finding.Status
	}{
		"another profile":       {house("ajar"), rated("ajar", finding.Critical), "cause ratings []→[test.open]", finding.Unchanged},
		"one that rates less":   {house("ajar"), rated("ajar", finding.Info), "cause ratings []→[test.open]", finding.Unchanged},
		"worse":                 {house("ajar"), house("wide"), "changed 192.0.2.7:7007 test.open medium→high", finding.Changed},
		"worse, as it is rated": {rated("ajar", finding.Info), rated("wide", finding.Critical), "changed 192.0.2.7:7007 test.open info→critical", finding.Changed},
	} {
		t.Run(name, func(t *testing.T) {
			d := finding.Diff(entriesOf(c.older), entriesOf(c.newer), &finding.DiffOptions{Rules: houseRules})
			require.Contains(t, lines(d), c.want)
			for _, h := range []*finding.Header{nil, {Scan: "b"}} {
				b := finding.NewBaseline(entriesOf(c.older), houseRules, nil)
				if h != nil {
					b.Add(finding.Entry{Header: h})
				}
				require.Equal(t, c.mark, b.Mark(c.newer)[0].Baseline)
			}
		})
	}
}
