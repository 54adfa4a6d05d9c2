package netbios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/finding/findingtest"
	"github.com/handclasp/handclasp/probe"
)

func changed(change func(e *Evidence)) *Evidence {
	e := new(Evidence)
	change(e)
	return e
}

// of makes evidence of changes, each on its own.
func of(changes ...func(*Evidence)) (list []*Evidence) {
	for _, c := range changes {
		list = append(list, changed(c))
	}
	return list
}

func nothing(*Evidence) {}

func TestRules(t *testing.T) {
	type c = findingtest.Case[*Evidence]
	fires := func(detail string, items []string, changes ...func(*Evidence)) c {
		return c{Known: finding.Seen, Detail: detail, Items: items, Fires: of(changes...)}
	}
	answered := func(e *Evidence) { e.ResponseBytes, e.Amplification = 103, 2.06 }
	factor := func(bytes int, f float64) func(*Evidence) {
		return func(e *Evidence) { e.ResponseBytes, e.Amplification = bytes, f }
	}
	stray := func(e *Evidence) { e.Strays, e.StrayReplies = 1, []Stray{{Bytes: 157, Names: []Name{{Name: "OTHER"}}}} }
	failed := func(e *Evidence) { e.ResponseBytes, e.ResponseCode, e.Amplification = 56, 2, 1.12 }
	short := func(e *Evidence) { e.ResponseBytes, e.Truncated, e.Amplification = 90, true, 1.8 }
	findingtest.Rules(t, Rules[1:], result, map[string][]c{
		"netbios.info-leak": {
			fires("", nil, func(e *Evidence) { e.Names, e.NameCount = []Name{{Name: "FILER", Suffix: "77"}}, 1 }),
			fires("FILER, LAB", []string{"FILER", "LAB"}, func(e *Evidence) { e.Computer, e.Workgroup = "FILER", "LAB" }),
			fires("FILER, ALICE, 00:00:5e:00:53:07", []string{"FILER", "ALICE", "00:00:5e:00:53:07"},
				func(e *Evidence) { e.Computer, e.User, e.MAC = "FILER", "ALICE", "00:00:5e:00:53:07" }),
			fires("00:00:5e:00:53:07", []string{"00:00:5e:00:53:07"}, func(e *Evidence) { e.MAC = "00:00:5e:00:53:07" }),
			fires("LAB, a domain controller", []string{"LAB", "a domain controller"}, func(e *Evidence) { e.Workgroup, e.DomainController = "LAB", probe.Yes }),
			{NotSo: of(answered), NotLearned: of(nothing, stray, failed, short)},
		},
		"netbios.amplifier": {
			fires("3.0 times", nil, factor(151, 3.02)), fires("3.9 times", nil, factor(193, 3.86)),
			{NotSo: of(factor(150, 3), factor(50, 1)), NotLearned: of(nothing, stray, failed, short)},
		},
	})
}

// A host is exposed if either service answers; what came from elsewhere, or a refusal in code, is no answer.
func TestExposed(t *testing.T) {
	for detail, list := range map[string][]*Evidence{
		"name service": of(func(e *Evidence) { e.Names = []Name{{Name: "FILER"}} }, func(e *Evidence) { e.ResponseBytes = 103 }),
		"session service": of(
			func(e *Evidence) { e.Session = sessionPositive }, func(e *Evidence) { e.Session = sessionNegative },
			func(e *Evidence) { e.Session = sessionRetarget },
		),
	} {
		for _, e := range list {
			require.Equal(t, detail, exposed(e).Proof().Detail)
		}
	}
	for _, e := range of(nothing, func(e *Evidence) { e.Strays = 3 }, func(e *Evidence) { e.ResponseBytes, e.ResponseCode = 50, 4 }) {
		require.Equal(t, finding.NotLearned(), exposed(e))
	}
}

func result(e *Evidence) *probe.Result {
	return &probe.Result{Protocol: protocol, Target: probe.Target{Network: probe.UDP}, Outcome: probe.OutcomeOK, Evidence: e}
}

// What a session's probe learned from the name service is that service's finding.
func TestRulesOfTheNameService(t *testing.T) {
	r := result(changed(func(e *Evidence) {
		e.Session, e.Computer, e.ResponseBytes, e.Amplification = sessionNegative, "FILER", 193, 3.86
	}))
	require.Len(t, finding.Evaluate(r, Rules), 3)
	r.Target.Network = probe.TCP
	require.Len(t, finding.Evaluate(r, Rules), 1)
}
