package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
)

// greeter is a news server on every address of 127.0.0.0/8; it says its greeting and hangs up.
func greeter(t *testing.T) (port int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("all of 127.0.0.0/8 is loopback on Linux only")
	}
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "200 ready\r\n")
			_ = c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// addresses returns how often each address is in a file of JSON lines.
func addresses(t *testing.T, path string) map[string]int {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	seen := map[string]int{}
	for line := range bytes.Lines(data) {
		r, err := finding.DecodeEntry(line)
		require.NoError(t, err, "%q", line)
		if r.Result == nil {
			continue // of the scan itself
		}
		seen[r.Target.Addr.Addr().String()]++
	}
	return seen
}

// A scan that is killed again and again, without a chance to clean up, and resumed by the same command, leaves each
// endpoint exactly once in its output.
func TestKilledScansResume(t *testing.T) {
	port := greeter(t)
	dir := t.TempDir()
	list := filepath.Join(dir, "list")
	var lines strings.Builder
	for i := range 1200 { // more than are shuffled together
		fmt.Fprintf(&lines, "nntp://127.9.%d.%d:%d\n", i/256, i%256, port)
	}
	require.NoError(t, os.WriteFile(list, []byte(lines.String()), 0o600))
	state, output := filepath.Join(dir, "state"), filepath.Join(dir, "results")
	handclasp := func() *exec.Cmd {
		cmd := exec.Command("handclasp", "scan", "--level", "greeting", "--rate", "4000", "--resume", state, "--format", "jsonl",
			"--output", output, "--input", list, fmt.Sprintf("nntp://127.8.0.0/20:%d", port))
		cmd.Stderr = new(bytes.Buffer)
		return cmd
	}
	const want = 4096 + 1200
	size := func() int64 {
		info, err := os.Stat(output)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	for range 5 {
		cmd := handclasp()
		before := size()
		require.NoError(t, cmd.Start())
		// The size shrinks before it grows: what the state doesn't know is cut off.
		for deadline := time.Now().Add(10 * time.Second); size() == before && time.Now().Before(deadline); {
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(rand.N(1200 * time.Millisecond))
		require.NoError(t, cmd.Process.Kill())
		if cmd.Wait() == nil {
			break // it was faster
		}
		// What a killed scan may leave, too: a line that is torn.
		f, err := os.OpenFile(output, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = io.WriteString(f, `{"schema":"handcl`)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	cmd := handclasp()
	require.NoError(t, cmd.Run(), cmd.Stderr)
	seen := addresses(t, output)
	require.Len(t, seen, want)
	for a, n := range seen {
		require.Equal(t, 1, n, a)
	}

	// Once more is once too often.
	before, err := os.ReadFile(output)
	require.NoError(t, err)
	cmd = handclasp()
	require.NoError(t, cmd.Run(), cmd.Stderr)
	require.Contains(t, cmd.Stderr.(*bytes.Buffer).String(), "the scan is finished: remove the file to scan anew")
	after, err := os.ReadFile(output)
	require.NoError(t, err)
	require.Equal(t, before, after)

	data, err := os.ReadFile(state)
	require.NoError(t, err)
	require.Less(t, len(data), 4096, "a state is small")
}

// savedState is of interest in a state.
type savedState struct {
	Offset int64 `json:"offset"`
	Scan   struct {
		Done     int64
		Finished bool
	} `json:"scan"`
}

// A reader that has had enough ends the scan with a line, and the scan can go on elsewhere.
func TestClosedPipe(t *testing.T) {
	port := greeter(t)
	state := filepath.Join(t.TempDir(), "state")
	r, w, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.Command("handclasp", "scan", "--level", "greeting", "--rate", "2000", "--resume", state, "--format", "jsonl",
		fmt.Sprintf("nntp://127.8.0.0/16:%d", port))
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &stderr
	require.NoError(t, cmd.Start())
	_ = w.Close()
	load := func() (saved savedState) {
		if data, err := os.ReadFile(state); err == nil {
			require.NoError(t, json.Unmarshal(data, &saved))
		}
		return saved
	}
	for b := make([]byte, 1<<16); load().Scan.Done == 0; {
		_, err := r.Read(b)
		require.NoError(t, err)
	}
	_ = r.Close()
	err = cmd.Wait()
	var failed *exec.ExitError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, exitTrouble, failed.ExitCode(), "%v", err)
	require.Equal(t, "handclasp: standard output: broken pipe: the scan has ended; "+state+
		" holds how far it has come: give the same command again to go on\n", stderr.String())
	saved := load()
	require.EqualValues(t, -1, saved.Offset)
	require.False(t, saved.Scan.Finished)
	require.Positive(t, saved.Scan.Done)
}
