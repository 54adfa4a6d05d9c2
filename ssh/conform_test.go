package ssh_test

import (
	"testing"

	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/ssh"
)

// The prober stands every hostile server, and every recorded conversation told wrong in every way.
func TestConform(t *testing.T) {
	probetest.ConformWith(t, ssh.Prober{}, probetest.Conformance{Recordings: transcripts + "*.txt"})
}
