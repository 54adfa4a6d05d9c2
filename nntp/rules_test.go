package nntp_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/finding/findingtest"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
)

func reply(code int) *probe.Reply { return &probe.Reply{Code: code, Lines: []string{"text"}} }

func TestRules(t *testing.T) {
	type E = nntp.Evidence
	type Case = findingtest.Case[*E]
	const yes, no = probe.Yes, probe.No
	implicit := &E{ImplicitTLS: yes, AuthMethods: []string{"USER"}, Capabilities: []string{"STARTTLS"}, CapabilitiesFrom: "CAPABILITIES"}
	bare := &E{ImplicitTLS: no, STARTTLS: no, CapabilitiesFrom: "CAPABILITIES", Capabilities: []string{"READER"}}
	announced := func(r *probe.Reply, shaken *probe.TLS) *E {
		return &E{ImplicitTLS: no, CapabilitiesFrom: "CAPABILITIES", Capabilities: []string{"READER", "starttls"}, STARTTLSReply: r, TLS: shaken}
	}
	// A list that is for readers, which strangers are or aren't.
	posting := func(read probe.Fact, list ...string) *E {
		return &E{Posting: yes, ReadAccess: read, Capabilities: list}
	}
	feeding := func(read probe.Fact, list ...string) *E {
		return &E{Feeding: yes, ReadAccess: read, Capabilities: list}
	}
	cases := map[string][]Case{
		"nntp.exposed": {
			{Fires: []*E{{Greeting: reply(200)}, {Greeting: reply(201)}, {Greeting: reply(480)}, {Greeting: reply(483)}}, Known: finding.Seen},
			{Fires: []*E{{Greeting: reply(400)}, {Greeting: reply(502)}}, Known: finding.Seen, Detail: "turns clients away"},
			{NotSo: []*E{{Greeting: reply(220)}, {Greeting: reply(150)}}, NotLearned: []*E{{}, {Greeting: reply(0)}, {Greeting: reply(421)}}},
		},
		"nntp.read-open": {
			{
				Fires: []*E{{ReadAccess: yes, ReadReply: reply(411)}, {ReadAccess: yes, ReadReply: reply(211)}}, Known: finding.Seen,
				NotSo: []*E{{ReadAccess: no, ReadReply: reply(480)}}, NotLearned: []*E{{}, {ReadReply: reply(403)}},
			},
			{Fires: []*E{{ReadAccess: yes, ReadReply: reply(483), ReadReplyAfterTLS: reply(411)}}, Known: finding.Seen, Detail: "inside TLS"},
		},
		"nntp.post-open": {{
			Fires: []*E{
				posting(yes, "READER", "POST"), {Posting: yes, ReadAccess: yes, CapabilitiesAfterModeReader: []string{"POST"}},
				{Posting: yes, ReadAccess: yes, Capabilities: []string{"VERSION 2"}, CapabilitiesAfterTLS: []string{"post"}},
			},
			Known:      finding.Claimed,
			NotSo:      []*E{{Posting: no, ReadAccess: yes, Capabilities: []string{"READER"}}, posting(no, "READER", "POST")}, // after a login
			NotLearned: []*E{{}, posting(yes), posting(probe.Unknown, "READER", "POST"), {ReadAccess: yes, Capabilities: []string{"POST"}}},
		}},
		"nntp.feed-open": {
			{Fires: []*E{feeding(probe.Unknown, "VERSION 2", "IHAVE", "STREAMING")}, Known: finding.Claimed, Detail: "IHAVE, STREAMING", Items: []string{"IHAVE", "STREAMING"}},
			{Fires: []*E{feeding(yes, "READER", "IHAVE"), feeding(no, "VERSION 2", "IHAVE")}, Known: finding.Claimed, Detail: "IHAVE", Items: []string{"IHAVE"}},
			{Fires: []*E{{Feeding: yes, CapabilitiesAfterTLS: []string{"streaming"}}}, Known: finding.Claimed, Detail: "STREAMING", Items: []string{"STREAMING"}},
			{NotSo: []*E{{Feeding: no}, feeding(no, "READER", "IHAVE")}, NotLearned: []*E{{}, feeding(probe.Unknown, "READER", "IHAVE")}},
		},
		"nntp.auth-cleartext": {
			{Fires: []*E{{ImplicitTLS: no, AuthMethods: []string{"SASL", "USER"}}}, Known: finding.Seen, Detail: "AUTHINFO USER", Items: []string{"AUTHINFO USER"}},
			{
				Fires: []*E{{ImplicitTLS: no, AuthMethods: []string{"SASL"}, SASLMechanisms: []string{"CRAM-MD5", "PLAIN", "LOGIN"}}}, Known: finding.Seen,
				Detail: "AUTHINFO SASL PLAIN, AUTHINFO SASL LOGIN", Items: []string{"AUTHINFO SASL PLAIN", "AUTHINFO SASL LOGIN"},
			},
			{
				NotSo: []*E{
					{ImplicitTLS: no, AuthMethods: []string{"SASL"}, SASLMechanisms: []string{"CRAM-MD5"}},
					{ImplicitTLS: no, AuthMethods: []string{}, SASLMechanisms: []string{"PLAIN"}, AuthMethodsAfterTLS: []string{"USER"}}, // not now
					implicit,
				},
				NotLearned: []*E{{}, {ImplicitTLS: no}, {AuthMethods: []string{"USER"}}},
			},
		},
		"nntp.starttls-missing": {
			{Fires: []*E{bare}, Known: finding.Seen, Detail: "not in the list of CAPABILITIES"},
			{Fires: []*E{{ImplicitTLS: no, STARTTLS: no, STARTTLSReply: reply(580)}}, Known: finding.Seen, Detail: "answers 580"},
			{
				NotSo:      []*E{{ImplicitTLS: no, STARTTLS: yes, STARTTLSReply: reply(382)}, implicit, announced(reply(580), nil)},
				NotLearned: []*E{{}, {ImplicitTLS: no, STARTTLSReply: reply(400)}},
			},
		},
		"nntp.starttls-broken": {
			{Fires: []*E{announced(reply(580), nil)}, Known: finding.Seen, Detail: "answers 580"},
			{Fires: []*E{announced(reply(382), &probe.TLS{Error: "tls: EOF"})}, Known: finding.Seen, Detail: "tls: EOF"},
			{
				NotSo: []*E{bare, implicit, announced(reply(382), &probe.TLS{Version: "1.3"}), announced(reply(382), &probe.TLS{Version: "1.2", Error: "tls: wants a certificate"})},
				NotLearned: []*E{
					{}, announced(nil, nil), announced(reply(480), nil), announced(reply(400), nil), announced(reply(382), nil),
					announced(reply(382), &probe.TLS{Error: "tls: remote error: tls: handshake failure"}),
					{ImplicitTLS: no, STARTTLS: no, STARTTLSReply: reply(580)}, // it wasn't announced
				},
			},
		},
	}
	findingtest.Rules(t, nntp.Rules, func(e *E) *probe.Result {
		r := &probe.Result{Protocol: "nntp", Evidence: e, Outcome: probe.OutcomeOK}
		if e.TLS != nil && e.TLS.Error != "" {
			r.Outcome = probe.OutcomeTLS
		}
		return r
	}, cases)
}

func check(t *testing.T, id string, outcome probe.Outcome, e *nntp.Evidence) finding.Answer {
	t.Helper()
	i := slices.IndexFunc(nntp.Rules, func(rule finding.Rule) bool { return rule.ID == id })
	require.GreaterOrEqual(t, i, 0)
	return nntp.Rules[i].Check(&probe.Result{Protocol: "nntp", Outcome: outcome, Evidence: e})
}

// A line that is no reply may be a busy server's, and its beginning that of anything.
func TestCutGreeting(t *testing.T) {
	e := &nntp.Evidence{Greeting: &probe.Reply{Lines: []string{"20"}}}
	require.Equal(t, finding.NotLearned(), check(t, "nntp.exposed", probe.OutcomeClosed, e))
	require.Equal(t, finding.NotLearned(), check(t, "nntp.exposed", probe.OutcomeNotProtocol, e))
}

// A server that hangs up on STARTTLS, and one that was only slow.
func TestHangsUpOnSTARTTLS(t *testing.T) {
	e := &nntp.Evidence{ImplicitTLS: probe.No, CapabilitiesFrom: "CAPABILITIES", Capabilities: []string{"STARTTLS"}}
	require.NotNil(t, check(t, "nntp.starttls-broken", probe.OutcomeClosed, e).Proof())
	require.Equal(t, finding.NotLearned(), check(t, "nntp.starttls-broken", probe.OutcomeTimeout, e))
}
