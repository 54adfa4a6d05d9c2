package interop_test

import (
	"encoding/xml"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/smtp"
)

// enumerated is what nmap's script finds at a server that speaks TLS from the first byte: suites by version.
func enumerated(t testing.TB, addr netip.AddrPort) map[string][]string {
	t.Helper()
	out, err := exec.Command(need(t, "nmap")[0], "-n", "-Pn", "-p"+strconv.Itoa(int(addr.Port())), "-oX", "-",
		"--script", "+ssl-enum-ciphers", addr.Addr().String()).Output()
	require.NoError(t, err)
	var report struct {
		Scripts []nmapTable `xml:"host>ports>port>script"`
	}
	require.NoError(t, xml.Unmarshal(out, &report))
	require.Len(t, report.Scripts, 1, "%s", out)
	found := map[string][]string{}
	for _, version := range report.Scripts[0].Tables {
		name := strings.TrimPrefix(version.Key, "TLSv")
		found[name] = []string{}
		for _, part := range version.Tables {
			if part.Key != "ciphers" {
				continue
			}
			for _, suite := range part.Tables {
				// It has names of its own for TLS 1.3.
				found[name] = append(found[name], strings.Replace(suite.elem("name"), "TLS_AKE_WITH_", "TLS_", 1))
			}
		}
	}
	return found
}

// offersAsNmap requires that nmap finds the same suites, by version.
func offersAsNmap(t testing.TB, addr netip.AddrPort, ours map[string][]string) {
	t.Helper()
	others := enumerated(t, addr)
	require.Len(t, others, len(ours))
	for version, want := range others {
		require.ElementsMatch(t, want, ours[version], version)
	}
}

// What Postfix accepts is the same behind STARTTLS and from the first byte, and what nmap says.
func TestTLSOffersOfPostfix(t *testing.T) {
	p := postfix(t)
	ask := func(s smtpServer, mode probe.TLSMode) *probe.TLSOffers {
		r := probe.Run(t.Context(), smtp.Prober{}, probe.Target{Addr: s.Addr}, &probe.Options{ImplicitTLS: probe.FactOf(s.Implicit), TLS: mode, Limits: patience})
		require.Equal(t, probe.OutcomeOK, r.Outcome, r.Err)
		require.Empty(t, r.Partial)
		e, ok := probe.As[*smtp.Evidence](r)
		require.True(t, ok)
		o := e.TLS.Offers
		require.NotNil(t, o)
		t.Logf("%s, %s: %d connections, %v", s.Name, mode, o.Connections, r.Elapsed)
		return o
	}
	suites := func(o *probe.TLSOffers) map[string][]string {
		found := map[string][]string{}
		for _, v := range o.Versions {
			found[v.Version] = v.Suites
		}
		return found
	}
	ask(p.STARTTLS, probe.TLSModeVersions)
	weak, full, implicit := ask(p.STARTTLS, probe.TLSModeWeak), ask(p.STARTTLS, probe.TLSModeFull), ask(p.Implicit, probe.TLSModeFull)
	require.LessOrEqual(t, weak.Connections, 15)
	require.Equal(t, probe.Yes, weak.Weak.Anonymous.Accepted)
	require.Equal(t, full.Weak.Anonymous.Accepted, weak.Weak.Anonymous.Accepted)
	require.Equal(t, suites(full), suites(implicit))

	agree(t, func(t testing.TB) { offersAsNmap(t, p.Implicit.Addr, suites(full)) })
}

// A mail server that nobody has touched since long ago. With -update its conversations are those of the demo, at its level each.
func TestLegacyPostfix(t *testing.T) {
	dh := filepath.Join(t.TempDir(), "dh1024.pem")
	writeFile(t, dh, oldDH, 0o644)
	p := postfix(t,
		"smtpd_tls_protocols = >=TLSv1", "smtpd_tls_ciphers = null", "tls_null_cipherlist = ALL:COMPLEMENTOFALL:@SECLEVEL=0",
		"smtpd_tls_auth_only = no", "smtpd_tls_dh1024_param_file = "+dh, "smtpd_sasl_auth_enable = no", "smtpd_banner = legacy-mail.lab.test ESMTP Postfix",
		"myhostname = legacy-mail.lab.test")
	for _, level := range []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous} {
		target := probe.Target{Addr: p.STARTTLS.Addr, Name: "localhost"}
		r := probe.Run(t.Context(), smtp.Prober{}, target, &probe.Options{Level: level, TLS: probe.TLSModeWeak, NoDER: true, Limits: patience})
		require.Equal(t, probe.OutcomeOK, r.Outcome, r.Err)
		require.Empty(t, r.Partial)
		if level == probe.LevelGreeting {
			captureDemo(t, r, p.STARTTLS.Version)
			continue
		}
		found := map[string]bool{}
		for _, f := range finding.Evaluate(r, finding.TLS) {
			found[f.ID] = true
		}
		for _, id := range []string{
			"tls.legacy-version", "tls.anonymous-suites", "tls.null-suites", "tls.no-forward-secrecy", "tls.weak-dh", "tls.common-dh-prime",
		} {
			require.True(t, found[id], id)
		}
		captureDemo(t, r, p.STARTTLS.Version)
	}
}

// oldDH is the group of 1024 bits of RFC 2409 §6.2, in PEM.
const oldDH = `-----BEGIN DH PARAMETERS-----
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC
-----END DH PARAMETERS-----
`

// captureDemo writes a conversation, with -update, as one of the demo.
func captureDemo(t *testing.T, r *probe.Result, version string) {
	t.Helper()
	if !*update {
		return
	}
	made := replay.Record(r, "Postfix "+upstream(version), time.Now().UTC().Format(time.DateOnly))
	made.ImplicitTLS, made.TLS = probe.No, probe.TLSModeWeak
	made.Comments = []string{"has the TLS of twenty years ago"}
	path := filepath.Join("..", "demo", "recordings", r.Level.String(), "13-smtp-legacy-mail.txt")
	require.NoError(t, os.WriteFile(path, made.Format(), 0o644))
}
