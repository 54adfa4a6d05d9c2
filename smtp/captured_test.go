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
		probetest.ReplayAll(t, smtp.Prober{Injection: true, Verify: true, Versions: true}, "testdata/transcripts/knobs/"+server+"-*.txt",
			func(t *testing.T, name string, r *probe.Result) {
				e := captured(t, name, hostname, r)
				require.NotNil(t, e.VRFYReply)
				require.NotEqual(t, probe.Unknown, e.VerifiesNames)
				if e.STARTTLS == probe.Yes {
					require.Equal(t, probe.No, e.STARTTLSInjected)
				}
				if e.TLS != nil {
					require.Contains(t, e.TLS.Versions, e.TLS.Version)
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
