//go:build unix

package monitor_test

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/probe"
)

// BenchmarkApply applies scans of endpoints with ten findings each, 100,000 or MONITOR_ENDPOINTS: the first one, one in which nothing
// changed, and one in which one in a hundred did. What it tells is CPU time, without that which making the results takes.
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
	night := func(n int) func(func(finding.Entry) bool) {
		return func(yield func(finding.Entry) bool) {
			id := fmt.Sprint(n)
			at := begun.AddDate(0, 0, n)
			yield(finding.Entry{Header: &finding.Header{Scan: id, Started: at}})
			for i := range endpoints {
				board := i
				if n > 1 && i%100 == 0 {
					board = -i
				}
				r := &probe.Result{Protocol: "test", Outcome: probe.OutcomeOK, Partial: []string{}, Started: at,
					Target:   probe.Target{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 7)},
					Evidence: &evidence{Key: fmt.Sprint("key of ", i), Boards: []string{"oak", fmt.Sprint("board of ", board)}}}
				record := finding.NewRecord(r, boards)
				record.Scan = id
				if !yield(finding.Entry{Record: record}) {
					return
				}
			}
			yield(finding.Entry{Footer: &finding.Footer{Scan: id, Complete: true}})
		}
	}
	for b.Loop() {
		s := open(b, &monitor.Options{Rules: boards})
		for n := range 3 {
			began, _ := used()
			for range night(n) {
			}
			making, _ := used()
			applied, err := s.Apply(b.Context(), night(n), nil)
			require.NoError(b, err)
			cpu, memory := used()
			b.Logf("scan %d: %v, %d new, %d unchanged, %d changed, at most %d MB until now", n, (cpu - making - (making - began)).Round(10*time.Millisecond),
				applied.New, applied.Unchanged, applied.Changed, memory/1e6)
		}
	}
}

// used returns the CPU time of the process, and the most memory that it ever had, in bytes.
func used() (cpu time.Duration, memory int64) {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails so
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), u.Maxrss << 10
}
