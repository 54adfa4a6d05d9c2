package netbios

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

func changed(change func(e *Evidence)) *Evidence {
	e := newEvidence()
	change(e)
	return e
}

func TestRules(t *testing.T) {
	names := func(e *Evidence) { e.Names, e.NameCount = []Name{{Name: "FILER", Suffix: "77"}}, 1 }
	type cases struct {
		fires   []func(*Evidence)
		details []string
		not     []func(*Evidence) // neither where it doesn't hold, nor where it wasn't learned
	}
	for id, c := range map[string]cases{
		"netbios.exposed": {
			fires: []func(*Evidence){
				names,
				func(e *Evidence) { e.ResponseBytes = 103 },
				func(e *Evidence) { e.Session = SessionPositive },
				func(e *Evidence) { e.Session = SessionNegative },
				func(e *Evidence) { e.Session = SessionRetarget },
			},
			details: []string{"name service", "name service", "session service", "session service", "session service"},
			not: []func(*Evidence){
				func(*Evidence) {},
				func(e *Evidence) { e.Strays = 3 },
				func(e *Evidence) { e.ResponseBytes, e.ResponseCode = 50, 4 },
			},
		},
		"netbios.info-leak": {
			fires: []func(*Evidence){
				names,
				func(e *Evidence) { e.Computer, e.Workgroup = "FILER", "LAB" },
				func(e *Evidence) { e.Computer, e.User, e.MAC = "FILER", "ALICE", "00:00:5e:00:53:07" },
				func(e *Evidence) { e.MAC = "00:00:5e:00:53:07" },
				func(e *Evidence) { e.Workgroup, e.DomainController = "LAB", probe.Yes },
			},
			details: []string{"", "FILER, LAB", "FILER, ALICE, 00:00:5e:00:53:07", "00:00:5e:00:53:07", "LAB, a domain controller"},
			not: []func(*Evidence){
				func(*Evidence) {},
				func(e *Evidence) { e.ResponseBytes = 103 },
				func(e *Evidence) { e.DomainController = probe.No },
			},
		},
		"netbios.amplifier": {
			fires: []func(*Evidence){
				func(e *Evidence) { e.ResponseBytes, e.Amplification = 151, 3.02 },
				func(e *Evidence) { e.ResponseBytes, e.Amplification = 193, 3.86 },
			},
			details: []string{"3.0 times", "3.9 times"},
			not: []func(*Evidence){
				func(*Evidence) {},
				func(e *Evidence) { e.ResponseBytes, e.Amplification = 150, 3 },
				func(e *Evidence) { e.ResponseBytes, e.Amplification = 50, 1 },
			},
		},
	} {
		t.Run(id, func(t *testing.T) {
			i := slices.IndexFunc(Rules, func(r finding.Rule) bool { return r.ID == id })
			require.GreaterOrEqual(t, i, 0)
			rule := Rules[i]
			for n, change := range c.fires {
				r := result(changed(change))
				found := finding.Evaluate(r, []finding.Rule{rule})
				require.Len(t, found, 1, "fires, case %d", n)
				require.Equal(t, finding.Seen, found[0].Known)
				require.Equal(t, c.details[n], found[0].Detail)
				document, err := json.Marshal(r)
				require.NoError(t, err)
				require.NotEmpty(t, found[0].Basis)
				for _, pointer := range found[0].Basis {
					value, err := finding.Resolve(document, pointer)
					require.NoError(t, err)
					require.NotContains(t, []string{"null", `""`, "[]", "0"}, string(value), pointer)
				}
			}
			for n, change := range c.not {
				require.Nil(t, rule.Check(result(changed(change))).Proof(), "doesn't fire, case %d", n)
			}
			require.Nil(t, rule.Check(&probe.Result{Protocol: protocol}).Proof(), "no evidence")
		})
	}
}

func result(e *Evidence) *probe.Result {
	return &probe.Result{Protocol: protocol, Target: probe.Target{Network: probe.UDP}, Outcome: probe.OutcomeOK, Evidence: e}
}

// What a session's probe learned from the name service is that service's finding.
func TestRulesOfTheNameService(t *testing.T) {
	r := result(changed(func(e *Evidence) {
		e.Session, e.Computer, e.ResponseBytes, e.Amplification = SessionNegative, "FILER", 193, 3.86
	}))
	require.Len(t, finding.Evaluate(r, Rules), 3)
	r.Target.Network = probe.TCP
	require.Len(t, finding.Evaluate(r, Rules), 1)
}

func TestRulesAreComplete(t *testing.T) {
	ids := map[string]finding.Severity{}
	for _, r := range Rules {
		ids[r.ID] = r.Severity
		require.NotEmpty(t, r.Title)
		require.NotEmpty(t, r.Summary)
		require.NotEmpty(t, r.Remediation)
		require.NotEmpty(t, r.References)
	}
	require.Equal(t, map[string]finding.Severity{
		"netbios.exposed": finding.High, "netbios.info-leak": finding.High, "netbios.amplifier": finding.Medium,
	}, ids)
}
