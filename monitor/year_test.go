package monitor_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/probe"
)

// A resident is a host of the simulated year: what it is, and what somebody who reads each night's truth would have said of it.
// The latter is reckoned from the script alone.
type resident struct {
	*server
	addr, name string
	version    int
	quiet      int // nights until it may change again

	toldAnon    bool
	shutFor     int // learned nights
	toldVersion int
	toldAddr    string
	toldModules map[string]bool
	missing     map[string]int // learned nights
}

// kinds of trouble that a host has for a night.
const (
	fine = iota
	busyNight
	silentNight // no answer at all
	slowNight   // nothing behind the greeting
	noDataNight // data connections are refused
)

func (r *resident) at() string {
	host := r.name
	if host == "" {
		host = r.addr
	}
	if r.kind == "rsync" {
		return host + ":873"
	}
	return host + ":21"
}

// change lets something happen to the host, now and then.
func (r *resident) change(rnd *rand.Rand, next func() int) {
	if r.quiet--; r.quiet > 0 {
		return
	}
	switch {
	case r.kind == "rsync" && rnd.IntN(20) == 0:
		r.modules = maps.Clone(r.modules)
		if n := len(r.modules); n > 4 || n > 1 && rnd.IntN(2) == 0 { // no more than a probe asks
			delete(r.modules, slices.Sorted(maps.Keys(r.modules))[0])
		} else {
			r.modules[fmt.Sprint("m", 1000+next())] = true
		}
	case r.kind == "rsync":
	case rnd.IntN(20) == 0:
		r.anon = !r.anon
		r.quiet = rnd.IntN(8)
	case rnd.IntN(40) == 0:
		r.version = next()
		r.banner = fmt.Sprintf("(vsFTPd 9.%d.0)", r.version)
	case r.name != "" && rnd.IntN(40) == 0:
		n := next()
		r.addr = fmt.Sprintf("172.16.%d.%d", n/250, n%250)
	}
}

// tell is what is to be told of a host that was asked with some trouble.
func (r *resident) tell(trouble int) (events []string) {
	if r.name != "" && r.toldAddr != r.addr {
		if r.toldAddr != "" {
			events = append(events, "moved "+r.at()+" /target/addr")
		}
		r.toldAddr = r.addr
	}
	if trouble == busyNight || trouble == silentNight {
		return events
	}
	if r.toldVersion != 0 && r.toldVersion != r.version {
		events = append(events, "fact "+r.at()+" ftp:/software")
	}
	r.toldVersion = r.version
	switch {
	case trouble == slowNight:
	case r.kind == "rsync":
		events = append(events, r.tellModules()...)
	case r.anon && !r.toldAnon:
		events = append(events, "new "+r.at()+" ftp.anonymous")
		r.toldAnon, r.shutFor = true, 0
	case !r.anon && r.toldAnon:
		if r.shutFor++; r.shutFor == 2 {
			events = append(events, "resolved "+r.at()+" ftp.anonymous")
			r.toldAnon, r.shutFor = false, 0
		}
	default:
		r.shutFor = 0
	}
	return events
}

func (r *resident) tellModules() []string {
	if r.toldModules == nil {
		r.toldModules, r.missing = maps.Clone(r.modules), map[string]int{}
		return []string{"new " + r.at() + " rsync.module-open"}
	}
	text := ""
	for _, name := range slices.Sorted(maps.Keys(r.modules)) {
		delete(r.missing, name)
		if !r.toldModules[name] {
			text += " +" + name
			r.toldModules[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.toldModules)) {
		if r.modules[name] {
			continue
		}
		if r.missing[name]++; r.missing[name] == 2 {
			text += " -" + name
			delete(r.toldModules, name)
		}
	}
	if text == "" {
		return nil
	}
	return []string{"changed " + r.at() + " rsync.module-open" + text}
}

// A year of nights: real probers ask servers that open and shut, are updated, move, are busy, slow or silent, and a line that
// is down; the program is started anew, and applies what it applied. Each thing is told once, on its night, and nothing else is.
// MONITOR_YEAR=whole has 200 hosts for 365 nights, and MONITOR_SEED another year.
func TestYear(t *testing.T) {
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
		r := &resident{addr: fmt.Sprintf("10.0.0.%d", i+1), server: &server{kind: "rsync", modules: map[string]bool{fmt.Sprint("m", 1000+next()): true}}}
		if i%3 > 0 {
			r.version = next()
			r.server = &server{kind: "ftp", anon: i%2 == 0, banner: fmt.Sprintf("(vsFTPd 9.%d.0)", r.version)}
		}
		if i%10 == 1 && r.kind == "ftp" {
			r.name = fmt.Sprintf("host-%d.example.net", i)
		}
		residents[i] = r
	}
	rules := slices.DeleteFunc(handclasp.Rules(), func(r finding.Rule) bool { return r.ID != "ftp.anonymous" && r.ID != "rsync.module-open" })
	path := filepath.Join(t.TempDir(), "fleet.db")
	state, err := monitor.Open(path, &monitor.Options{Rules: rules})
	require.NoError(t, err)
	defer func() { require.NoError(t, state.Close()) }()
	for n := range nights {
		s := newStreet()
		down := n > 0 && rnd.IntN(40) == 0
		if down {
			s.down = []error{os.ErrDeadlineExceeded, syscall.ECONNREFUSED}[n%2]
		}
		var targets, want []string
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
		}
		if down {
			want = append(want, "blind 10.0.0.0/24", "blind all", "blind example.net")
		}
		rnd.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
		entries := slices.Collect(s.scan(t, n, how{level: probe.LevelAnonymous, rules: rules}, targets...))
		got, _ := told(t, state, slices.Values(entries), nil)
		slices.Sort(want)
		require.Equal(t, want, got, "night %d of seed %d", n, seed)
		if rnd.IntN(10) == 0 { // started anew, with what was applied already
			require.NoError(t, state.Close())
			state, err = monitor.Open(path, &monitor.Options{Rules: rules})
			require.NoError(t, err)
			got, scan := told(t, state, slices.Values(entries), nil)
			require.Empty(t, got)
			require.True(t, scan.Again)
		}
	}
}
