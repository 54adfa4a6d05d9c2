package monitor_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/probe"
)

// A resident is a host of the simulated year: what it is, and what somebody who reads each night's truth would have said of it.
// The latter is reckoned from the script alone.
type resident struct {
	addr, name string
	open       bool
	key        int
	quiet      int // nights until it may change again

	toldOpen bool
	shutFor  int // learned nights
	toldKey  int
	toldAddr string
}

func (r *resident) at() string {
	if r.name != "" {
		return r.name
	}
	return r.addr[:len(r.addr)-2]
}

// change lets something happen to the host, now and then.
func (r *resident) change(rnd *rand.Rand, next func() int) {
	if r.quiet--; r.quiet > 0 {
		return
	}
	switch rnd.IntN(40) {
	case 0, 1:
		r.open = !r.open
		r.quiet = rnd.IntN(8)
	case 2:
		r.key = next()
	case 3:
		if r.name != "" {
			n := next()
			r.addr = fmt.Sprintf("172.16.%d.%d:7", n/250, n%250)
		}
	}
}

// tell is what is to be told of a host that was heard.
func (r *resident) tell() (events []string) {
	switch {
	case r.open && !r.toldOpen:
		events = append(events, "new "+r.at()+":7 test.open")
		r.toldOpen = true
	case !r.open && r.toldOpen:
		if r.shutFor++; r.shutFor == 2 {
			events = append(events, "resolved "+r.at()+":7 test.open")
			r.toldOpen = false
		}
	}
	if r.open || !r.toldOpen {
		r.shutFor = 0
	}
	if r.toldKey != 0 && r.toldKey != r.key {
		events = append(events, "fact "+r.at())
	}
	r.toldKey = r.key
	return events
}

// house is what the scanner sees of the host.
func (r *resident) house(outcome probe.Outcome) house {
	h := house{addr: r.addr, name: r.name, outcome: outcome}
	if outcome == "" {
		h.evidence = evidence{Door: map[bool]string{true: "open", false: "shut"}[r.open], Key: fmt.Sprint("key ", r.key)}
	}
	return h
}

// A year of nights over 200 hosts: doors that open and shut, keys that are replaced, names that move, busy servers, slow ones,
// and a line that is down. Each thing is told once, on its night, and nothing else is.
func TestYear(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	counter := 0
	next := func() int { counter++; return counter }
	residents := make([]*resident, 200)
	for i := range residents {
		residents[i] = &resident{addr: fmt.Sprintf("10.0.0.%d:7", i+1), key: next()}
		if i%10 == 0 {
			residents[i].name = fmt.Sprintf("host-%d.example.net", i)
		}
	}
	s := open(t, &monitor.Options{Rules: rules[:1]})
	for n := range 365 {
		down := n > 0 && rnd.IntN(60) == 0
		var houses []house
		var want []string
		for _, r := range residents {
			r.change(rnd, next)
			outcome := probe.Outcome("")
			switch lost := rnd.IntN(25); {
			case down:
				outcome = []probe.Outcome{probe.OutcomeTimeout, probe.OutcomeRefused}[n%2]
			case n > 0 && lost == 0:
				outcome = probe.OutcomeBusy
			case n > 0 && lost == 1:
				outcome = probe.OutcomeTimeout
			}
			if r.name != "" && r.toldAddr != r.addr {
				if r.toldAddr != "" {
					want = append(want, "moved "+r.at())
				}
				r.toldAddr = r.addr
			}
			houses = append(houses, r.house(outcome))
			if outcome == "" {
				want = append(want, r.tell()...)
			}
		}
		if down {
			want = append(want, "blind 10.0.0.0/24", "blind all", "blind example.net")
		}
		rnd.Shuffle(len(houses), func(i, j int) { houses[i], houses[j] = houses[j], houses[i] })
		got := night(t, s, n, houses...)
		slices.Sort(got)
		slices.Sort(want)
		require.Equal(t, append([]string{}, want...), got, "night %d of seed %d", n, seed)
	}
}
