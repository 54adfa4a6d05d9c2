package main

import (
	"fmt"

	"github.com/handclasp/handclasp/scan"
)

const (
	otherFiles = 16 // the program's own, such as its output and the names that are looked up
	// connsEach is how many connections one probe has at once at most: SMB's dialects are asked side by side.
	connsEach = 8
)

// enoughFiles refuses to probe more endpoints at once than the system has connections for: the rest would fail, and
// look as if they had been scanned.
func enoughFiles(concurrency int, most uint64) error {
	need := uint64(concurrency)*connsEach + otherFiles
	if most == 0 || need <= most {
		return nil
	}
	text := fmt.Sprintf("--concurrency %d: this system lets a program have %d files open, and each connection is one, of which a probe has up to %d",
		concurrency, most, connsEach)
	if most >= connsEach+otherFiles {
		return fmt.Errorf("%s: take %d or less, or allow more, as with ulimit -n %d", text, (most-otherFiles)/connsEach, need)
	}
	return fmt.Errorf("%s: allow more, as with ulimit -n %d", text, need)
}

// slowLane is how many endpoints more may be under way, as many as the system has connections for; 0 leaves it to the scan.
func slowLane(concurrency int, most uint64) int {
	if most == 0 {
		return 0
	}
	left := (max(most, otherFiles)-otherFiles)/connsEach - min(uint64(concurrency), (max(most, otherFiles)-otherFiles)/connsEach)
	switch {
	case left == 0:
		return -1
	case left >= scan.MaxConcurrency:
		return 0
	}
	return min(int(left), 8*concurrency)
}
