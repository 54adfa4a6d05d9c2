package probetest

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"time"

	"github.com/handclasp/handclasp/probe"
)

const (
	// cancelTime is what Run promises; the best of cancelTries counts, since machines are busy.
	cancelTime  = 50 * time.Millisecond
	cancelTries = 5
	// cancelAfter is when a run is well under way.
	cancelAfter = 30 * time.Millisecond
	// abundance is what the limits of a run that is canceled are, lest they end it.
	abundance = 2 * time.Second
)

// cancellation cancels runs that wait, each for something else.
func (s *suite) cancellation(m mode) {
	part := "cancellation " + m.String()
	s.tell(part)
	states := map[string]setUp{
		"a dial": leadNowhere(noAnswer),
	}
	const pause = 3 * time.Millisecond
	dripping := Server{Serve: drip("220-", pause)}
	switch {
	case m.network == probe.UDP:
		states["a silent server"] = leadToDatagrams(hostileDatagrams()[0])
	case m.implicit:
		states["a TLS handshake"] = leadToServer(Server{Serve: hang})
		states["a silent server inside TLS"] = leadToServer(behindTLS(Server{Serve: hang}))
		states["a dripping server inside TLS"] = leadToServer(behindTLS(dripping))
	default:
		states["a silent server"] = leadToServer(Server{Serve: hang})
		states["a dripping server"] = leadToServer(dripping)
	}
	for name, lead := range states {
		if fault := s.cancel(m, part, name, lead); fault != "" {
			s.tell(part, name+": "+fault)
		}
	}
}

func (s *suite) cancel(m mode, part, name string, lead setUp) (fault string) {
	limits := s.limits
	limits.Total, limits.Dial, limits.Idle = abundance, abundance, abundance
	for range cancelTries {
		to, err := lead()
		if err != nil {
			return fmt.Sprintf("the suite can't listen: %v", err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		type moment struct {
			at     time.Time
			stolen time.Duration
		}
		canceled := make(chan moment, 1)
		timer := time.AfterFunc(cancelAfter, func() {
			canceled <- moment{time.Now(), s.pulse.note()}
			cancel()
		})
		r, stack := s.start(ctx, &rig{target: m.target(), lead: to.dial}, part, name, probe.Options{Limits: limits})
		returned := time.Now()
		early := timer.Stop()
		cancel()
		to.stop()
		switch {
		case r == nil:
			return "Probe doesn't return when it is canceled\n" + stack
		case early:
			return "" // it didn't wait
		}
		when := <-canceled
		took := returned.Sub(when.at)
		switch {
		case took > cancelTime+s.pulse.allowance(when.stolen):
			fault = fmt.Sprintf("returned %v after it was canceled, want %v: wait for nothing but methods of the session", took.Round(time.Millisecond), cancelTime)
		case r.Outcome != probe.OutcomeCanceled:
			fault = fmt.Sprintf("outcome %s (%v) of a run that was canceled: return the session's errors as they are", r.Outcome, r.Err)
		default:
			return ""
		}
		if took > abundance/2 {
			return fault
		}
	}
	return fault
}

// memory measures what probes of servers allocate that send a lot, or say that they will.
func (s *suite) memory(m mode) {
	if m.network == probe.UDP {
		return
	}
	part := "memory " + m.String()
	s.tell(part)
	for _, server := range s.servers {
		if !server.heavy {
			continue
		}
		if m.implicit {
			server = behindTLS(server)
		}
		s.measure(&trial{
			part: part, name: server.Name, target: m.target(), options: probe.Options{Limits: s.limits}, lead: leadToServer(server),
		})
	}
}

// memoryTold measures some of the conversations that were told wrong, in which lengths lie.
func (s *suite) memoryTold() {
	const some = 600
	var played []*trial
	for _, t := range s.trials {
		if t.played {
			played = append(played, t)
		}
	}
	step := max(len(played)/some, 1)
	for i := 0; i < len(played); i += step {
		s.measure(played[i])
	}
}

// memoryPerByte and memoryFloor bound what a run may allocate in all, freed or not: a prober that copies what it reads
// a few times stays far below, one that trusts a length or joins strings byte by byte does not.
const (
	memoryPerByte = 32
	memoryFloor   = 8 << 20
)

func (s *suite) measure(t *trial) {
	most := memoryPerByte*(uint64(s.limits.BytesIn)+uint64(hellos[t.options.TLS])*helloAnswer) + memoryFloor
	var least uint64
	for range tries {
		to, err := t.lead()
		if err != nil {
			s.tell(t.part, fmt.Sprintf("%s: the suite can't listen: %v", t.name, err))
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, _ := s.start(context.Background(), &rig{target: t.target, lead: to.dial, replayed: t.played}, t.part, t.name, t.options)
		runtime.ReadMemStats(&after)
		to.stop()
		least = after.TotalAlloc - before.TotalAlloc
		if least <= most || r == nil {
			return
		}
	}
	s.tell(t.part, fmt.Sprintf("%s: %d KiB were allocated for at most %d KiB received, want at most %d: check a length before you allocate it, and don't join strings in a loop", t.name, least>>10, s.limits.BytesIn>>10, most>>10))
}

// together is how many runs of one prober go on at once. Run the tests with -race to see what they share.
const together = 8

// concurrency runs one prober several times at once, against a server and each recording.
func (s *suite) concurrency() {
	const part = "concurrency"
	s.tell(part)
	spec := s.p.Spec()
	m := modesOf(spec)[0]
	lead := leadToServer(Affirmative("220 hello\r\n", "250 ok\r\n")[0])
	switch {
	case m.network == probe.UDP:
		lead = leadToDatagrams(hostileDatagrams()[0])
	case m.implicit:
		lead = leadToServer(behindTLS(Affirmative("220 hello\r\n", "250 ok\r\n")[0]))
	}
	to, err := lead()
	if err != nil {
		s.tell(part, fmt.Sprintf("the suite can't listen: %v", err))
		return
	}
	s.distinct(part, s.atOnce(func() *probe.Result {
		g := &rig{target: m.target(), lead: to.dial}
		r, _ := s.start(context.Background(), g, part, "one server", probe.Options{Limits: s.limits})
		return r
	}))
	to.stop()
	for _, rec := range s.recordings {
		results := s.atOnce(func() *probe.Result {
			player := rec.Player()
			o := options(rec.Recording, player)
			r, _ := s.start(context.Background(), &rig{target: rec.Target, lead: player.Dial, replayed: true}, part, rec.name, *o)
			return r
		})
		s.distinct(part, results)
		for _, r := range results[1:] {
			if r != nil && results[0] != nil && !reflect.DeepEqual(r.Evidence, results[0].Evidence) {
				s.tell(part, fmt.Sprintf("%s: runs at once gave different evidence: keep no state between calls\n%s", rec.name, difference(results[0].Evidence, r.Evidence)))
				break
			}
		}
	}
}

func (s *suite) atOnce(f func() *probe.Result) []*probe.Result {
	results := make([]*probe.Result, together)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() { results[i] = f() })
	}
	all.Wait()
	return results
}

// distinct requires that no two runs share their evidence.
func (s *suite) distinct(part string, results []*probe.Result) {
	seen := map[probe.Evidence]bool{}
	for _, r := range results {
		if r == nil || isNil(r.Evidence) || reflect.TypeOf(r.Evidence).Kind() != reflect.Pointer || reflect.TypeOf(r.Evidence).Elem().Size() == 0 {
			continue
		}
		if seen[r.Evidence] {
			s.tell(part, "two runs returned the same evidence struct: make a new one for each")
			return
		}
		seen[r.Evidence] = true
	}
}
