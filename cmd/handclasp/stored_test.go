package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A line of somebody else's file may be long, and an error may quote all of it.
func TestComplaintsAreShort(t *testing.T) {
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	defer stderr.Close()
	line := `{"schema":"handclasp.result/1","level":"` + strings.Repeat("x", 1<<20) + "\"}\n"
	s := &stored{app: &app{stderr: stderr}, path: "other", r: strings.NewReader(strings.Repeat(line, 7))}
	for range s.records() {
		t.Fatal("no line is a result")
	}
	require.ErrorContains(t, s.foreign(), "other: no results")
	text, err := os.ReadFile(stderr.Name())
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Len(t, lines, complaints+1)
	require.Equal(t, "handclasp: other: and 2 more such lines", lines[complaints])
	for _, line := range lines {
		require.Less(t, len(line), 400)
	}
}
