package report_test

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/report"
)

// What a result costs behind its probe, whose system calls take some 250 µs.
func BenchmarkRecord(b *testing.B) {
	text, err := os.ReadFile("../ftp/testdata/transcripts/vsftpd-3.0.3-anonymous.txt")
	require.NoError(b, err)
	recording, err := replay.Parse(text)
	require.NoError(b, err)
	result := probe.Run(b.Context(), ftp.Prober{}, recording.Target, recording.Options())
	rules := handclasp.Rules()
	record := finding.NewRecord(result, rules)
	jsonl := report.NewJSONL(io.Discard)
	b.Run("rules", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			finding.NewRecord(result, rules)
		}
	})
	b.Run("JSONL", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, jsonl.Write(record.WithoutTranscript()))
		}
	})
	b.Run("JSONL with transcript", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, jsonl.Write(record))
		}
	})
	foreign := record.WithoutTranscript()
	foreign.Target.Name = "zażółć.example.net" // one letter beyond ASCII has the line looked at
	b.Run("JSONL beyond ASCII", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, jsonl.Write(foreign))
		}
	})
}
