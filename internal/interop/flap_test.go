package interop_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
	"github.com/handclasp/handclasp/smtp"
	"github.com/handclasp/handclasp/ssh"
)

// A subject is a server that is scanned again and again.
type subject struct {
	name     string
	prober   probe.Prober
	addr     netip.AddrPort
	implicit bool
	crowded  bool // the visit before may still be counted
}

// subjects starts servers of every kind, but those that turn visitors away.
func subjects() map[string]func(testing.TB) []subject {
	all := map[string]func(testing.TB) []subject{}
	one := func(name string, start func(t testing.TB) subject) {
		all[name] = func(t testing.TB) []subject {
			s := start(t)
			s.name = name
			return []subject{s}
		}
	}
	for _, f := range ftpFacts {
		one("ftp "+f.server+" "+f.variant, func(t testing.TB) subject {
			return subject{prober: ftp.Prober{}, addr: f.start(t).Addr, implicit: f.implicit}
		})
	}
	for _, f := range nntpFacts {
		one("nntp "+f.server+" "+f.variant, func(t testing.TB) subject {
			s := f.start(t)
			return subject{prober: nntp.Prober{}, addr: s.Addr, implicit: s.Implicit}
		})
	}
	for _, f := range sshFacts {
		if f.outcome == probe.OutcomeBusy { // it has room for some visitors, and chance says for which
			continue
		}
		one("ssh "+f.server+" "+f.variant, func(t testing.TB) subject {
			// Dropbear has room for five of one host that haven't logged in, and those that it hasn't missed yet are among them.
			return subject{prober: ssh.Prober{}, addr: f.start(t).Addr, crowded: f.server == "dropbear-bin"}
		})
	}
	for _, f := range rsyncFacts {
		one("rsync "+f.server+" "+f.variant, func(t testing.TB) subject {
			s := f.start(t)
			return subject{prober: f.prober, addr: s.Addr, implicit: s.Implicit, crowded: f.variant == "one-at-a-time"}
		})
	}
	for variant := range smbSettings {
		one("smb samba "+variant, func(t testing.TB) subject { return subject{prober: smb.Prober{}, addr: samba(t, variant).Direct} })
	}
	for _, i := range smtpInstances {
		all["smtp "+i.name] = func(t testing.TB) (list []subject) {
			for _, s := range i.start(t) {
				list = append(list, subject{name: "smtp " + i.name + " " + s.Name, prober: smtp.Prober{}, addr: s.Addr, implicit: s.Implicit})
			}
			return list
		}
	}
	return all
}

// learned is what one scan says that the next should say again: each fact by its place, and each finding with what it is about.
func learned(t testing.TB, r *probe.Result) (facts, findings map[string]string) {
	text, err := json.Marshal(r.Evidence)
	require.NoError(t, err)
	var evidence any
	require.NoError(t, json.Unmarshal(text, &evidence))
	facts, findings = map[string]string{}, map[string]string{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case string:
			if v == string(probe.Yes) || v == string(probe.No) {
				facts[at] = v
			}
		case []any:
			for i, v := range v {
				walk(fmt.Sprintf("%s/%d", at, i), v)
			}
		case map[string]any:
			for name, v := range v {
				walk(at+"/"+name, v)
			}
		}
	}
	walk("", evidence)
	for _, f := range finding.Evaluate(r, handclasp.Rules()) {
		about := []string{f.Detail}
		for _, i := range f.Items {
			about = append(about, i.Value)
		}
		findings[f.ID] = strings.Join(about, " | ")
	}
	return facts, findings
}

// scans is how many scans there are of each server: 2, or what the environment says.
func scans(t testing.TB) int {
	n, err := strconv.Atoi(os.Getenv("HANDCLASP_SCANS"))
	if os.Getenv("HANDCLASP_SCANS") == "" {
		return 2
	}
	require.NoError(t, err)
	return n
}

// What a scan learns of a server, the next learns too.
func TestNothingFlaps(t *testing.T) {
	for name, start := range subjects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, s := range start(t) {
				first := s.first(t)
				facts, findings := learned(t, first)
				for n := 1; n < scans(t); n++ {
					r := s.scan(t, patience)
					if s.crowded {
						s.require(t, fmt.Sprintf("%s, scan %d: %v", s.name, n, r.Err), r, facts, findings)
						continue
					}
					f, found := learned(t, r)
					require.Equal(t, first.Outcome, r.Outcome, "%s, scan %d: %v", s.name, n, r.Err)
					require.Equal(t, first.Partial, r.Partial, "%s, scan %d: %v", s.name, n, r.Err)
					require.Equal(t, facts, f, "%s, scan %d", s.name, n)
					require.Equal(t, findings, found, "%s, scan %d", s.name, n)
				}
			}
		})
	}
}

// On a machine that has no time for it, with a second for each server, a scan learns less, says so, and learns nothing else.
func TestNothingFlapsUnderLoad(t *testing.T) {
	if os.Getenv("HANDCLASP_SCANS") == "" {
		t.Skip("it takes minutes: HANDCLASP_SCANS says how many scans there are of each server")
	}
	busy(t)
	for name, start := range subjects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, s := range start(t) {
				facts, findings := learned(t, s.first(t))
				less := 0
				for n := range scans(t) {
					r := s.scan(t, probe.Limits{Total: time.Second})
					if len(r.Partial) > 0 {
						less++
					}
					s.require(t, fmt.Sprintf("%s, scan %d: %v", s.name, n, r.Err), r, facts, findings)
				}
				t.Logf("%s: %d of %d scans learned less", s.name, less, scans(t))
			}
		})
	}
}

// busy keeps the machine busy until the test ends, by fits and starts: scans shall be cut at each of their steps.
func busy(t testing.TB) {
	done := make(chan struct{})
	var all sync.WaitGroup
	t.Cleanup(func() { close(done); all.Wait() })
	for range 2 * runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for {
				fit := time.Duration(rand.IntN(200)) * time.Millisecond
				for begun := time.Now(); time.Since(begun) < fit; {
				}
				select {
				case <-done:
					return
				case <-time.After(time.Duration(rand.IntN(200)) * time.Millisecond):
				}
			}
		})
	}
}

// require holds a scan against what is known of the server: no fact is another, and a finding that isn't seen any more was lost.
func (s subject) require(t testing.TB, scan string, r *probe.Result, facts, findings map[string]string) {
	now, found := learned(t, r)
	for at, fact := range now {
		was, known := facts[at]
		lost := slices.ContainsFunc(r.Partial, func(p string) bool { return p != "/evidence" && strings.HasPrefix("/evidence"+at, p) })
		require.True(t, !known || was == fact || lost, "%s: %s was %s and is %s", scan, at, was, fact)
	}
	for id := range found {
		_, known := findings[id]
		require.True(t, known || len(r.Partial) > 0, "%s: %s fires", scan, id)
	}
	for _, rule := range handclasp.Rules() {
		_, known := findings[rule.ID]
		_, fires := found[rule.ID]
		if known && !fires {
			require.NotEmpty(t, r.Partial, "%s: %s doesn't fire", scan, rule.ID)
			require.NotEqual(t, finding.NotSo(), rule.Check(r), "%s: %s isn't so", scan, rule.ID)
		}
	}
}

// first is the scan that others are held against: a whole one, if the visit before is all that may stand in its way.
func (s subject) first(t testing.TB) *probe.Result {
	r := s.scan(t, patience)
	for try := 0; s.crowded && len(r.Partial) > 0 && try < 10; try++ {
		r = s.scan(t, patience)
	}
	return r
}

func (s subject) scan(t testing.TB, limits probe.Limits) *probe.Result {
	return probe.Run(t.Context(), s.prober, probe.Target{Addr: s.addr}, &probe.Options{
		Level: probe.LevelAnonymous, ImplicitTLS: probe.FactOf(s.implicit), Limits: limits,
	})
}
