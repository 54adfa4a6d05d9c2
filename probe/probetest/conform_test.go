package probetest

import "testing"

func TestConform(t *testing.T) {
	ConformWith(t, sample{}, Conformance{Recordings: "testdata/transcripts/*.txt"})
}
