package probetest

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"runtime/pprof"
	"strings"
	"time"
)

// Goroutines inherit the profiler labels of the one that starts them, so that a leak is traced to the run that it
// comes from, whatever else goes on in the process.
const runLabel = "handclasp-probetest"

// labelled runs f in a new goroutine that carries the label.
func labelled(id string, f func()) {
	go pprof.Do(context.Background(), pprof.Labels(runLabel, id), func(context.Context) { f() })
}

var labelLine = regexp.MustCompile(`(?m)^# labels: .*"` + runLabel + `":"([^"]*)"`)

// stacksOf returns the stacks of the goroutines of each run that still has any, of those whose label has the prefix; the
// keys are without it.
func stacksOf(prefix string) map[string]string {
	var b bytes.Buffer
	if p := pprof.Lookup("goroutine"); p != nil {
		_ = p.WriteTo(&b, 1)
	}
	stacks := map[string]string{}
	for _, block := range bytes.Split(b.Bytes(), []byte("\n\n")) {
		if m := labelLine.FindSubmatch(block); m != nil {
			if id, ok := strings.CutPrefix(string(m[1]), prefix); ok {
				stacks[id] += readableStack(block)
			}
		}
	}
	return stacks
}

var stackLine = regexp.MustCompile(`(?m)^#\t0x[0-9a-f]+\t(\S+?)(?:\+0x[0-9a-f]+)?\t+(\S+)$`)

func readableStack(block []byte) string {
	s := "goroutine:\n"
	for _, m := range stackLine.FindAllSubmatch(block, 12) {
		s += fmt.Sprintf("\t%s %s\n", m[1], m[2])
	}
	return s
}

// settle waits a while for the goroutines of runs to end and returns the stacks of those that didn't.
func settle(prefix string, patience time.Duration) map[string]string {
	until := time.Now().Add(patience)
	for {
		left := stacksOf(prefix)
		if len(left) == 0 || time.Now().After(until) {
			return left
		}
		time.Sleep(20 * time.Millisecond)
	}
}
