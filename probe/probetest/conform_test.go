package probetest

import "testing"

func TestConform(t *testing.T) {
	ConformWith(t, sample{}, Conformance{
		Recordings: "testdata/transcripts/*.txt",
		Servers:    Affirmative("HI there\r\n", "OK\r\n"),
	})
}
