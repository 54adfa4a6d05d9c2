package ftp

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

func result(change func(*Evidence)) *probe.Result {
	e := newEvidence()
	e.ImplicitTLS = probe.No
	change(e)
	return &probe.Result{Protocol: Protocol, Target: target, Outcome: probe.OutcomeOK, Evidence: e}
}

func TestRules(t *testing.T) {
	type change = func(*Evidence)
	with := func(a Anonymous) change { return func(e *Evidence) { e.Anonymous = &a } }
	listed := func(entries ...Entry) change {
		return with(Anonymous{Login: probe.Yes, UserReply: reply(230), Listing: &Listing{Entries: entries}})
	}
	rows := func(l Listing) change { return with(Anonymous{Login: probe.Yes, UserReply: reply(230), Listing: &l}) }
	nothing := func(*Evidence) {}
	for id, c := range map[string]struct {
		fires, not, unknown []change
		known               finding.Known
	}{
		"ftp.exposed": {
			fires:   []change{func(e *Evidence) { e.Greeting = reply(220) }, func(e *Evidence) { e.Greeting = reply(421) }, func(e *Evidence) { e.Greeting = reply(530) }},
			not:     []change{func(e *Evidence) { e.Greeting = reply(0, "SSH-2.0-x") }, func(e *Evidence) { e.Greeting = reply(200) }},
			unknown: []change{nothing},
			known:   finding.Seen,
		},
		"ftp.anonymous": {
			fires: []change{
				with(Anonymous{Login: probe.Yes, UserReply: reply(230)}),
				with(Anonymous{Login: probe.Yes, UserReply: reply(331), PassReply: reply(230)}),
			},
			not:     []change{with(Anonymous{Login: probe.No, UserReply: reply(530)})},
			unknown: []change{nothing, with(Anonymous{UserReply: reply(331)}), with(Anonymous{UserReply: reply(421)})},
			known:   finding.Seen,
		},
		"ftp.cleartext-login": {
			fires: []change{
				func(e *Evidence) { e.CleartextLogin, e.CleartextReply = probe.Yes, reply(331) },
				func(e *Evidence) { e.CleartextLogin, e.CleartextReply = probe.Yes, reply(332) },
			},
			not: []change{
				func(e *Evidence) { e.CleartextLogin, e.CleartextReply = probe.No, reply(530) },
				func(e *Evidence) { e.CleartextLogin, e.CleartextReply = probe.Yes, reply(230) },
				with(Anonymous{UserReply: reply(331)}),
			},
			unknown: []change{nothing, func(e *Evidence) { e.CleartextReply = reply(421) }},
			known:   finding.Seen,
		},
		"ftp.tls-missing": {
			fires: []change{
				func(e *Evidence) { e.AuthTLS, e.AuthReply = probe.No, reply(502) },
				func(e *Evidence) { e.AuthTLS, e.AuthReply, e.Features = probe.No, reply(502), []string{"UTF8"} },
				func(e *Evidence) { e.AuthTLS, e.AuthReply, e.Features = probe.No, reply(431), []string{"AUTH TLS"} },
			},
			not: []change{
				func(e *Evidence) { e.AuthTLS, e.AuthReply = probe.Yes, reply(234) },
				func(e *Evidence) { e.ImplicitTLS = probe.Yes },
			},
			unknown: []change{nothing, func(e *Evidence) { e.AuthReply = reply(421) }},
			known:   finding.Seen,
		},
		"ftp.anonymous-listing": {
			fires: []change{
				listed(Entry{Type: TypeCurrent}, Entry{Name: "a", Type: TypeFile}), listed(Entry{Name: "a"}, Entry{Name: "b"}),
				rows(Listing{Unparsed: 1, UnparsedSample: []string{"what?"}}),
				rows(Listing{Entries: []Entry{{Name: "a"}}, Unparsed: 9, UnparsedSample: []string{"what?"}}),
			},
			not:     []change{listed(), listed(Entry{Name: ".", Type: TypeCurrent}), rows(Listing{Current: &Entry{Name: ".", Type: TypeCurrent}})},
			unknown: []change{nothing, with(Anonymous{Login: probe.Yes}), with(Anonymous{Login: probe.No})},
			known:   finding.Seen,
		},
		"ftp.anonymous-writable": {
			fires: []change{
				listed(Entry{Name: "a"}, Entry{Name: "b", Permissions: "w", Writable: probe.Yes}),
				listed(Entry{Name: ".", Type: TypeCurrent, Permissions: "c", Writable: probe.Yes}),
				listed(slices.Repeat([]Entry{{Permissions: "w", Writable: probe.Yes}}, 20)...),
				rows(Listing{Current: &Entry{Name: "/", Type: TypeCurrent, Permissions: "c", Writable: probe.Yes}}),
			},
			not:     []change{listed(Entry{Permissions: "r", Writable: probe.No}), listed()},
			unknown: []change{nothing, listed(Entry{Permissions: "-rw-r--r--"})},
			known:   finding.Claimed,
		},
		"ftp.passive-address-leak": {
			fires:   []change{with(Anonymous{PassiveAddress: "10.0.0.5"}), with(Anonymous{PassiveAddress: "198.51.100.1"})},
			not:     []change{with(Anonymous{PassiveAddress: "192.0.2.7"}), with(Anonymous{PassiveAddress: "0.0.0.0"})},
			unknown: []change{nothing, with(Anonymous{})},
			known:   finding.Seen,
		},
	} {
		t.Run(id, func(t *testing.T) {
			i := slices.IndexFunc(Rules, func(r finding.Rule) bool { return r.ID == id })
			require.GreaterOrEqual(t, i, 0)
			rule := Rules[i]
			for n, change := range c.fires {
				r := result(change)
				found := finding.Evaluate(r, []finding.Rule{rule})
				require.Len(t, found, 1, "fires, case %d", n)
				require.Equal(t, c.known, found[0].Known)
				document, err := json.Marshal(r)
				require.NoError(t, err)
				for _, pointer := range found[0].Basis {
					value, err := finding.Resolve(document, pointer)
					require.NoError(t, err)
					require.NotContains(t, []string{"null", `""`, "[]"}, string(value), pointer)
				}
			}
			for n, change := range append(c.not, c.unknown...) {
				require.Nil(t, rule.Check(result(change)).Proof(), "doesn't fire, case %d", n)
			}
			require.Nil(t, rule.Check(&probe.Result{Protocol: Protocol}).Proof(), "no evidence")
		})
	}
	require.Len(t, Rules, 7)
	for _, rule := range Rules {
		require.NotEmpty(t, rule.Title)
		require.NotEmpty(t, rule.Summary)
		require.NotEmpty(t, rule.Remediation)
		require.NotEmpty(t, rule.References)
		require.NotEmpty(t, rule.CWE)
		require.NotZero(t, rule.Severity)
	}
}

// What turned out to be something else is no FTP server.
func TestExposedNeedsFTP(t *testing.T) {
	r := result(func(e *Evidence) { e.Greeting = reply(220, "mail.example.org ESMTP") })
	require.NotNil(t, exposed(r).Proof())
	r.Outcome = probe.OutcomeNotProtocol
	require.Equal(t, finding.NotLearned(), exposed(r))
}
