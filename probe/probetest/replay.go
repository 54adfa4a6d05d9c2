package probetest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// ReplayFile runs the prober against a recorded file, strictly: an unexpected send fails the test, and so do events
// left over. It then runs it again with the server's bytes dripping one by one, and split in two at each position,
// and requires the same evidence and outcome each time. It returns the first result.
func ReplayFile(t testing.TB, p probe.Prober, path string) *probe.Result {
	t.Helper()
	rec := parseFile(t, path)
	first, err := play(p, rec, rec.Player())
	if err == nil {
		err = sameLabels(rec, first)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if rec.Target.Network == probe.UDP {
		return first // a datagram comes whole
	}
	drip := rec.Player()
	drip.Drip = true
	if err := again(p, rec, drip, first); err != nil {
		t.Fatalf("%s: one byte a read: %v", path, err)
	}
	for _, at := range cuts(rec.Transcript) {
		split := rec.Player()
		split.Split = at
		if err := again(p, rec, split, first); err != nil {
			t.Fatalf("%s: received bytes split at %d: %v", path, at, err)
		}
	}
	return first
}

// ReplayAll calls [ReplayFile] for each file that the pattern matches, in a subtest of its name, and then check, which
// may be nil. A pattern that matches no file fails.
func ReplayAll(t *testing.T, p probe.Prober, glob string, check func(t *testing.T, name string, r *probe.Result)) {
	t.Helper()
	for _, path := range files(t, glob) {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			r := ReplayFile(t, p, path)
			if check != nil {
				check(t, name, r)
			}
		})
	}
}

// Seeds adds what was received in the files that the pattern matches to a fuzz target whose only argument is a []byte.
func Seeds(f *testing.F, glob string) {
	f.Helper()
	for _, path := range files(f, glob) {
		for _, e := range parseFile(f, path).Transcript {
			if e.Dir == probe.DirRecv {
				f.Add(e.Data)
			}
		}
	}
}

func files(t testing.TB, glob string) []string {
	t.Helper()
	paths, err := filepath.Glob(glob)
	if err != nil {
		t.Fatalf("%s: %v", glob, err)
	}
	if len(paths) == 0 {
		t.Fatalf("%s: no such files", glob)
	}
	return paths
}

func parseFile(t testing.TB, path string) *replay.Recording {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := replay.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return rec
}

// play runs the prober once. The error says how the run differed from the recording.
func play(p probe.Prober, rec *replay.Recording, player *replay.Player) (*probe.Result, error) {
	result := probe.Run(context.Background(), p, rec.Target, options(rec, player))
	if err := player.Err(); err != nil {
		return result, fmt.Errorf("the run differs from the recording (outcome %s, error %v):\n%w", result.Outcome, result.Err, err)
	}
	return result, nil
}

func options(rec *replay.Recording, player *replay.Player) *probe.Options {
	return &probe.Options{Level: rec.Level, ImplicitTLS: rec.ImplicitTLS, TLS: rec.TLS, Dial: player.Dial, Rand: player.Rand()}
}

func again(p probe.Prober, rec *replay.Recording, player *replay.Player, first *probe.Result) error {
	second, err := play(p, rec, player)
	if err != nil {
		return err
	}
	if opOf(first.Err) != opOf(second.Err) || first.Outcome != second.Outcome {
		return fmt.Errorf("ended with %s (%v), but with %s (%v) where it came whole", second.Outcome, second.Err, first.Outcome, first.Err)
	}
	if !reflect.DeepEqual(first.Evidence, second.Evidence) {
		return fmt.Errorf("evidence differs from where it came whole:\n%s", difference(first.Evidence, second.Evidence))
	}
	return nil
}

func opOf(err error) string {
	if e, ok := err.(*probe.Error); ok {
		return e.Op
	}
	return ""
}

// sameLabels holds the names that the file gives its sends against the guard's.
func sameLabels(rec *replay.Recording, result *probe.Result) error {
	sends := func(tr probe.Transcript) map[string]string {
		labels := map[string]string{}
		for _, e := range tr {
			if e.Dir == probe.DirSend {
				labels[string(e.Data)] = e.Label
			}
		}
		return labels
	}
	given := sends(result.Transcript)
	for data, label := range sends(rec.Transcript) {
		if got, ok := given[data]; ok && label != "" && got != label {
			return fmt.Errorf("the guard names %q %q, but the file %q", data, got, label)
		}
	}
	return nil
}

const (
	everyPosition = 4 << 10 // a conversation up to this size is split at each position
	samples       = 512     // a longer one at about so many
	shortSamples  = 32      // with -short
)

// cuts returns the positions to split at: all, or some at equal distances and the first and last bytes of each chunk,
// where headers and line endings are.
func cuts(tr probe.Transcript) (list []int) {
	all, total := received(tr)
	step := 1
	if total > everyPosition {
		step = total / samples
	}
	if testing.Short() {
		step = max(step, total/shortSamples)
	}
	add := func(k int) {
		if !slices.ContainsFunc(all, func(b burst) bool { return b.uncuttable(k) }) {
			list = append(list, k)
		}
	}
	for k := step; k < total; k += step {
		add(k)
	}
	if step == 1 {
		return list
	}
	const edge = 4
	for _, b := range all {
		for i := 1; i <= edge && i < len(b.data) && len(list) < 2*samples; i++ {
			add(b.base + i)
			add(b.base + len(b.data) - i)
		}
	}
	return list
}

// A burst is what a connection received before anything else happened on it.
type burst struct {
	data []byte
	base int          // its position, as [replay.Player]'s Split counts
	next *probe.Event // nil for none
}

// received returns the bursts of all connections, in the order of their numbers, and how much they are in all.
func received(tr probe.Transcript) (all []burst, total int) {
	ordered := slices.Clone(tr)
	slices.SortStableFunc(ordered, func(a, b probe.Event) int { return cmp.Compare(a.Conn, b.Conn) })
	for i, e := range ordered {
		before := i > 0 && ordered[i-1].Conn == e.Conn
		switch {
		case e.Dir != probe.DirRecv:
			if before && ordered[i-1].Dir == probe.DirRecv {
				all[len(all)-1].next = &ordered[i]
			}
			continue
		case before && ordered[i-1].Dir == probe.DirRecv:
			last := &all[len(all)-1]
			last.data = slices.Concat(last.data, e.Data)
		default:
			all = append(all, burst{data: e.Data, base: total})
		}
		total += len(e.Data)
	}
	return all, total
}

// uncuttable reports whether k is inside plaintext that stands before a TLS handshake: how much of it has come by then
// is evidence.
func (b burst) uncuttable(k int) bool {
	if b.next == nil || b.next.Dir != probe.DirTLS || b.next.TLS == nil || len(b.next.TLS.LeftoverPlaintext) == 0 {
		return false
	}
	from := bytes.Index(b.data, b.next.TLS.LeftoverPlaintext) // evidence holds the beginning of it
	return from >= 0 && b.base+from < k && k < b.base+len(b.data)
}
