package nntp_test

import (
	"testing"

	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

// The prober stands every hostile server, and every recorded conversation told wrong in every way.
func TestConform(t *testing.T) {
	probetest.ConformWith(t, nntp.Prober{}, probetest.Conformance{Recordings: transcripts + "*.txt"})
}

// So does one with its knob on.
func TestConformKnobs(t *testing.T) {
	p := nntp.Prober{Injection: true}
	probetest.ConformWith(t, p, probetest.Conformance{Recordings: transcripts + "injection/handwritten-yes.txt"})
}

// So does asking for TLS in each mode, each question on a connection of its own; the suite bounds how many.
func TestConformAskingForTLS(t *testing.T) {
	for _, mode := range []probe.TLSMode{probe.TLSModeVersions, probe.TLSModeWeak, probe.TLSModeFull} {
		t.Run(mode.String(), func(t *testing.T) {
			probetest.ConformWith(t, nntp.Prober{}, probetest.Conformance{
				Servers: probetest.Answering("200 hello\r\n", "411 no\r\n", map[string]string{
					"CAPABILITIES": "101 capabilities\r\nVERSION 2\r\nREADER\r\nSTARTTLS\r\n.\r\n", "STARTTLS": "382 continue\r\n",
				}), TLS: mode,
			})
		})
	}
}
