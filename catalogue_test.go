package handclasp_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// catalogue is the part of the findings catalogue that is built in: ids and severities are permanent.
var catalogue = map[string]finding.Severity{
	"ftp.exposed":                finding.Medium,
	"ftp.anonymous":              finding.Medium,
	"ftp.cleartext-login":        finding.Medium,
	"ftp.tls-missing":            finding.Low,
	"ftp.anonymous-listing":      finding.Medium,
	"ftp.anonymous-writable":     finding.High,
	"ftp.passive-address-leak":   finding.Low,
	"nntp.exposed":               finding.Info,
	"nntp.read-open":             finding.Low,
	"nntp.post-open":             finding.Medium,
	"nntp.feed-open":             finding.Medium,
	"nntp.auth-cleartext":        finding.Medium,
	"nntp.starttls-broken":       finding.Medium,
	"nntp.starttls-missing":      finding.Low,
	"rsync.exposed":              finding.Medium,
	"rsync.module-list":          finding.Low,
	"rsync.module-open":          finding.High,
	"rsync.weak-auth-digest":     finding.Low,
	"rsync.outdated":             finding.High,
	"netbios.exposed":            finding.High,
	"netbios.info-leak":          finding.High,
	"netbios.amplifier":          finding.Medium,
	"smb.exposed":                finding.High,
	"smb.v1":                     finding.Medium,
	"smb.signing-optional":       finding.Medium,
	"smb.null-session":           finding.High,
	"smb.guest":                  finding.High,
	"smb.shares-listed":          finding.Medium,
	"smb.no-encryption":          finding.Info,
	"smtp.exposed":               finding.Info,
	"smtp.starttls-broken":       finding.Medium,
	"smtp.starttls-missing":      finding.Medium,
	"smtp.starttls-stripped":     finding.High,
	"smtp.auth-cleartext":        finding.Medium,
	"smtp.vrfy":                  finding.Medium,
	"smtp.expn":                  finding.Medium,
	"ssh.exposed":                finding.Low,
	"ssh.v1":                     finding.High,
	"ssh.weak-kex":               finding.Medium,
	"ssh.weak-hostkey-alg":       finding.Medium,
	"ssh.weak-cipher":            finding.Low,
	"ssh.weak-mac":               finding.Low,
	"ssh.small-hostkey":          finding.Low,
	"ssh.terrapin":               finding.Medium,
	"ssh.password-auth":          finding.Medium,
	"ssh.shared-hostkey":         finding.High,
	"tls.shared-key":             finding.Low,
	"net.same-machine":           finding.Info,
	"ssh.no-post-quantum":        finding.Info,
	"ssh.none-accepted":          finding.Critical,
	"ssh.weak-gex":               finding.High,
	"net.odd-port":               finding.Info,
	"starttls.injection":         finding.High,
	"ntlm.info":                  finding.Low,
	"key.weak":                   finding.Critical,
	"tls.cert-expired":           finding.Medium,
	"tls.cert-untrusted":         finding.Medium,
	"tls.cert-mismatch":          finding.Medium,
	"tls.legacy-version":         finding.Medium,
	"tls.weak-key":               finding.Low,
	"tls.weak-signature":         finding.Low,
	"tls.cert-expires-soon":      finding.Low,
	"tls.cert-long-lived":        finding.Info,
	"tls.cert-wildcard":          finding.Info,
	"tls.cert-internal-names":    finding.Low,
	"tls.sslv2":                  finding.High,
	"tls.sslv3":                  finding.High,
	"tls.anonymous-suites":       finding.High,
	"tls.null-suites":            finding.High,
	"tls.export-suites":          finding.High,
	"tls.rc4":                    finding.Medium,
	"tls.3des":                   finding.Low,
	"tls.no-forward-secrecy":     finding.Low,
	"tls.weak-dh":                finding.High,
	"tls.common-dh-prime":        finding.Low,
	"tls.compression":            finding.Medium,
	"tls.insecure-renegotiation": finding.Medium,
	"tls.no-post-quantum":        finding.Info,
}

func TestCatalogue(t *testing.T) {
	seen := make(map[string]finding.Severity)
	rules := handclasp.Rules()
	for _, c := range handclasp.Comparisons() {
		require.Nil(t, c.Check, c.ID)
		require.NotNil(t, c.Marks, c.ID)
		c.Check = func(*probe.Result) finding.Answer { return finding.NotLearned() }
		rules = append(rules, c.Rule)
	}
	for _, r := range rules {
		require.NotContains(t, seen, r.ID, "twice")
		seen[r.ID] = r.Severity
		require.Regexp(t, regexp.MustCompile(`^[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*)$`), r.ID)
		require.NotEmpty(t, r.Title, r.ID)
		require.Regexp(t, `^[^\n]+\.$`, r.Summary, r.ID)
		require.NotEmpty(t, r.Remediation, r.ID)
		require.NotEmpty(t, r.References, r.ID)
		require.NotNil(t, r.Check, r.ID)
		require.NotEmpty(t, r.CVSS, r.ID)
		require.NotEmpty(t, r.Techniques, r.ID)
		require.NotEmpty(t, r.Controls, r.ID)
	}
	require.Equal(t, catalogue, seen)
}

// No evidence never fires.
func TestNothingLearned(t *testing.T) {
	require.Empty(t, finding.Evaluate(&probe.Result{}, handclasp.Rules()))
	j := finding.NewJudge(nil, handclasp.Comparisons())
	for _, p := range handclasp.Probers() {
		spec := p.Spec()
		r := &probe.Result{Protocol: spec.Protocol, Outcome: probe.OutcomeRefused, Evidence: spec.Evidence()}
		require.Empty(t, finding.Evaluate(r, handclasp.Rules()), spec.Protocol)
		require.Empty(t, j.Evaluate(r), spec.Protocol)
	}
}

// Slices are the caller's: changing one changes nothing for the next.
func TestSlicesAreFresh(t *testing.T) {
	rules := handclasp.Rules()
	rules[0].Severity = finding.Critical
	require.NotEqual(t, finding.Critical, handclasp.Rules()[0].Severity)
	comparisons := handclasp.Comparisons()
	comparisons[0].Severity = finding.Critical
	require.NotEqual(t, finding.Critical, handclasp.Comparisons()[0].Severity)
	require.NotEmpty(t, handclasp.Probers())
}
