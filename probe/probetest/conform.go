package probetest

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// A Conformance says what [ConformWith] tries beyond the servers that every prober must stand. The zero value is what
// [Conform] does.
type Conformance struct {
	// Recordings is a pattern of transcript files. Each conversation is then told wrong in every way, at each event:
	// cut off, replaced by garbage, with lengths that lie, with plaintext behind the go-ahead to TLS.
	Recordings string
	// Servers are tried as those of [Hostile] are.
	Servers []Server
	// TLS is how far servers are asked for TLS in the trials of Servers, [Hostile] and Recordings, those aside whose recording says it.
	TLS probe.TLSMode
	// Limits replace those of the suite if they aren't zero. The suite's are small, so that it takes few seconds:
	// raise one if the protocol can't do with less.
	Limits probe.Limits
}

// suiteLimits are those of each run. They are small against a real network and large against loopback.
var suiteLimits = probe.Limits{
	Total: 400 * time.Millisecond, Dial: 100 * time.Millisecond, Idle: 100 * time.Millisecond,
	BytesIn: 64 << 10, BytesOut: 16 << 10, LineLength: 16 << 10, ReplyLines: 256, Conns: 16,
}

// Conform checks what a prober must do whatever the server does, at each level: it ends in time, within bytes and
// memory and without a panic; it leaves no goroutine and no connection; it returns evidence that survives JSON, and an
// outcome that makes sense; it sends only what its guard names, nothing at level greeting and nothing in cleartext
// after TLS failed; it reaches no other host; it returns within 50 ms when it is canceled; and several run at once.
func Conform(t *testing.T, p probe.Prober) {
	t.Helper()
	ConformWith(t, p, Conformance{})
}

// ConformWith is [Conform] with more to try.
func ConformWith(t *testing.T, p probe.Prober, c Conformance) {
	t.Helper()
	var recordings []recorded
	if c.Recordings != "" {
		for _, path := range files(t, c.Recordings) {
			recordings = append(recordings, recorded{filepath.Base(path), parseFile(t, path)})
		}
	}
	plan := plan{append(Hostile(), c.Servers...), recordings, c.limits(), c.TLS, forever, false}
	for _, part := range plan.conform(p) {
		t.Run(part.name, func(t *testing.T) {
			for _, fault := range part.faults {
				t.Error(fault)
			}
		})
	}
}

// A part is what was found wrong in one part of the suite; nothing, if all is well.
type part struct {
	name   string
	faults []string
}

type recorded struct {
	name string
	*replay.Recording
}

// A plan is what a suite tries.
type plan struct {
	servers    []Server
	recordings []recorded
	limits     probe.Limits
	tls        probe.TLSMode // how far servers are asked
	giveUp     time.Duration // how long behind its total time a run is given up
	strict     bool          // a busy machine is no excuse
}

// conform runs the suite. It doesn't know of testing.T, so that its own test can see it fail.
func (c plan) conform(p probe.Prober) []part {
	if faults := checkSpec(p); len(faults) > 0 {
		return []part{{"spec", faults}} // the rest needs a sane one
	}
	s := &suite{p: p, plan: c, label: rand.Text() + "-", told: map[string]bool{}, found: map[string][]string{}}
	s.pulse = startPulse()
	s.pulse.ignore = c.strict
	defer s.pulse.stop()
	s.tell("spec")
	s.tell("guard", checkGuard(p.Spec())...)
	modes := modesOf(p.Spec())
	for _, m := range modes {
		if m.network == probe.UDP {
			s.datagrams(m)
			continue
		}
		for _, server := range c.servers {
			s.hostile(m, server)
		}
		s.dials(m)
		s.bypass(m)
	}
	for _, r := range c.recordings {
		s.mutations(r)
		s.realTLS(r)
	}
	s.run()
	if s.stuck() {
		s.tell("trials left out", "the prober took too long so often that most trials were left out: see above")
	} else {
		// What is measured is measured alone.
		for _, m := range modes {
			s.cancellation(m)
			s.memory(m)
		}
		s.memoryTold()
		s.concurrency()
	}
	s.leftovers()
	return s.parts()
}

func (c Conformance) limits() probe.Limits {
	l := suiteLimits
	set(&l.Total, c.Limits.Total)
	set(&l.Dial, c.Limits.Dial)
	set(&l.Idle, c.Limits.Idle)
	set(&l.BytesIn, c.Limits.BytesIn)
	set(&l.BytesOut, c.Limits.BytesOut)
	set(&l.LineLength, c.Limits.LineLength)
	set(&l.ReplyLines, c.Limits.ReplyLines)
	set(&l.Conns, c.Limits.Conns)
	return l
}

func set[T comparable](field *T, v T) {
	var zero T
	if v != zero {
		*field = v
	}
}

// A mode is a way in which a protocol is spoken: its network, and whether TLS comes first.
type mode struct {
	network  probe.Network
	port     uint16
	implicit bool
}

func (m mode) String() string {
	if m.implicit {
		return fmt.Sprintf("%s %d with TLS", m.network, m.port)
	}
	return fmt.Sprintf("%s %d", m.network, m.port)
}

// modesOf returns the first port of each way.
func modesOf(spec probe.Spec) (list []mode) {
	seen := map[mode]bool{}
	for _, p := range spec.Ports {
		kind := mode{network: network(p), implicit: p.ImplicitTLS}
		if !seen[kind] {
			seen[kind] = true
			list = append(list, mode{network(p), p.Number, p.ImplicitTLS})
		}
	}
	return list
}

func network(p probe.Port) probe.Network {
	if p.Network == "" {
		return probe.TCP
	}
	return p.Network
}
