package report_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

// The work of a table grows with what it shows, and not with the square of it: neither by the findings of one endpoint, nor by
// their proofs, nor by endpoints of one host, nor by hosts. Work is counted by what is allocated.
func TestTableIsLinear(t *testing.T) {
	finds := func(n int) (all []finding.Finding) {
		for i := range n {
			f := finding.Finding{ID: fmt.Sprintf("ftp.rule-%d", i), Title: "something is open", Severity: finding.Severity(1 + i%4), Known: finding.Seen}
			f.Detail, f.Basis = strings.Repeat("word ", 30), []string{"/evidence/greeting"}
			all = append(all, f)
		}
		return all
	}
	one := func(host, port int, found []finding.Finding) finding.Record {
		addr := fmt.Sprintf("10.%d.%d.%d:%d", host>>16&0xff, host>>8&0xff, host&0xff, 1000+port)
		return finding.Record{Result: result(addr, "", ready()), Findings: found}
	}
	for name, records := range map[string]func(n int) []finding.Record{
		"findings of one endpoint": func(n int) []finding.Record { return []finding.Record{one(1, 1, finds(n))} },
		"endpoints of one host": func(n int) (all []finding.Record) {
			for i := range n {
				all = append(all, one(1, i, finds(1)))
			}
			return all
		},
		"hosts": func(n int) (all []finding.Record) {
			for i := range n {
				all = append(all, one(n-i, 1, finds(1)))
			}
			return all
		},
	} {
		work := func(n int) uint64 {
			list := records(n)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			table := report.NewTable(io.Discard, report.TableOptions{List: true, Color: true})
			for _, r := range list {
				require.NoError(t, table.Write(r, report.Host{}))
			}
			require.NoError(t, table.Close())
			runtime.ReadMemStats(&after)
			return after.TotalAlloc - before.TotalAlloc
		}
		work(100) // patterns and tables that are made once
		few, many := work(500), work(4000)
		require.Less(t, many, 20*few, "%s: %d bytes for 500, %d for eight times as many", name, few, many) // the square is 64 times
	}
}
