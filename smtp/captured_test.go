package smtp_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/smtp"
)

// Conversations with real servers, which internal/interop captures anew with -update. What each must show is written
// there; here it is what they have in common, whatever way the bytes come.
func TestCapturedTranscripts(t *testing.T) {
	for server, hostname := range map[string]string{
		"postfix": "mx.postfix.test", "exim": "mx.exim.test", "opensmtpd": "mx.opensmtpd.test",
	} {
		probetest.ReplayAll(t, smtp.Prober{}, "testdata/transcripts/"+server+"-*.txt", func(t *testing.T, name string, r *probe.Result) {
			e := captured(t, name, hostname, r)
			if server == "postfix" && !strings.Contains(name, "postscreen") {
				require.Equal(t, "MX.POSTFIX.TEST", e.NTLM.TargetName)
			}
		})
		probetest.ReplayAll(t, smtp.Prober{Injection: true, Verify: true}, "testdata/transcripts/knobs/"+server+"-*.txt",
			func(t *testing.T, name string, r *probe.Result) {
				e := captured(t, name, hostname, r)
				require.NotNil(t, e.VRFYReply)
				require.NotEqual(t, probe.Unknown, e.VerifiesNames)
				if e.STARTTLS == probe.Yes {
					require.Equal(t, probe.No, e.STARTTLSInjected)
				}
			})
	}
}

func captured(t *testing.T, name, hostname string, r *probe.Result) *smtp.Evidence {
	t.Helper()
	e := sound(t, r)
	implicit := strings.Contains(name, "implicit")
	if r.Outcome == probe.OutcomeTLS {
		require.Contains(t, name, "opensmtpd") // its handshakes fail on Debian 12
		require.NotEmpty(t, e.TLS.Chain)
		require.NotEmpty(t, e.TLS.Error)
		if implicit {
			return e
		}
	} else {
		require.NoError(t, r.Err)
		require.Equal(t, probe.FactOf(implicit), e.ImplicitTLS)
	}
	require.Equal(t, hostname, e.Hostname)
	require.True(t, e.EHLO.Is(250))
	require.NotEmpty(t, e.Extensions)
	return e
}

// What real servers said to others. The facts are read off the packets; a last line that says OK is no extension.
func TestCaptures(t *testing.T) {
	type facts struct {
		hostname   string
		lines      int // of the greeting
		extensions int
		size       uint64 // 0 if the server says no number
		auth       []string
		authTLS    []string
		starttls   probe.Fact
		stripped   probe.Fact
		vrfy       probe.Fact
		lost       []string
	}
	left := map[string]facts{
		"aol-mua": {
			hostname: "mtaout-db02.r1000.mx.aol.com", lines: 8, extensions: 9, size: 36700160, auth: []string{"LOGIN", "PLAIN", "XAOL-UAS-MB"},
			starttls: probe.Yes, stripped: probe.No, lost: []string{"/evidence/starttls_reply"},
		},
		"communigate-pro-6.1.16": {
			hostname: "mx01.ingw.orange.tn", lines: 1, extensions: 12, size: 52428800,
			auth:     []string{"LOGIN", "PLAIN", "CRAM-MD5", "DIGEST-MD5", "GSSAPI", "MSN", "NTLM"},
			starttls: probe.Yes, stripped: probe.No, lost: []string{"/evidence/starttls_reply", "/evidence/ntlm_reply"},
		},
		"exchange-2015": { // an empty AUTH, and NTLM for its own kind
			hostname: "labxmxlb4.labx.ch", lines: 1, extensions: 13, size: 52428800, auth: []string{},
			starttls: probe.Yes, stripped: probe.No, lost: []string{"/evidence/starttls_reply"},
		},
		"exchange-2024": {
			hostname: "PCIAT-MX.shewa.internal.example", lines: 1, extensions: 12, size: 37748736, auth: []string{"NTLM"}, authTLS: []string{"NTLM", "LOGIN"},
			starttls: probe.Yes, stripped: probe.No, vrfy: probe.No, lost: []string{"/evidence/ntlm_reply"},
		},
		"exchange-6.0.3790.1830": {
			hostname: "server-102e9f9.example.int", lines: 1, extensions: 17, auth: []string{"GSSAPI", "NTLM", "LOGIN"},
			starttls: probe.Yes, stripped: probe.No, vrfy: probe.Yes, lost: []string{"/evidence/starttls_reply", "/evidence/ntlm_reply"},
		},
		"exchange-6.0.3790.3959-masked": { // what has the length of STARTTLS is CHUNKING, as the server of the same kind above has it
			hostname: "TiS1FHJM.qDtGLyY.com", lines: 1, extensions: 17, auth: []string{"GSSAPI", "NTLM", "LOGIN"},
			starttls: probe.No, stripped: probe.Unknown, lost: []string{"/evidence/ntlm_reply"},
		},
		"exim-4.94.2": {
			hostname: "tinkyx390", lines: 1, extensions: 8, size: 52428800, auth: []string{},
			starttls: probe.Yes, stripped: probe.No, lost: []string{"/evidence/starttls_reply"},
		},
		"sendmail-8.14.9": {
			hostname: "tux319.loginserver.ch", lines: 1, extensions: 9, size: 52430000, auth: []string{"LOGIN", "PLAIN"},
			starttls: probe.Yes, stripped: probe.No, lost: []string{"/evidence/starttls_reply"},
		},
		"subethasmtp": {
			hostname: "uprise", lines: 1, extensions: 2, auth: []string{"LOGIN"}, starttls: probe.No, stripped: probe.No, vrfy: probe.No, lost: []string{},
		},
	}
	probetest.ReplayAll(t, smtp.Prober{}, "testdata/transcripts/captures/*.txt", func(t *testing.T, name string, r *probe.Result) {
		name = strings.TrimSuffix(name, ".txt")
		want, ok := left[name]
		require.True(t, ok)
		delete(left, name)
		e := sound(t, r)
		got := facts{
			hostname: e.Hostname, lines: len(e.Greeting.Lines), extensions: len(e.Extensions), auth: e.AuthMechanisms, authTLS: e.AuthMechanismsAfterTLS,
			starttls: e.STARTTLS, stripped: e.STARTTLSStripped, vrfy: e.VRFY, lost: r.Partial,
		}
		if e.SizeLimit != nil {
			got.size = *e.SizeLimit
		}
		require.Equal(t, want, got)
		require.Equal(t, 220, e.Greeting.Code)
		require.Equal(t, probe.No, e.ImplicitTLS)
		if len(want.lost) > 0 {
			require.Equal(t, probe.OutcomeClosed, r.Outcome)
		}
	})
	require.Empty(t, left)
}
