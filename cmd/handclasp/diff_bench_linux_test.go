package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkDiff compares two files of so many results, or of DIFF_RESULTS, one in a hundred of which is another server's: CPU time,
// and the most memory. Two thirds are greetings, as a scan of a network gets them.
func BenchmarkDiff(b *testing.B) {
	var lines [][]byte
	for _, level := range []string{"greeting", "handshake", "greeting"} {
		out, err := exec.Command("handclasp", "demo", "--level", level, "--format", "jsonl").Output()
		require.NoError(b, err)
		lines = append(lines, bytes.Split(bytes.TrimSpace(out), []byte("\n"))...)
	}
	target := regexp.MustCompile(`"addr":"127.0.0.1:\d+","name":"localhost"`)
	started := regexp.MustCompile(`"started":"[^"]*"`)
	sizes := []int{10_000, 20_000, 40_000, 80_000, 100_000}
	if n, err := strconv.Atoi(os.Getenv("DIFF_RESULTS")); err == nil {
		sizes = []int{n}
	}
	for _, results := range sizes {
		b.Run(fmt.Sprint(results), func(b *testing.B) {
			dir := b.TempDir()
			night := func(n int) string {
				name := filepath.Join(dir, fmt.Sprint(n))
				file, err := os.Create(name)
				require.NoError(b, err)
				defer file.Close()
				out := bufio.NewWriter(file) // since a child's memory is this program's until it is another one
				for i := range results {
					is := i % len(lines)
					at := fmt.Appendf(nil, `"addr":"10.%d.%d.%d:%d"`, i>>16, i>>8&0xff, i&0xff, 20_000+is)
					if n > 0 && i%100 == 0 {
						is = (is + 1) % len(lines)
					}
					line := started.ReplaceAll(target.ReplaceAll(lines[is], at), fmt.Appendf(nil, `"started":"2026-01-0%dT02:00:00.000Z"`, n+1))
					_, _ = out.Write(append(line, '\n')) // Flush tells of trouble
				}
				require.NoError(b, out.Flush())
				return name
			}
			older, newer := night(0), night(1)
			for b.Loop() {
				cmd := exec.Command("handclasp", "diff", "--output", filepath.Join(dir, "told"), older, newer)
				out, err := cmd.CombinedOutput()
				require.NoError(b, err, "%s", out)
				p := cmd.ProcessState
				b.ReportMetric((p.UserTime() + p.SystemTime()).Seconds(), "cpu-s/op")
				b.ReportMetric(float64(p.SysUsage().(*syscall.Rusage).Maxrss)/1e3, "MB")
			}
		})
	}
}
