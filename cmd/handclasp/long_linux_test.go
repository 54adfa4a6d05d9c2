package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// simulate runs the simulated command over a range, killed as often as said, and returns the most memory it took.
func simulate(t *testing.T, bits, kills int) (most int64) {
	t.Helper()
	dir := t.TempDir()
	args := []string{
		"scan", "--plain", "--level", "greeting", "--concurrency", "512", "--resume", filepath.Join(dir, "state"), "--format", "jsonl",
		"--output", filepath.Join(dir, "results"), fmt.Sprintf("10.0.0.0/%d:119", bits),
	}
	for {
		cmd := exec.Command("handclasp-simulated", args...)
		cmd.Stderr = os.Stderr
		require.NoError(t, cmd.Start())
		killed := false
		if kills > 0 {
			kills--
			time.Sleep(5*time.Second + rand.N(5*time.Second))
			killed = cmd.Process.Kill() == nil
		}
		err := cmd.Wait()
		most = max(most, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
		t.Logf("/%d: %v, user %v, system %v, at most %d KiB", bits, err, cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime(), most)
		if !killed {
			require.NoError(t, err)
			break
		}
	}
	seen := make([]bool, 1<<(32-bits))
	f, err := os.Open(filepath.Join(dir, "results"))
	require.NoError(t, err)
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); n++ {
		_, rest, _ := bytes.Cut(s.Bytes(), []byte(`"addr":"`))
		addr, _, _ := bytes.Cut(rest, []byte(`:119"`))
		b := netip.MustParseAddr(string(addr)).As4()
		i := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		require.False(t, seen[i], "%s is there twice", addr)
		seen[i] = true
	}
	require.Len(t, seen, n)
	return most
}

// A /12 of endpoints takes no more memory than a /15 of them, and three kills lose and repeat none. It takes minutes
// and a gigabyte of disk, and is run if HANDCLASP_LONG is set.
func TestLongScan(t *testing.T) {
	if long, _ := strconv.ParseBool(os.Getenv("HANDCLASP_LONG")); !long {
		t.Skip("HANDCLASP_LONG isn't set")
	}
	small := simulate(t, 15, 0)
	large := simulate(t, 12, 3)
	require.Less(t, large, small*5/4)
}
