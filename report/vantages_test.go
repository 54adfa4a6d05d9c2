package report

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
)

func TestVantages(t *testing.T) {
	result := func(scan, addr, name string, outcome probe.Outcome, findings ...string) finding.Entry {
		r := &probe.Result{Protocol: "ftp", Target: probe.Target{Network: probe.TCP, Addr: netip.MustParseAddrPort(addr), Name: name}, Outcome: outcome, Evidence: new(ftp.Evidence)}
		if outcome != probe.OutcomeOK {
			r.Err = &probe.Error{Op: "dial", Outcome: outcome}
		}
		e := finding.Entry{Record: finding.Record{Result: r, Scan: scan}}
		for _, id := range findings {
			e.Findings = append(e.Findings, finding.Finding{ID: id})
		}
		return e
	}
	header := func(scan, vantage string) finding.Entry {
		return finding.Entry{Header: &finding.Header{Scan: scan, Vantage: vantage}}
	}
	entries := []finding.Entry{
		header("x-b", "berlin"), header("x-t", "tokyo"), header("x-o", "oslo"), header("plain", ""),
		// The same from everywhere, in whatever order findings come.
		result("x-b", "192.0.2.1:21", "", probe.OutcomeOK, "ftp.exposed", "ftp.anonymous"), result("x-t", "192.0.2.1:21", "", probe.OutcomeOK, "ftp.anonymous", "ftp.exposed"),
		// Filtered for one of three, who comes first or last.
		result("x-t", "192.0.2.2:21", "", probe.OutcomeTimeout), result("x-b", "192.0.2.2:21", "", probe.OutcomeOK, "ftp.exposed"), result("x-o", "192.0.2.2:21", "", probe.OutcomeOK, "ftp.exposed"),
		result("x-o", "192.0.2.3:21", "", probe.OutcomeOK), result("x-b", "192.0.2.3:21", "", probe.OutcomeOK), result("x-t", "192.0.2.3:21", "", probe.OutcomeRefused),
		// Open for both, and more for one of them.
		result("x-b", "192.0.2.4:21", "a.example", probe.OutcomeOK, "ftp.exposed"), result("x-t", "192.0.2.4:21", "a.example", probe.OutcomeOK, "ftp.exposed", "ftp.anonymous"),
		// Of another address of a name, of one vantage alone, of one vantage twice, and of none, nothing can be said.
		result("x-b", "192.0.2.5:21", "b.example", probe.OutcomeOK), result("x-t", "192.0.2.6:21", "b.example", probe.OutcomeRefused),
		result("x-b", "192.0.2.7:21", "", probe.OutcomeOK), result("x-b", "192.0.2.7:21", "", probe.OutcomeRefused),
		result("plain", "192.0.2.8:21", "", probe.OutcomeOK), result("other", "192.0.2.8:21", "", probe.OutcomeRefused), result("x-b", "192.0.2.8:21", "", probe.OutcomeTimeout),
	}
	v := NewVantages()
	for _, e := range entries {
		v.Learn(e)
	}
	for _, e := range entries {
		v.Collect(e)
	}
	var blocks []Block
	for _, d := range v.Disagreements() {
		blocks = append(blocks, d.Block())
	}
	require.Equal(t, []Block{
		{"192.0.2.2:21", []Line{{Kind: "from berlin", Text: "answered · ftp.exposed"}, {Kind: "from oslo", Text: "answered · ftp.exposed"}, {Kind: "from tokyo", Text: "no answer"}}},
		{"192.0.2.3:21", []Line{{Kind: "from berlin", Text: "answered"}, {Kind: "from oslo", Text: "answered"}, {Kind: "from tokyo", Text: "refused"}}},
		{"a.example:21 (192.0.2.4:21)", []Line{{Kind: "from berlin", Text: "answered"}, {Kind: "from tokyo", Text: "answered · ftp.anonymous"}}},
	}, blocks)
}
