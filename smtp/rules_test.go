package smtp_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smtp"
)

func reply(code int, lines ...string) *probe.Reply { return &probe.Reply{Code: code, Lines: lines} }

// judge returns the rule's finding, or nil, and checks that its pointers lead somewhere and that stored evidence gives
// the same.
func judge(t *testing.T, id string, e *smtp.Evidence) *finding.Finding {
	t.Helper()
	r := &probe.Result{Protocol: "smtp", Evidence: e}
	doc, err := json.Marshal(r)
	require.NoError(t, err)
	for _, rule := range smtp.Rules {
		if rule.ID != id {
			continue
		}
		found := finding.Evaluate(r, []finding.Rule{rule})
		raw := new(probe.Result)
		require.NoError(t, json.Unmarshal(doc, raw))
		require.Equal(t, found, finding.Evaluate(raw, []finding.Rule{rule}))
		if len(found) == 0 {
			return nil
		}
		require.NotEmpty(t, found[0].Basis)
		for _, pointer := range found[0].Basis {
			value, err := finding.Resolve(doc, pointer)
			require.NoError(t, err)
			require.NotContains(t, []string{"null", `""`, "[]"}, string(value), pointer)
		}
		return &found[0]
	}
	require.Fail(t, "no rule "+id)
	return nil
}

func TestRules(t *testing.T) {
	ehlo := reply(250, "mx.example.com", "SIZE 1")
	for _, c := range []struct {
		name, id string
		e        smtp.Evidence
		want     finding.Known // empty where it doesn't fire
		detail   string
	}{
		{"greeted and introduced", "smtp.exposed", smtp.Evidence{Greeting: reply(220, "mx"), EHLO: ehlo, Hostname: "mx.example.com"}, finding.Seen, "mx.example.com"},
		{"by HELO", "smtp.exposed", smtp.Evidence{Greeting: reply(220, "mx"), EHLO: reply(500, ""), HELO: reply(250, "mx")}, finding.Seen, ""},
		{"another protocol with 220", "smtp.exposed", smtp.Evidence{Greeting: reply(220, "ftp"), EHLO: reply(530, ""), HELO: reply(530, "")}, "", ""},
		{"takes no mail", "smtp.exposed", smtp.Evidence{Greeting: reply(554, "no")}, finding.Seen, "turns clients away"},
		{"not learned", "smtp.exposed", smtp.Evidence{Greeting: reply(220, "mx")}, "", ""},

		{"not offered", "smtp.starttls-missing", smtp.Evidence{STARTTLS: probe.No, STARTTLSStripped: probe.No, EHLO: ehlo}, finding.Seen, ""},
		{"offered", "smtp.starttls-missing", smtp.Evidence{STARTTLS: probe.Yes, EHLO: ehlo}, "", ""},
		{"taken away", "smtp.starttls-missing", smtp.Evidence{STARTTLS: probe.No, STARTTLSStripped: probe.Yes, EHLO: ehlo}, "", ""},
		{"not learned", "smtp.starttls-missing", smtp.Evidence{Greeting: reply(220, "mx")}, "", ""},

		{"masked", "smtp.starttls-stripped", smtp.Evidence{STARTTLSStripped: probe.Yes, Extensions: []string{"XXXXXXXA"}}, finding.Seen, ""},
		{"not masked", "smtp.starttls-stripped", smtp.Evidence{STARTTLSStripped: probe.No, Extensions: []string{"SIZE"}}, "", ""},
		{"not learned", "smtp.starttls-stripped", smtp.Evidence{}, "", ""},

		{"PLAIN before TLS", "smtp.auth-cleartext", smtp.Evidence{ImplicitTLS: probe.No, AuthMechanisms: []string{"CRAM-MD5", "LOGIN", "PLAIN"}}, finding.Seen, "LOGIN, PLAIN"},
		{"no passwords", "smtp.auth-cleartext", smtp.Evidence{ImplicitTLS: probe.No, AuthMechanisms: []string{"CRAM-MD5", "XOAUTH2"}}, "", ""},
		{"after TLS only", "smtp.auth-cleartext", smtp.Evidence{ImplicitTLS: probe.No, AuthMechanismsAfterTLS: []string{"PLAIN"}}, "", ""},
		{"implicit TLS", "smtp.auth-cleartext", smtp.Evidence{ImplicitTLS: probe.Yes, AuthMechanisms: []string{"PLAIN"}}, "", ""},
		{"not learned", "smtp.auth-cleartext", smtp.Evidence{}, "", ""},

		{"advertised", "smtp.vrfy", smtp.Evidence{VRFY: probe.Yes, Extensions: []string{"vrfy"}}, finding.Claimed, ""},
		{"advertised after TLS", "smtp.vrfy", smtp.Evidence{VRFY: probe.Yes, ExtensionsAfterTLS: []string{"VRFY"}}, finding.Claimed, ""},
		{"tried", "smtp.vrfy", smtp.Evidence{VerifiesNames: probe.Yes, VRFYReply: reply(550, "5.1.1 unknown")}, finding.Seen, ""},
		{"tried in vain", "smtp.vrfy", smtp.Evidence{VRFY: probe.Yes, Extensions: []string{"VRFY"}, VerifiesNames: probe.No, VRFYReply: reply(252, "perhaps")}, "", ""},
		{"not advertised", "smtp.vrfy", smtp.Evidence{VRFY: probe.No}, "", ""},
		{"not learned", "smtp.vrfy", smtp.Evidence{}, "", ""},

		{"advertised", "smtp.expn", smtp.Evidence{EXPN: probe.Yes, Extensions: []string{"SIZE", "EXPN"}}, finding.Claimed, ""},
		{"not advertised", "smtp.expn", smtp.Evidence{EXPN: probe.No}, "", ""},
		{"not learned", "smtp.expn", smtp.Evidence{}, "", ""},
	} {
		t.Run(c.id+"/"+c.name, func(t *testing.T) {
			f := judge(t, c.id, &c.e)
			if c.want == "" {
				require.Nil(t, f)
				return
			}
			require.NotNil(t, f)
			require.Equal(t, c.want, f.Known)
			require.Equal(t, c.detail, f.Detail)
		})
	}
}

func TestRulesAreComplete(t *testing.T) {
	want := map[string]finding.Severity{
		"smtp.exposed": finding.Info, "smtp.starttls-missing": finding.Medium, "smtp.starttls-stripped": finding.High,
		"smtp.auth-cleartext": finding.Medium, "smtp.vrfy": finding.Medium, "smtp.expn": finding.Medium,
	}
	for _, r := range smtp.Rules {
		require.Equal(t, want[r.ID], r.Severity, r.ID)
		delete(want, r.ID)
		require.NotEmpty(t, r.Title)
		require.NotEmpty(t, r.Summary)
		require.NotEmpty(t, r.Remediation)
		require.NotEmpty(t, r.References)
		require.Nil(t, r.Check(&probe.Result{Evidence: &probe.RawEvidence{Name: "ftp", JSON: []byte(`{"starttls":"no","expn":"yes"}`)}}).Proof())
		require.Nil(t, r.Check(new(probe.Result)).Proof())
	}
	require.Empty(t, want)
}

// The rules that other protocols share ask SMTP evidence too.
func TestSharedRules(t *testing.T) {
	r := &probe.Result{Evidence: &smtp.Evidence{STARTTLSInjected: probe.Yes, NTLM: &probe.NTLM{DNSComputer: "mx01.corp.example.com"},
		TLS: &probe.TLS{Version: "1.0"}}}
	require.Len(t, finding.Evaluate(r, finding.STARTTLS), 1)
	require.Len(t, finding.Evaluate(r, finding.NTLM), 1)
	require.Len(t, finding.Evaluate(r, finding.TLS), 1)
}
