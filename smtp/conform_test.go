package smtp_test

import (
	"testing"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/smtp"
)

// The prober stands every hostile server, and every recorded conversation told wrong in every way.
func TestConform(t *testing.T) {
	probetest.ConformWith(t, smtp.Prober{}, probetest.Conformance{
		Recordings: "testdata/transcripts/*.txt",
		Servers:    probetest.Affirmative("220 hello\r\n", "250-hello\r\n250-STARTTLS\r\n250 AUTH NTLM\r\n"),
	})
}

// The knobs open connections of their own, which must end as well as the first.
func TestConformWithKnobs(t *testing.T) {
	probetest.ConformWith(t, smtp.Prober{Injection: true, Verify: true}, probetest.Conformance{
		Recordings: "testdata/transcripts/verify/handwritten-550.txt",
		Servers:    probetest.Affirmative("220 hello\r\n", "220 hello\r\n"),
	})
}

// So does asking for TLS in each mode, each question on a connection of its own; the suite bounds how many.
func TestConformAskingForTLS(t *testing.T) {
	for _, mode := range []probe.TLSMode{probe.TLSModeVersions, probe.TLSModeWeak, probe.TLSModeFull} {
		t.Run(mode.String(), func(t *testing.T) {
			probetest.ConformWith(t, smtp.Prober{}, probetest.Conformance{
				Servers: probetest.Answering("220 hello\r\n", "250-hello\r\n250 STARTTLS\r\n", map[string]string{"STARTTLS": "220 go ahead\r\n"}), TLS: mode,
			})
		})
	}
}
