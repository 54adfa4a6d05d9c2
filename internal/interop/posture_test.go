package interop_test

import (
	"encoding/xml"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smtp"
)

// enumerated is what nmap's script finds at a server that speaks TLS from the first byte: suites by version.
func enumerated(t *testing.T, addr netip.AddrPort) map[string][]string {
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
				found[name] = append(found[name], suite.elem("name"))
			}
		}
	}
	return found
}

// What Postfix accepts is the same behind STARTTLS and from the first byte, and what nmap says.
func TestTLSOffersOfPostfix(t *testing.T) {
	p := postfix(t)
	ask := func(s smtpServer, mode probe.TLSMode) *probe.TLSOffers {
		r := probe.Run(t.Context(), smtp.Prober{}, probe.Target{Addr: s.Addr}, &probe.Options{ImplicitTLS: probe.FactOf(s.Implicit), TLS: mode})
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

	others := enumerated(t, p.Implicit.Addr)
	require.Len(t, others, len(suites(full)))
	for version, want := range others {
		// The script calls suites of TLS 1.3 TLS_AKE_WITH_….
		for i := range want {
			want[i] = strings.Replace(want[i], "TLS_AKE_WITH_", "TLS_", 1)
		}
		require.ElementsMatch(t, want, suites(full)[version], version)
	}
}
