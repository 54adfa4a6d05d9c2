package probetest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/handclasp/handclasp/probe"
)

// ReplayFile runs the prober against a recorded file, strictly: an unexpected send fails the test, and so do events
// left over. It then runs it again with the server's bytes dripping one by one, and split in two at each position,
// and requires the same evidence and outcome each time. It returns the first result.
func ReplayFile(t testing.TB, p probe.Prober, path string) *probe.Result {
	t.Helper()
	rec := parseFile(t, path)
	first, err := rec.play(p, rec.Player())
	if err == nil {
		err = rec.sameLabels(first)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if rec.Target.Network == probe.UDP {
		return first // a datagram comes whole
	}
	drip := rec.Player()
	drip.drip = true
	if err := rec.again(p, drip, first); err != nil {
		t.Fatalf("%s: one byte a read: %v", path, err)
	}
	for _, at := range rec.cuts() {
		split := rec.Player()
		split.cut = at
		if err := rec.again(p, split, first); err != nil {
			t.Fatalf("%s: received bytes split at %d of %d: %v", path, at, rec.received(), err)
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

func parseFile(t testing.TB, path string) *Recording {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return rec
}

// play runs the prober once. The error says how the run differed from the recording.
func (r *Recording) play(p probe.Prober, player *Player) (*probe.Result, error) {
	result := probe.Run(context.Background(), p, r.Target, r.options(player))
	if err := player.Err(); err != nil {
		return result, fmt.Errorf("the run differs from the recording (outcome %s, error %v):\n%w", result.Outcome, result.Err, err)
	}
	return result, nil
}

func (r *Recording) again(p probe.Prober, player *Player, first *probe.Result) error {
	second, err := r.play(p, player)
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
func (r *Recording) sameLabels(result *probe.Result) error {
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
	for data, label := range sends(r.Transcript) {
		if got, ok := given[data]; ok && label != "" && got != label {
			return fmt.Errorf("the guard names %q %q, but the file %q", data, got, label)
		}
	}
	return nil
}

func (r *Recording) received() (n int) {
	for _, e := range r.Transcript {
		if e.Dir == probe.DirRecv {
			n += len(e.Data)
		}
	}
	return n
}

const (
	everyPosition = 4 << 10 // a conversation up to this size is split at each position
	samples       = 512     // a longer one at about so many
	shortSamples  = 32      // with -short
)

// cuts returns the positions to split at: all, or some at equal distances and the first and last bytes of each chunk,
// where headers and line endings are.
func (r *Recording) cuts() (list []int) {
	player := r.Player()
	total := r.received()
	step := 1
	if total > everyPosition {
		step = total / samples
	}
	if testing.Short() {
		step = max(step, total/shortSamples)
	}
	for k := step; k < total; k += step {
		if !player.uncuttable(k) {
			list = append(list, k)
		}
	}
	if step == 1 {
		return list
	}
	const edge = 4
	for _, t := range player.tracks {
		for _, s := range t.steps {
			for i := 1; s.Dir == probe.DirRecv && i <= edge && i < len(s.Data) && len(list) < 2*samples; i++ {
				for _, k := range []int{s.base + i, s.base + len(s.Data) - i} {
					if !player.uncuttable(k) {
						list = append(list, k)
					}
				}
			}
		}
	}
	return list
}

// uncuttable reports whether k is inside plaintext that stands before a TLS handshake: how much of it has come by then
// is evidence.
func (p *Player) uncuttable(k int) bool {
	for _, t := range p.tracks {
		for i := 1; i < len(t.steps); i++ {
			s, before := t.steps[i], t.steps[i-1]
			if s.Dir != probe.DirTLS || s.TLS == nil || before.Dir != probe.DirRecv || len(s.TLS.LeftoverPlaintext) == 0 {
				continue
			}
			from := bytes.Index(before.Data, s.TLS.LeftoverPlaintext) // evidence holds the beginning of it
			if from >= 0 && before.base+from < k && k < before.base+len(before.Data) {
				return true
			}
		}
	}
	return false
}
