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

var _ probe.TLSEvidence = (*Evidence)(nil)
