package finding_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

func judged(addr, door string, outcome probe.Outcome, ids ...string) finding.Record {
	r := &probe.Result{
		Protocol: "test", Target: probe.Target{Network: probe.TCP, Addr: netip.MustParseAddrPort(addr)}, Level: probe.LevelHandshake,
		Outcome: outcome, Evidence: &evidence{Door: door},
	}
	if outcome != probe.OutcomeOK {
		op := "read"
		if outcome == probe.OutcomeRefused || outcome == probe.OutcomeUnreachable {
			op = "dial"
		}
		r.Err = probe.Errorf(op, outcome, "no")
	}
	j := finding.Record{Result: r, Findings: []finding.Finding{}}
	for _, id := range ids {
		j.Findings = append(j.Findings, finding.Finding{ID: id, Severity: finding.Low, Basis: []string{"/evidence/door"}, CWE: []int{}})
	}
	return j
}

// What became of one finding, by what the second scan saw.
func TestDiffOfOneEndpoint(t *testing.T) {
	const addr = "192.0.2.7:7007"
	before := judged(addr, "yes", probe.OutcomeOK, "open")
	lower := judged(addr, "no", probe.OutcomeOK)
	lower.Result.Level = probe.LevelGreeting
	for name, tc := range map[string]struct {
		now    finding.Record
		status finding.Status
		reason string
	}{
		"still there":          {judged(addr, "yes", probe.OutcomeOK, "open"), finding.Unchanged, ""},
		"gone":                 {judged(addr, "no", probe.OutcomeOK), finding.Resolved, ""},
		"the port is closed":   {judged(addr, "", probe.OutcomeRefused), finding.Resolved, ""},
		"unreachable":          {judged(addr, "", probe.OutcomeUnreachable), finding.Unknown, "not reached this time: unreachable"},
		"half a conversation":  {judged(addr, "", probe.OutcomeClosed), finding.Unknown, "the probe ended early this time: closed"},
		"a later one refused":  {judged(addr, "", probe.OutcomeRefused, "other"), finding.Unknown, "not reached this time: refused"},
		"asked for less":       {lower, finding.Unknown, "asked at level greeting this time"},
		"the fact wasn't told": {judged(addr, "", probe.OutcomeOK), finding.Unknown, "not learned this time: /evidence/door"},
	} {
		t.Run(name, func(t *testing.T) {
			changes := finding.Diff(slices.Values([]finding.Record{before}), slices.Values([]finding.Record{tc.now}))
			i := slices.IndexFunc(changes, func(c finding.Change) bool { return c.Finding.ID == "open" })
			require.Equal(t, finding.Change{
				Status: tc.status, Protocol: "test", Target: before.Result.Target, Finding: before.Findings[0], Reason: tc.reason,
			}, changes[i])
		})
	}
}

func TestDiff(t *testing.T) {
	type list = []finding.Record
	older := list{
		judged("192.0.2.1:1", "yes", probe.OutcomeOK, "a", "b"),
		judged("192.0.2.1:1", "", probe.OutcomeTimeout), // says nothing about what was learned before
		judged("192.0.2.2:1", "yes", probe.OutcomeOK, "a"),
		judged("192.0.2.2:1", "no", probe.OutcomeOK), // was put right within the same scan
		judged("192.0.2.3:1", "yes", probe.OutcomeOK, "a"),
	}
	newer := list{
		judged("192.0.2.1:1", "yes", probe.OutcomeOK, "a", "c"),
		judged("192.0.2.1:1", "", probe.OutcomeTimeout),
		judged("192.0.2.2:1", "yes", probe.OutcomeOK, "a"),
		judged("192.0.2.4:1", "yes", probe.OutcomeOK, "a"),
	}
	var got []string
	for _, c := range finding.Diff(slices.Values(older), slices.Values(newer)) {
		got = append(got, string(c.Status)+" "+c.Target.Addr.String()+" "+c.Finding.ID)
	}
	require.Equal(t, []string{
		"new 192.0.2.1:1 c", "new 192.0.2.2:1 a", "new 192.0.2.4:1 a",
		"resolved 192.0.2.1:1 b",
		"unknown 192.0.2.3:1 a",
		"unchanged 192.0.2.1:1 a",
	}, got)
	nothing := finding.Diff(slices.Values(list{}), slices.Values(list{}))
	data, err := json.Marshal(nothing)
	require.NoError(t, err)
	require.Equal(t, "[]", string(data))

	b := finding.NewBaseline()
	for _, j := range older {
		b.Add(j)
	}
	require.Equal(t, []finding.Finding{newer[0].Findings[1]}, b.New(newer[0]))
	require.Equal(t, newer[2].Findings, b.New(newer[2]))
	require.Empty(t, b.New(newer[1]))
}
