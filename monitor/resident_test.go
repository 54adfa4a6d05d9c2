package monitor_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// A resident is a host of the simulated year: what it is, and what somebody who reads each night's truth would have said of it.
// The latter is reckoned from the script alone.
type resident struct {
	*server
	addr, name string
	version    int
	pool       [2]int // the versions of those who share its address and take turns; zero for one alone
	quiet      int    // nights until it may change again

	toldAnon    bool
	shutFor     int // learned nights
	toldVersion int
	toldTurns   int // of a pool: it was told that another one spoke (1), and that they take turns (2)
	toldAddr    string
	toldLogin   bool // by the rule that a new version of the program has
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

// newResident is the nth of them.
func newResident(n int, next func() int) *resident {
	r := &resident{addr: fmt.Sprintf("10.0.0.%d", n+1), server: &server{kind: "rsync", modules: map[string]bool{fmt.Sprint("m", 1000+next()): true}}}
	if n%3 > 0 {
		r.version = next()
		r.server = &server{kind: "ftp", anon: n%2 == 0, banner: banner(r.version)}
	}
	if n%10 == 1 && r.kind == "ftp" {
		r.name = fmt.Sprintf("host-%d.example.net", n)
	}
	if n%10 == 2 && r.kind == "ftp" {
		r.pool = [2]int{r.version, next()}
	}
	return r
}

// banner names the version, and the product: every third version is of another one.
func banner(version int) string {
	if version%3 == 0 {
		return fmt.Sprintf("ProFTPD 9.%d.0 Server (files) [10.0.0.1]", version)
	}
	return fmt.Sprintf("(vsFTPd 9.%d.0)", version)
}

func software(version int) string {
	if version%3 == 0 {
		return fmt.Sprintf("ProFTPD 9.%d.0", version)
	}
	return fmt.Sprintf("vsftpd 9.%d.0", version)
}

// change lets something happen to the host, now and then.
func (r *resident) change(rnd *rand.Rand, next func() int) {
	defer func() { r.banner = banner(r.version) }()
	if r.pool != [2]int{} {
		r.version = r.pool[rnd.IntN(2)]
	}
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
	case r.pool != [2]int{}:
	case rnd.IntN(40) == 0:
		r.version = next()
	case r.name != "" && rnd.IntN(40) == 0:
		n := next()
		r.addr = fmt.Sprintf("172.16.%d.%d", n/250, n%250)
	}
}

// tell is what is to be told of a host that was asked with some trouble.
func (r *resident) tell(trouble int) (events []string) {
	if r.name != "" && r.toldAddr != r.addr {
		if r.toldAddr != "" {
			events = append(events, "moved "+r.at()+" /target/addr "+r.toldAddr+" → "+r.addr)
		}
		r.toldAddr = r.addr
	}
	if trouble == busyNight || trouble == silentNight {
		return events
	}
	if r.toldVersion != 0 && r.toldVersion != r.version {
		kind := "fact "
		if r.pool != [2]int{} {
			kind = []string{"fact ", "pool ", ""}[r.toldTurns]
			r.toldTurns = min(r.toldTurns+1, 2)
		}
		if kind != "" {
			events = append(events, kind+r.at()+" ftp:/software "+software(r.toldVersion)+" → "+software(r.version))
		}
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

// foundByMore reports whether a rule that the program got meanwhile finds for the first time what was there before: that isn't the
// host's news.
func (r *resident) foundByMore(trouble int) bool {
	if r.toldLogin || r.kind != "ftp" || trouble != fine && trouble != noDataNight {
		return false
	}
	r.toldLogin = true
	return true
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
