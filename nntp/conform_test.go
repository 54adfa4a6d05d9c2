package nntp_test

import (
	"testing"

	"github.com/handclasp/handclasp/nntp"
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
