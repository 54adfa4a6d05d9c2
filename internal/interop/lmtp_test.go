package interop_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smtp"
)

// What takes mail for mailboxes greets as SMTP does, and has neither EHLO nor HELO (RFC 2033 §4.1). Neither of these says
// that it speaks LMTP unless it is greeted by LHLO; both are left as what doesn't speak SMTP.
func TestLMTP(t *testing.T) {
	for name, start := range map[string]func(testing.TB) smtpServer{
		"dovecot": func(t testing.TB) smtpServer { return dovecot(t).LMTP },
		"aiosmtpd": func(t testing.TB) smtpServer {
			addr, release := python(t, "smtp_aiosmtpd.py", "python3-aiosmtpd", "lmtp")
			return smtpServer{Addr: addr, Version: release}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			r, _ := askSMTP(t, smtp.Prober{}, server)
			require.Equal(t, probe.OutcomeNotProtocol, r.Outcome, "%v", r.Err)
			require.Empty(t, finding.Evaluate(r, smtp.Rules))
			r = probe.Run(t.Context(), detect.Detector{Probers: handclasp.Probers()}, probe.Target{Addr: server.Addr}, &probe.Options{Limits: patience})
			require.Equal(t, probe.OutcomeNotProtocol, r.Outcome, "%v", r.Err)
		})
	}
}
