package nntp

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

func reply(code int) *probe.Reply { return &probe.Reply{Code: code, Lines: []string{"text"}} }

// changed returns evidence of a cleartext connection, changed.
func changed(change func(e *Evidence)) *Evidence {
	e := new(Evidence)
	e.ImplicitTLS = probe.No
	change(e)
	return e
}

func TestRules(t *testing.T) {
	type cases struct {
		fires, not, unknown []func(*Evidence)
		known               finding.Known
	}
	for id, c := range map[string]cases{
		"nntp.exposed": {
			fires: []func(*Evidence){
				func(e *Evidence) { e.Greeting = reply(200) },
				func(e *Evidence) { e.Greeting = reply(201) },
				func(e *Evidence) { e.Greeting = reply(502) },
				func(e *Evidence) { e.Greeting = reply(400) },
			},
			unknown: []func(*Evidence){func(*Evidence) {}, func(e *Evidence) { e.Greeting = reply(220) }},
			known:   finding.Seen,
		},
		"nntp.read-open": {
			fires: []func(*Evidence){
				func(e *Evidence) { e.ReadAccess, e.ReadReply = probe.Yes, reply(411) },
				func(e *Evidence) { e.ReadAccess, e.ReadReply = probe.Yes, reply(211) },
				func(e *Evidence) { e.ReadAccess, e.ReadReply, e.ReadReplyAfterTLS = probe.Yes, reply(483), reply(411) },
			},
			not:     []func(*Evidence){func(e *Evidence) { e.ReadAccess, e.ReadReply = probe.No, reply(480) }},
			unknown: []func(*Evidence){func(*Evidence) {}, func(e *Evidence) { e.ReadReply = reply(403) }},
			known:   finding.Seen,
		},
		"nntp.post-open": {
			fires: []func(*Evidence){
				func(e *Evidence) {
					e.Posting, e.ReadAccess, e.Capabilities = probe.Yes, probe.Yes, []string{"READER", "POST"}
				},
				func(e *Evidence) {
					e.Posting, e.ReadAccess, e.CapabilitiesAfterModeReader = probe.Yes, probe.Yes, []string{"POST"}
				},
				func(e *Evidence) {
					e.Posting, e.ReadAccess, e.CapabilitiesAfterTLS = probe.Yes, probe.Yes, []string{"post"}
				},
			},
			not: []func(*Evidence){
				func(e *Evidence) { e.Posting, e.ReadAccess, e.Capabilities = probe.Yes, probe.Yes, []string{"READER"} },
				func(e *Evidence) { e.Posting, e.ReadAccess, e.Capabilities = probe.No, probe.Yes, []string{"POST"} },
				func(e *Evidence) {
					e.Posting, e.ReadAccess, e.Capabilities = probe.Yes, probe.No, []string{"READER", "POST"}
				}, // after a login
			},
			unknown: []func(*Evidence){
				func(e *Evidence) { e.Posting, e.ReadAccess = probe.Yes, probe.Yes },
				func(e *Evidence) { e.ReadAccess, e.Capabilities = probe.Yes, []string{"POST"} },
				func(e *Evidence) { e.Posting, e.Capabilities = probe.Yes, []string{"READER", "POST"} },
			},
			known: finding.Claimed,
		},
		"nntp.feed-open": {
			fires: []func(*Evidence){
				func(e *Evidence) { e.Feeding, e.Capabilities = probe.Yes, []string{"VERSION 2", "IHAVE", "STREAMING"} },
				func(e *Evidence) { e.Feeding, e.CapabilitiesAfterTLS = probe.Yes, []string{"STREAMING"} },
				func(e *Evidence) {
					e.Feeding, e.ReadAccess, e.Capabilities = probe.Yes, probe.Yes, []string{"READER", "IHAVE"}
				},
			},
			not: []func(*Evidence){
				func(e *Evidence) { e.Feeding, e.Capabilities = probe.No, []string{"READER"} },
				func(e *Evidence) {
					e.Feeding, e.ReadAccess, e.Capabilities = probe.Yes, probe.No, []string{"READER", "IHAVE"}
				},
			},
			unknown: []func(*Evidence){func(*Evidence) {}},
			known:   finding.Claimed,
		},
		"nntp.auth-cleartext": {
			fires: []func(*Evidence){
				func(e *Evidence) { e.AuthMethods = []string{"SASL", "USER"} },
				func(e *Evidence) { e.AuthMethods, e.SASLMechanisms = []string{"SASL"}, []string{"CRAM-MD5", "PLAIN"} },
				func(e *Evidence) { e.AuthMethods, e.SASLMechanisms = []string{"SASL"}, []string{"LOGIN"} },
			},
			not: []func(*Evidence){
				func(e *Evidence) { e.AuthMethods, e.SASLMechanisms = []string{"SASL"}, []string{"CRAM-MD5"} },
				func(e *Evidence) { e.SASLMechanisms = []string{"PLAIN"} }, // not now
				func(e *Evidence) { e.AuthMethodsAfterTLS = []string{"USER"} },
				func(e *Evidence) { e.ImplicitTLS, e.AuthMethods = probe.Yes, []string{"USER"} },
			},
			unknown: []func(*Evidence){func(*Evidence) {}, func(e *Evidence) { e.ImplicitTLS, e.AuthMethods = probe.Unknown, []string{"USER"} }},
			known:   finding.Seen,
		},
		"nntp.starttls-missing": {
			fires: []func(*Evidence){
				func(e *Evidence) {
					e.STARTTLS, e.CapabilitiesFrom, e.Capabilities = probe.No, "CAPABILITIES", []string{"READER"}
				},
				func(e *Evidence) { e.STARTTLS, e.STARTTLSReply = probe.No, reply(580) },
			},
			not: []func(*Evidence){
				func(e *Evidence) { e.STARTTLS, e.STARTTLSReply = probe.Yes, reply(382) },
				func(e *Evidence) { e.ImplicitTLS, e.STARTTLS = probe.Yes, probe.Unknown },
			},
			unknown: []func(*Evidence){func(*Evidence) {}, func(e *Evidence) { e.STARTTLSReply = reply(400) }},
			known:   finding.Seen,
		},
		"nntp.starttls-broken": {
			fires: []func(*Evidence){
				func(e *Evidence) {
					e.STARTTLS, e.CapabilitiesFrom, e.Capabilities, e.STARTTLSReply = probe.No, "CAPABILITIES", []string{"starttls"}, reply(580)
				},
			},
			not: []func(*Evidence){
				func(e *Evidence) {
					e.STARTTLS, e.CapabilitiesFrom, e.Capabilities = probe.No, "CAPABILITIES", []string{"READER"}
				},
				func(e *Evidence) { e.ImplicitTLS, e.Capabilities = probe.Yes, []string{"STARTTLS"} },
				func(e *Evidence) {
					e.STARTTLS, e.Capabilities, e.STARTTLSReply, e.TLS = probe.Yes, []string{"STARTTLS"}, reply(382), &probe.TLS{Version: "1.3"}
				},
			},
			unknown: []func(*Evidence){
				func(*Evidence) {},
				func(e *Evidence) { e.Capabilities, e.STARTTLSReply = []string{"STARTTLS"}, reply(480) },
				func(e *Evidence) { e.STARTTLS, e.STARTTLSReply = probe.No, reply(580) }, // it wasn't announced
			},
			known: finding.Seen,
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
				require.Equal(t, c.known, found[0].Known)
				document, err := json.Marshal(r)
				require.NoError(t, err)
				require.NotEmpty(t, found[0].Basis)
				for _, pointer := range found[0].Basis {
					value, err := finding.Resolve(document, pointer)
					require.NoError(t, err)
					require.NotContains(t, []string{"null", `""`, "[]"}, string(value), pointer)
				}
			}
			for n, change := range append(c.not, c.unknown...) {
				require.Nil(t, rule.Check(result(changed(change))).Proof(), "doesn't fire, case %d", n)
			}
			require.Nil(t, rule.Check(&probe.Result{Protocol: protocol}).Proof(), "no evidence")
		})
	}
}

func result(e *Evidence) *probe.Result {
	return &probe.Result{Protocol: protocol, Outcome: probe.OutcomeOK, Evidence: e}
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
		"nntp.exposed": finding.Info, "nntp.read-open": finding.Low, "nntp.post-open": finding.Medium,
		"nntp.feed-open": finding.Medium, "nntp.auth-cleartext": finding.Medium, "nntp.starttls-missing": finding.Low,
		"nntp.starttls-broken": finding.Medium,
	}, ids)
}
