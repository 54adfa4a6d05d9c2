package ftp

import (
	"testing"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

// All recordings would take minutes, most of them spent waiting for what doesn't come.
func TestConform(t *testing.T) {
	probetest.ConformWith(t, Prober{Versions: true}, probetest.Conformance{
		Recordings: transcripts + "handwritten-list-ipv6.txt",
		Servers:    probetest.Affirmative("220 hello\r\n", "331 password?\r\n"),
	})
}

var _ probe.TLSEvidence = (*Evidence)(nil)
