package smtp_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/finding/findingtest"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smtp"
)

func reply(code int, lines ...string) *probe.Reply { return &probe.Reply{Code: code, Lines: lines} }

func TestRules(t *testing.T) {
	type E = smtp.Evidence
	type Case = findingtest.Case[*E]
	ehlo := reply(250, "mx.example.com", "SIZE 1")
	implicit := &E{ImplicitTLS: probe.Yes, STARTTLS: probe.No, AuthMechanisms: []string{"PLAIN"}, EHLO: ehlo}
	answered := func(r *probe.Reply, shaken *probe.TLS) *E {
		return &E{ImplicitTLS: probe.No, STARTTLS: probe.Yes, STARTTLSReply: r, TLS: shaken}
	}
	go220 := reply(220, "go")
	cases := map[string][]Case{
		"smtp.exposed": {
			{Fires: []*E{{Greeting: reply(220, "mx"), EHLO: ehlo, Hostname: "mx.example.com"}, {Greeting: reply(220, "mx"), EHLO: reply(500, ""), HELO: reply(250, "mx"), Hostname: "mx.example.com"}},
				Known: finding.Seen, Detail: "mx.example.com"},
			{Fires: []*E{{Greeting: reply(554, "no")}, {Greeting: reply(421, "later")}, {Greeting: reply(450, "later")}}, Known: finding.Seen, Detail: "turns clients away"},
			{Fires: []*E{{Greeting: reply(220, "mx ESMTP")}, {Greeting: reply(220, "mx SMTP"), EHLO: reply(550, "no"), HELO: reply(550, "no")},
				{Greeting: reply(220, "mx SMTP"), EHLO: reply(500, ""), HELO: reply(502, "")}, {Greeting: reply(220, "mx Python SMTP"), EHLO: reply(550, "no"), HELO: reply(550, "no")},
				{Greeting: reply(220, "mx ESMTP"), EHLO: reply(500, ""), HELO: reply(500, "")}, {Greeting: reply(220, "mx"), EHLO: reply(550, "5.7.1 no")}}, Known: finding.Seen},
			{NotSo: []*E{{Greeting: reply(220, "ftp"), EHLO: reply(530, ""), HELO: reply(530, "")}, {Greeting: reply(220, "mx Python SMTP"), EHLO: reply(500, ""), HELO: reply(500, "")}, {Greeting: reply(220, "mx LMTP"), EHLO: reply(550, ""), HELO: reply(500, "")},
				{Greeting: reply(220, "mx LMTP"), EHLO: reply(550, "5.7.1 no"), HELO: reply(550, "")}, {Greeting: reply(200, "news")}}},
			{NotLearned: []*E{{}, {Greeting: reply(220, "mx")}, {Greeting: reply(220, "mx Python SMTP")}, {Greeting: reply(220, "smtp.example.com"), EHLO: reply(550, "no"), HELO: reply(550, "no")},
				{Greeting: reply(220, "mx LMTP"), EHLO: reply(450, "")}}},
		},
		"smtp.starttls-missing": {{
			Fires: []*E{{STARTTLS: probe.No, STARTTLSStripped: probe.No, EHLO: ehlo}}, Known: finding.Seen,
			NotSo:      []*E{{STARTTLS: probe.Yes, EHLO: ehlo}, {STARTTLS: probe.No, STARTTLSStripped: probe.Yes, EHLO: ehlo}, implicit},
			NotLearned: []*E{{Greeting: reply(220, "mx")}, {EHLO: reply(550, "no"), HELO: reply(550, "no")}},
		}},
		"smtp.starttls-broken": {
			{Fires: []*E{answered(reply(454, "no"), nil)}, Known: finding.Seen, Detail: "answers 454"},
			{Fires: []*E{answered(go220, &probe.TLS{Error: "tls: EOF"})}, Known: finding.Seen, Detail: "tls: EOF"},
			{NotSo: []*E{{STARTTLS: probe.No}, implicit, answered(go220, &probe.TLS{Version: "1.3"}), answered(go220, &probe.TLS{Version: "1.2", Error: "tls: wants a certificate"})}},
			{NotLearned: []*E{{}, answered(reply(421, "later"), nil), answered(nil, nil), answered(go220, nil), answered(go220, &probe.TLS{Error: "tls: remote error: tls: handshake failure"})}},
		},
		"smtp.starttls-stripped": {{
			Fires: []*E{{STARTTLSStripped: probe.Yes, Extensions: []string{"XXXXXXXA"}}}, Known: finding.Seen,
			NotSo: []*E{{STARTTLSStripped: probe.No, Extensions: []string{"SIZE"}}}, NotLearned: []*E{{}},
		}},
		"smtp.auth-cleartext": {{
			Fires: []*E{{ImplicitTLS: probe.No, AuthMechanisms: []string{"CRAM-MD5", "LOGIN", "PLAIN"}}}, Known: finding.Seen,
			Detail: "LOGIN, PLAIN", Items: []string{"LOGIN", "PLAIN"},
			NotSo:      []*E{{ImplicitTLS: probe.No, AuthMechanisms: []string{"CRAM-MD5", "XOAUTH2"}}, {ImplicitTLS: probe.No, AuthMechanisms: []string{}}, implicit},
			NotLearned: []*E{{}, {ImplicitTLS: probe.No, AuthMechanismsAfterTLS: []string{"PLAIN"}}},
		}},
		"smtp.vrfy": {
			{Fires: []*E{{VRFY: probe.Yes, Extensions: []string{"vrfy"}}, {VRFY: probe.Yes, ExtensionsAfterTLS: []string{"VRFY"}}}, Known: finding.Claimed},
			{Fires: []*E{{VerifiesNames: probe.Yes, VRFYReply: reply(550, "5.1.1 unknown")}}, Known: finding.Seen},
			{NotSo: []*E{{VRFY: probe.Yes, Extensions: []string{"VRFY"}, VerifiesNames: probe.No, VRFYReply: reply(252, "perhaps")}, {VRFY: probe.No}}, NotLearned: []*E{{}}},
		},
		"smtp.expn": {{
			Fires: []*E{{EXPN: probe.Yes, Extensions: []string{"SIZE", "EXPN"}}}, Known: finding.Claimed,
			NotSo: []*E{{EXPN: probe.No}}, NotLearned: []*E{{}},
		}},
	}
	findingtest.Rules(t, smtp.Rules, func(e *E) *probe.Result {
		r := &probe.Result{Protocol: "smtp", Evidence: e, Outcome: probe.OutcomeOK}
		if e.TLS != nil && e.TLS.Error != "" {
			r.Outcome = probe.OutcomeTLS
		}
		return r
	}, cases)
}

// A server that hangs up on STARTTLS, and one that was only slow.
func TestHangsUpOnSTARTTLS(t *testing.T) {
	for outcome, want := range map[probe.Outcome]int{probe.OutcomeClosed: 1, probe.OutcomeTimeout: 0} {
		r := &probe.Result{Protocol: "smtp", Outcome: outcome, Evidence: &smtp.Evidence{ImplicitTLS: probe.No, STARTTLS: probe.Yes}}
		require.Len(t, finding.Evaluate(r, smtp.Rules), want, outcome)
	}
}

// A line that is no reply may be a busy server's, and its beginning that of anything.
func TestCutGreeting(t *testing.T) {
	for _, outcome := range []probe.Outcome{probe.OutcomeNotProtocol, probe.OutcomeClosed} {
		r := &probe.Result{Protocol: "smtp", Outcome: outcome, Evidence: &smtp.Evidence{Greeting: reply(0, "22")}}
		i := slices.IndexFunc(smtp.Rules, func(rule finding.Rule) bool { return rule.ID == "smtp.exposed" })
		require.Equal(t, finding.NotLearned(), smtp.Rules[i].Check(r), outcome)
	}
}

// The rules that other protocols share ask SMTP evidence too.
func TestSharedRules(t *testing.T) {
	r := &probe.Result{Evidence: &smtp.Evidence{STARTTLSInjected: probe.Yes, NTLM: &probe.NTLM{DNSComputer: "mx01.corp.example.com"},
		TLS: &probe.TLS{Version: "1.0"}}}
	require.Len(t, finding.Evaluate(r, finding.STARTTLS), 1)
	require.Len(t, finding.Evaluate(r, finding.NTLM), 1)
	require.Len(t, finding.Evaluate(r, finding.TLS), 1)
}
