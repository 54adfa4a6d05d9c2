package monitor_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/probe"
)

// A year of nights: real probers ask servers that open and shut, are updated, take turns, move, are busy, slow or silent, and a
// line that is down; the program gets a rule more, is killed while it applies a scan, and started anew with what it applied
// already. Each thing is told once, on its night, with what it was and is, and nothing else is. MONITOR_YEAR=whole has 200 hosts for 365
// nights, and MONITOR_SEED another year.
func TestYear(t *testing.T) {
	if os.Getenv("MONITOR_YEAR_KILLED") != "" {
		applyAndDie(t)
	}
	hosts, nights := 60, 90
	if os.Getenv("MONITOR_YEAR") == "whole" {
		hosts, nights = 200, 365
	}
	seed, _ := strconv.ParseUint(cmp.Or(os.Getenv("MONITOR_SEED"), "1"), 10, 64)
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	counter := 0
	next := func() int { counter++; return counter }
	residents := make([]*resident, hosts)
	for i := range residents {
		residents[i] = newResident(i, next)
	}
	rules := rulesOf("rsync.module-open", "ftp.anonymous")
	path := filepath.Join(t.TempDir(), "fleet.db")
	state := openAt(t, path, &monitor.Options{Rules: rules})
	again := func() {
		require.NoError(t, state.Close())
		state = openAt(t, path, &monitor.Options{Rules: rules})
	}
	for n := range nights {
		if n == nights/2 {
			rules = rulesOf("rsync.module-open", "ftp.anonymous", "ftp.cleartext-login")
			again()
		}
		s := newStreet()
		down := n > 0 && rnd.IntN(40) == 0
		if down {
			s.down = []error{os.ErrDeadlineExceeded, syscall.ECONNREFUSED}[n%2]
		}
		var targets, want []string
		more := false
		for _, r := range residents {
			r.change(rnd, next)
			trouble := fine
			if n > 0 && rnd.IntN(12) == 0 {
				trouble = []int{busyNight, silentNight, slowNight, noDataNight}[rnd.IntN(4)]
			}
			if trouble == silentNight && r.name != "" {
				trouble = busyNight // two of four would make their domain blind
			}
			srv := *r.server
			srv.busy, srv.silent, srv.slow, srv.nodata = trouble == busyNight, trouble == silentNight, trouble == slowNight, trouble == noDataNight
			if down {
				trouble = silentNight
			}
			addr := netip.MustParseAddr(r.addr)
			port := map[string]uint16{"ftp": 21, "rsync": 873}[r.kind]
			s.servers[netip.AddrPortFrom(addr, port)] = &srv
			host := r.addr
			if r.name != "" {
				host = r.name
				s.names[r.name] = []netip.Addr{addr}
			}
			targets = append(targets, r.kind+"://"+host)
			want = append(want, r.tell(trouble)...)
			more = n >= nights/2 && r.foundByMore(trouble) || more
		}
		if down {
			want = append(want, "blind 10.0.0.0/24", "blind all", "blind example.net")
		}
		if more {
			want = append(want, "cause rules ftp.cleartext-login")
		}
		rnd.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
		entries := slices.Collect(s.scan(t, n, how{level: probe.LevelAnonymous, rules: rules}, targets...))
		if rnd.IntN(8) == 0 {
			require.NoError(t, state.Close())
			killed(t, path, entries, rnd.IntN(len(want)+1))
			state = openAt(t, path, &monitor.Options{Rules: rules})
			require.Empty(t, undelivered(t, state), "of a scan that was half applied")
		}
		_, err := state.Apply(t.Context(), slices.Values(entries), nil)
		require.NoError(t, err)
		slices.Sort(want)
		require.Equal(t, want, inFull(undelivered(t, state)), "night %d of seed %d", n, seed)
		if rnd.IntN(10) == 0 { // started anew, with what was applied already
			again()
			got, scan := told(t, state, slices.Values(entries), nil)
			require.Empty(t, got)
			require.True(t, scan.Again)
		}
	}
}

func rulesOf(ids ...string) []finding.Rule {
	return slices.DeleteFunc(handclasp.Rules(), func(r finding.Rule) bool { return !slices.Contains(ids, r.ID) })
}

// inFull says what was told, with what facts were and are; the scan's own event isn't among it.
func inFull(events []monitor.Event) (list []string) {
	for _, e := range events {
		if e.Kind == "scan" {
			continue
		}
		text := inShort(e)
		if e.Note != nil && len(e.Note.Old)+len(e.Note.New) > 0 {
			text += " " + strings.TrimPrefix(strings.Join(e.Note.Old, ", ")+" → "+strings.Join(e.Note.New, ", "), " → ")
		}
		list = append(list, text)
	}
	slices.Sort(list)
	return list
}

// killed has another program apply a scan, which is killed once it has written some events.
func killed(t *testing.T, path string, entries []finding.Entry, events int) {
	t.Helper()
	var lines bytes.Buffer
	for _, e := range entries {
		require.NoError(t, json.NewEncoder(&lines).Encode(e))
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestYear$")
	cmd.Env = append(os.Environ(), "MONITOR_YEAR_KILLED="+path, "MONITOR_YEAR_EVENTS="+strconv.Itoa(events))
	cmd.Stdin = &lines
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.NotContains(t, string(out), "--- FAIL", "it dies without a word")
}

// applyAndDie is the other program.
func applyAndDie(t *testing.T) {
	events, err := strconv.Atoi(os.Getenv("MONITOR_YEAR_EVENTS"))
	require.NoError(t, err)
	state := openAt(t, os.Getenv("MONITOR_YEAR_KILLED"), &monitor.Options{Rules: rulesOf("rsync.module-open", "ftp.anonymous", "ftp.cleartext-login")})
	me, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	require.NoError(t, state.Midst(t.Context(), events, func() { _ = me.Kill() }))
	lines := json.NewDecoder(os.Stdin)
	_, err = state.Apply(t.Context(), func(yield func(finding.Entry) bool) {
		for lines.More() {
			var line json.RawMessage
			require.NoError(t, lines.Decode(&line))
			e, err := finding.DecodeEntry(line, handclasp.Probers()...)
			require.NoError(t, err)
			if !yield(e) {
				return
			}
		}
	}, nil)
	t.Fatalf("still there: %v", err)
}
