package monitor_test

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/probe"
)

// BenchmarkApply applies scans of 100,000 endpoints with ten findings each: the first one, and one that changes nothing.
func BenchmarkApply(b *testing.B) {
	endpoints := 100_000
	if n, err := strconv.Atoi(os.Getenv("MONITOR_ENDPOINTS")); err == nil {
		endpoints = n
	}
	boards := make([]finding.Rule, 10)
	for i := range boards {
		boards[i] = rules[1]
		boards[i].ID = fmt.Sprintf("test.boards-%d", i)
	}
	for b.Loop() {
		s := open(b, &monitor.Options{Rules: boards})
		for n := range 2 {
			id := fmt.Sprint(n)
			entries := func(yield func(finding.Entry) bool) {
				yield(finding.Entry{Header: &finding.Header{Scan: id, Started: begun.AddDate(0, 0, n)}})
				for i := range endpoints {
					r := &probe.Result{Protocol: "test", Outcome: probe.OutcomeOK, Partial: []string{}, Started: begun.AddDate(0, 0, n),
						Target:   probe.Target{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 7)},
						Evidence: &evidence{Key: fmt.Sprint("key of ", i), Boards: []string{"oak", fmt.Sprint("board of ", i)}}}
					record := finding.NewRecord(r, boards)
					record.Scan = id
					if !yield(finding.Entry{Record: record}) {
						return
					}
				}
				yield(finding.Entry{Footer: &finding.Footer{Scan: id, Complete: true}})
			}
			started := time.Now()
			applied, err := s.Apply(b.Context(), entries, nil)
			require.NoError(b, err)
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.Logf("scan %d: %v, %d new, %d unchanged, %d MiB from the system", n, time.Since(started).Round(time.Millisecond), applied.New, applied.Unchanged, m.Sys>>20)
		}
	}
}
