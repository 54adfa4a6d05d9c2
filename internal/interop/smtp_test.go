package interop_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smtp"
)

// What a server must show to an outsider. Facts that are left out must be unknown, lists null.
type smtpFacts struct {
	outcome       probe.Outcome // "" is ok
	hostname      string
	greetingLines int
	size          uint64 // 0 if it isn't told
	starttls      probe.Fact
	stripped      probe.Fact
	tlsVersion    string
	auth, authTLS []string
	vrfy, expn    probe.Fact
	ntlmTarget    string
	findings      []string
	// with the knobs
	injection probe.Fact
	verifies  probe.Fact
	vrfyCode  int
}

var (
	none   = []string{}
	logins = []string{"PLAIN", "LOGIN"}
	sasl   = []string{"PLAIN", "LOGIN", "NTLM"}

	loginsBackwards = []string{"LOGIN", "PLAIN"}
	digests         = []string{"DIGEST-MD5", "CRAM-MD5"}

	// OpenSSL and GnuTLS as these configurations leave them
)

var smtpServerFacts = map[string]smtpFacts{
	"postfix STARTTLS": {
		hostname: "mx.postfix.test", greetingLines: 1, size: 10240000, starttls: probe.Yes, stripped: probe.No, tlsVersion: "1.3",
		auth: none, authTLS: sasl, vrfy: probe.No, expn: probe.No, ntlmTarget: "MX.POSTFIX.TEST", findings: []string{"smtp.exposed"},
		injection: probe.No, verifies: probe.No, vrfyCode: 502,
	},
	"postfix implicit TLS": {
		hostname: "mx.postfix.test", greetingLines: 1, size: 10240000, starttls: probe.No, tlsVersion: "1.3",
		auth: sasl, vrfy: probe.Yes, expn: probe.No, ntlmTarget: "MX.POSTFIX.TEST", findings: []string{"smtp.vrfy", "smtp.exposed"},
		verifies: probe.Yes, vrfyCode: 550,
	},
	"postfix postscreen": { // greets in two parts, and drops who speaks between them
		hostname: "mx.postfix.test", greetingLines: 2, size: 10240000, starttls: probe.Yes, stripped: probe.No, tlsVersion: "1.3",
		auth: none, authTLS: none, vrfy: probe.Yes, expn: probe.No, findings: []string{"smtp.vrfy", "smtp.exposed"},
		injection: probe.No, verifies: probe.Yes, vrfyCode: 550,
	},
	"exim cleartext": {
		hostname: "mx.exim.test", greetingLines: 1, size: 52428800, starttls: probe.No, stripped: probe.No,
		auth: logins, vrfy: probe.No, expn: probe.No,
		findings: []string{"smtp.auth-cleartext", "smtp.starttls-missing", "smtp.exposed"},
		verifies: probe.No, vrfyCode: 252,
	},
	"exim VRFY and EXPN": { // wants a domain
		hostname: "mx.exim.test", greetingLines: 1, size: 52428800, starttls: probe.No, stripped: probe.No,
		auth: logins, vrfy: probe.Yes, expn: probe.Yes,
		findings: []string{"smtp.auth-cleartext", "smtp.expn", "smtp.starttls-missing", "smtp.vrfy", "smtp.exposed"},
		verifies: probe.Yes, vrfyCode: 550,
	},
	"exim STARTTLS": {
		hostname: "mx.exim.test", greetingLines: 1, size: 52428800, starttls: probe.Yes, stripped: probe.No, tlsVersion: "1.3",
		auth: logins, authTLS: logins, vrfy: probe.No, expn: probe.No, findings: []string{"smtp.auth-cleartext", "smtp.exposed"},
		injection: probe.No, verifies: probe.No, vrfyCode: 252,
	},
	"opensmtpd cleartext": {
		hostname: "mx.opensmtpd.test", greetingLines: 1, size: 36700160, starttls: probe.No, stripped: probe.No,
		auth: none, vrfy: probe.No, expn: probe.No, findings: []string{"smtp.starttls-missing", "smtp.exposed"},
		verifies: probe.No, vrfyCode: 500,
	},
	"sendmail STARTTLS": { // takes VRFY, of which it says nothing, and any name
		hostname: "mx.sendmail.test", greetingLines: 1, starttls: probe.Yes, stripped: probe.No, tlsVersion: "1.3",
		auth: digests, authTLS: digests, vrfy: probe.No, expn: probe.Yes, findings: []string{"smtp.expn", "smtp.exposed"},
		injection: probe.No, verifies: probe.No, vrfyCode: 250,
	},
	"courier STARTTLS": { // ESMTPAUTH offers logins in cleartext, ESMTPAUTH_TLS would inside TLS alone
		hostname: "mx.courier.test", greetingLines: 1, starttls: probe.Yes, stripped: probe.No, tlsVersion: "1.3",
		auth: loginsBackwards, authTLS: loginsBackwards, vrfy: probe.No, expn: probe.No, findings: []string{"smtp.auth-cleartext", "smtp.exposed"},
		injection: probe.No, verifies: probe.No, vrfyCode: 252,
	},
	"dovecot submission": { // offers logins in cleartext to loopback alone, and hangs up on what comes behind STARTTLS
		hostname: "mx.dovecot.test", greetingLines: 1, starttls: probe.Yes, stripped: probe.No, tlsVersion: "1.3",
		auth: logins, authTLS: logins, vrfy: probe.No, expn: probe.No, findings: []string{"smtp.auth-cleartext", "smtp.exposed"},
		vrfyCode: 530,
	},
	"dovecot implicit TLS": {
		hostname: "mx.dovecot.test", greetingLines: 1, starttls: probe.No, tlsVersion: "1.3",
		auth: logins, vrfy: probe.No, expn: probe.No, findings: []string{"smtp.exposed"}, vrfyCode: 530,
	},
	"chasquid STARTTLS":   chasquidSTARTTLS,
	"chasquid submission": chasquidSTARTTLS,
	"chasquid implicit TLS": {
		hostname: "mx.chasquid.test", greetingLines: 1, size: 50 << 20, starttls: probe.No, tlsVersion: "1.3",
		auth: []string{"PLAIN"}, vrfy: probe.No, expn: probe.No, findings: []string{"smtp.exposed"},
		verifies: probe.No, vrfyCode: 502,
	},
	"twisted-mail cleartext": {
		hostname: "mx.twisted.test", greetingLines: 1, starttls: probe.No, stripped: probe.No,
		auth: loginsBackwards, vrfy: probe.No, expn: probe.No,
		findings: []string{"smtp.auth-cleartext", "smtp.starttls-missing", "smtp.exposed"},
		verifies: probe.No, vrfyCode: 500,
	},
	"twisted-mail STARTTLS": { // answers inside TLS what came before it
		hostname: "mx.twisted.test", greetingLines: 1, starttls: probe.Yes, stripped: probe.No, tlsVersion: "1.3",
		auth: loginsBackwards, authTLS: loginsBackwards, vrfy: probe.No, expn: probe.No,
		findings:  []string{"smtp.auth-cleartext", "smtp.exposed"},
		injection: probe.Yes, verifies: probe.No, vrfyCode: 500,
	},
	"aiosmtpd cleartext": {
		hostname: "mx.aiosmtpd.test", greetingLines: 1, size: 32 << 20, starttls: probe.No, stripped: probe.No,
		auth: none, vrfy: probe.No, expn: probe.No, findings: []string{"smtp.starttls-missing", "smtp.exposed"},
		verifies: probe.No, vrfyCode: 252,
	},
	"aiosmtpd STARTTLS": {
		hostname: "mx.aiosmtpd.test", greetingLines: 1, size: 32 << 20, starttls: probe.Yes, stripped: probe.No, tlsVersion: "1.3",
		auth: none, authTLS: loginsBackwards, vrfy: probe.No, expn: probe.No, findings: []string{"smtp.exposed"},
		injection: probe.No, verifies: probe.No, vrfyCode: 252,
	},
	"smtp-server STARTTLS": {
		hostname: "mx.smtp-server.test", greetingLines: 1, starttls: probe.Yes, stripped: probe.No, tlsVersion: "1.3",
		auth: loginsBackwards, authTLS: loginsBackwards, vrfy: probe.No, expn: probe.No, findings: []string{"smtp.auth-cleartext", "smtp.exposed"},
		injection: probe.No, verifies: probe.No, vrfyCode: 252,
	},
	"smtp-server implicit TLS": {
		hostname: "mx.smtp-server.test", greetingLines: 1, starttls: probe.No, tlsVersion: "1.3",
		auth: loginsBackwards, vrfy: probe.No, expn: probe.No, findings: []string{"smtp.exposed"},
		verifies: probe.No, vrfyCode: 252,
	},
	"opensmtpd STARTTLS":          failedTLS,
	"opensmtpd STARTTLS required": failedTLS,
	"opensmtpd implicit TLS":      {outcome: probe.OutcomeTLS, tlsVersion: "1.3", findings: none},
}

// failedTLS is a server whose handshake fails behind its certificate: what came before stays, and so does the chain;
// what it has inside isn't known.
var failedTLS = smtpFacts{
	outcome: probe.OutcomeTLS, hostname: "mx.opensmtpd.test", greetingLines: 1, size: 36700160, starttls: probe.Yes, stripped: probe.No, tlsVersion: "1.3",
	auth: none, findings: []string{"smtp.exposed"},
}

// chasquidSTARTTLS is a listener of chasquid's: AUTH inside TLS alone, on port 25 as well.
var chasquidSTARTTLS = smtpFacts{
	hostname: "mx.chasquid.test", greetingLines: 1, size: 50 << 20, starttls: probe.Yes, stripped: probe.No, tlsVersion: "1.3",
	auth: none, authTLS: []string{"PLAIN"}, vrfy: probe.No, expn: probe.No, findings: []string{"smtp.exposed"},
	injection: probe.No, verifies: probe.No, vrfyCode: 502,
}

func TestSMTP(t *testing.T) {
	for _, instance := range smtpInstances {
		t.Run(instance.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range instance.start(t) {
				t.Run(s.Name, func(t *testing.T) {
					want, ok := smtpServerFacts[instance.name+" "+s.Name]
					require.True(t, ok)
					name := instance.name + "-" + upstream(s.Version) + "-" + strings.ReplaceAll(strings.ToLower(s.Name), " ", "-")
					software := instance.name + " " + s.Version

					r, e := askSMTP(t, smtp.Prober{}, s)
					capture(t, r, name, software, smtpPort(s))
					if want.greetingLines > 0 {
						requireSoftware(t, r, instance.name, s.Version)
					} else {
						require.Empty(t, fingerprint.Builtin().Software(r))
					}
					want.check(t, s, r, e)
					require.Equal(t, probe.Unknown, e.STARTTLSInjected)
					require.Nil(t, e.VRFYReply)

					r, e = askSMTP(t, smtp.Prober{Injection: true, Verify: true}, s)
					if want.outcome == "" {
						capture(t, r, "knobs/"+name, software, smtpPort(s))
					}
					want.check(t, s, r, e)
					require.Equal(t, want.injection, e.STARTTLSInjected)
					require.Equal(t, want.verifies, e.VerifiesNames)
					require.Equal(t, want.vrfyCode, code(e.VRFYReply))
				})
			}
		})
	}
}

func (want smtpFacts) check(t *testing.T, s smtpServer, r *probe.Result, e *smtp.Evidence) {
	t.Helper()
	require.Equal(t, cmp.Or(want.outcome, probe.OutcomeOK), r.Outcome, "%v", r.Err)
	require.Equal(t, want.hostname, e.Hostname)
	if want.greetingLines == 0 {
		require.Nil(t, e.Greeting)
		require.Equal(t, probe.Unknown, e.ImplicitTLS)
	} else {
		require.Equal(t, 220, e.Greeting.Code)
		require.Len(t, e.Greeting.Lines, want.greetingLines)
		require.Equal(t, probe.FactOf(s.Implicit), e.ImplicitTLS)
		if want.size == 0 {
			require.Nil(t, e.SizeLimit)
		} else {
			require.Equal(t, want.size, *e.SizeLimit)
		}
	}
	require.Equal(t, want.starttls, e.STARTTLS)
	require.Equal(t, want.stripped, e.STARTTLSStripped)
	require.Equal(t, want.auth, e.AuthMechanisms)
	require.Equal(t, want.authTLS, e.AuthMechanismsAfterTLS)
	require.Equal(t, want.vrfy, e.VRFY)
	require.Equal(t, want.expn, e.EXPN)
	require.Equal(t, want.tlsVersion != "", e.TLS != nil)
	if e.TLS != nil {
		require.Equal(t, want.tlsVersion, e.TLS.Version)
		require.NotEmpty(t, e.TLS.Chain)
		require.Equal(t, want.outcome != "", e.TLS.Error != "")
	}
	require.Equal(t, want.ntlmTarget != "", e.NTLM != nil)
	if e.NTLM != nil {
		require.Equal(t, want.ntlmTarget, e.NTLM.TargetName)
	}
	ids := []string{}
	for _, f := range finding.Evaluate(r, smtp.Rules) {
		ids = append(ids, f.ID)
	}
	require.Equal(t, want.findings, ids)
}

func askSMTP(t *testing.T, p smtp.Prober, s smtpServer) (*probe.Result, *smtp.Evidence) {
	t.Helper()
	r := probe.Run(t.Context(), p, probe.Target{Addr: s.Addr}, &probe.Options{ImplicitTLS: probe.FactOf(s.Implicit), Limits: patience})
	e, ok := probe.As[*smtp.Evidence](r)
	require.True(t, ok)
	return r, e
}

func smtpPort(s smtpServer) uint16 {
	if s.Implicit {
		return 465
	}
	return 25
}
