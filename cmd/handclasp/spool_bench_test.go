package main

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/report"
)

// A sluggish writer takes a while for each write, however much it is, as a disk or a network file system does.
type sluggish struct {
	takes   time.Duration
	written int64
}

func (s *sluggish) Write(b []byte) (int, error) {
	time.Sleep(s.takes)
	s.written += int64(len(b))
	return len(b), nil
}

// BenchmarkJSONL is how long the scan's own goroutine is held up by a result: all that a thousand probes in flight wait for.
// The slow writers take that long for each write, and whoever writes to one directly waits for all of them.
func BenchmarkJSONL(b *testing.B) {
	text, err := os.ReadFile("../../ftp/testdata/transcripts/vsftpd-3.0.3-anonymous.txt")
	require.NoError(b, err)
	rec, err := replay.Parse(text)
	require.NoError(b, err)
	result := probe.Run(b.Context(), ftp.Prober{}, rec.Target, rec.Options())
	record := finding.NewRecord(result, handclasp.Rules()).WithoutTranscript()
	for name, takes := range map[string]time.Duration{"memory": 0, "1ms a write": time.Millisecond, "50ms a write": 50 * time.Millisecond} {
		b.Run(name, func(b *testing.B) {
			w := &sluggish{takes: takes}
			s := newSpool(w, func() { b.Error("failed") })
			sink := new(app).newSink(s, formatJSONL, false, report.TableOptions{})
			for b.Loop() {
				if err := sink.write(record, report.Host{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "results/s")
			require.NoError(b, s.Close())
			b.SetBytes(w.written / int64(b.N))
		})
	}
	b.Run("alone, to memory", func(b *testing.B) {
		sink := new(app).newSink(io.Discard, formatJSONL, false, report.TableOptions{})
		for b.Loop() {
			_ = sink.write(record, report.Host{})
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "results/s")
	})
}
