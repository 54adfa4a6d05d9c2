package rsync_test

import (
	"testing"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/rsync"
)

// The prober stands every hostile server, and every recorded conversation told wrong in every way.
func TestConform(t *testing.T) {
	probetest.ConformWith(t, plain, probetest.Conformance{
		Recordings: transcripts + "handwritten-*.txt",
		Servers: append(
			probetest.Affirmative("@RSYNCD: 32.0 sha512\n", "@ERROR: Unknown module\n"),
			probetest.Affirmative("@RSYNCD: 24\n", "@RSYNCD: EXIT\n")...,
		),
	})
}

// So does one with its knobs on.
func TestConformKnobs(t *testing.T) {
	p := rsync.Prober{Modules: []string{"pub"}, BusyWait: plain.BusyWait}
	probetest.ConformWith(t, p, probetest.Conformance{Recordings: transcripts + "knobs/*-all-hidden.txt"})
}

// So does asking for TLS in each mode, each question on a connection of its own; the suite bounds how many.
func TestConformAskingForTLS(t *testing.T) {
	for _, mode := range []probe.TLSMode{probe.TLSModeVersions, probe.TLSModeWeak, probe.TLSModeFull} {
		t.Run(mode.String(), func(t *testing.T) {
			probetest.ConformWith(t, plain, probetest.Conformance{
				Servers: probetest.Affirmative("@RSYNCD: 32.0 sha512\n", "@RSYNCD: EXIT\n"), TLS: mode,
			})
		})
	}
}
