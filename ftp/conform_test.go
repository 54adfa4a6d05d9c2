package ftp

import (
	"testing"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

// The prober stands every hostile server, and every recorded conversation told wrong in every way.
func TestConform(t *testing.T) {
	probetest.ConformWith(t, Prober{}, probetest.Conformance{
		Recordings: transcripts + "*.txt",
		Servers:    probetest.Affirmative("220 hello\r\n", "331 password?\r\n"),
	})
}

// So does asking for TLS in each mode, each question on a connection of its own; the suite bounds how many.
func TestConformAskingForTLS(t *testing.T) {
	for _, mode := range []probe.TLSMode{probe.TLSModeVersions, probe.TLSModeWeak, probe.TLSModeFull} {
		t.Run(mode.String(), func(t *testing.T) {
			probetest.ConformWith(t, Prober{}, probetest.Conformance{
				Servers: probetest.Answering("220 hello\r\n", "530 no\r\n", map[string]string{
					"FEAT": "211-Features:\r\n AUTH TLS\r\n211 End\r\n", "AUTH": "234 go ahead\r\n",
				}), TLS: mode,
			})
		})
	}
}

var _ probe.TLSEvidence = (*Evidence)(nil)
