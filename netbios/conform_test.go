package netbios_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/netbios"
	"github.com/handclasp/handclasp/probe/probetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The prober stands every hostile server over both networks, and every recorded conversation told wrong in every way.
func TestConform(t *testing.T) {
	probetest.ConformWith(t, netbios.Prober{}, probetest.Conformance{Recordings: transcripts + "*.txt"})
}
