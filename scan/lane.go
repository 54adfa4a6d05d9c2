package scan

import (
	"slices"
	"sync"
	"time"
)

// Lanes hold the places of probes that are under way. A probe that calls its host takes no place of a conversation: calls that
// nobody answers would hold up the others, and cost next to nothing. One that takes much longer than others do is moved to the
// slow lane when another needs its place: servers that drip a byte now and then hold a few up otherwise, and then all.
type lanes struct {
	places, room, calls int // in the fast lane, in the slow one, and of calls

	mu      sync.Mutex // flights change lanes by themselves
	n       [lanesCount]int
	talkers flights // in the fast lane, the one that began first in front
	callers flights // that began lately
	pace    pace
	answers answers
	late    time.Duration // from the end of a probe until that is noted, on average: this machine's doing, or that of who takes results
}

// A lane is where a flight is.
type lane uint8

const (
	talking  lane = iota // a place in the fast lane
	callNew              // its call may be answered any moment
	callLate             // nobody answered its call for a while
	slow                 // a place in the slow lane
	lanesCount
)

// answerTime is how long a call lasts that is likely to be answered: a round trip and the first SYN repeated (RFC 6298 §2).
const answerTime = time.Second

// A flight is a probe that is under way.
type flight struct {
	lanes      *lanes
	lane       lane
	since      time.Time // when it came into its lane
	talked     bool      // its call was answered, or it makes none
	called     bool      // the first call is over
	ended      time.Time // when only its result was left to be taken; zero before that
	host       *hostQueue
	list       *flights // the one that holds it; nil if none does
	prev, next *flight
}

// flights is a list in the order in which they came.
type flights struct{ first, last *flight }

func (l *flights) push(f *flight) {
	f.list, f.prev, f.next = l, l.last, nil
	if l.last != nil {
		l.last.next = f
	} else {
		l.first = f
	}
	l.last = f
}

func (f *flight) leave() {
	l := f.list
	if l == nil {
		return
	}
	if f.prev != nil {
		f.prev.next = f.next
	} else {
		l.first = f.next
	}
	if f.next != nil {
		f.next.prev = f.prev
	} else {
		l.last = f.prev
	}
	f.list, f.prev, f.next = nil, nil, nil
}

func newLanes(o *Options) *lanes {
	return &lanes{places: o.Concurrency, room: o.SlowLane, calls: o.Dials, pace: pace{early: o.Probe.Limits.Effective().Dial}}
}

func (l *lanes) busy() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n[talking] + l.n[callNew] + l.n[callLate] + l.n[slow]
}

// move puts a flight into a lane, and at the end of its list if it has one. The mutex is held.
func (l *lanes) move(f *flight, to lane, now time.Time) {
	f.leave()
	l.n[f.lane]--
	l.n[to]++
	f.lane, f.since = to, now
	switch to {
	case talking:
		l.talkers.push(f)
	case callNew:
		l.callers.push(f)
	}
}

// free reports whether a place is free, or can be made so.
func (l *lanes) free(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := l.callers.first; f != nil && now.Sub(f.since) >= answerTime+l.allowance(); f = l.callers.first {
		l.answers.count(false)
		since := f.since
		l.move(f, callLate, since)
	}
	if l.n[callNew]+l.n[callLate] >= l.calls {
		return false
	}
	for l.n[talking]+l.answers.expected(l.n[callNew]) >= l.places {
		f := l.candidate()
		if f == nil || now.Sub(f.since) < l.patience() {
			return false
		}
		l.move(f, slow, f.since)
	}
	return true
}

// wait returns how long it takes until a place can be made free, if none is.
func (l *lanes) wait(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := idle
	if f := l.callers.first; f != nil {
		wait = answerTime + l.allowance() - now.Sub(f.since)
	}
	if f := l.candidate(); f != nil {
		wait = min(wait, l.patience()-now.Sub(f.since))
	}
	return wait
}

// allowance is what a probe may take longer than others for reasons that aren't its server's: on a busy machine each step waits
// for its turn, and more probes beside it would wait as well. A conversation has some eight steps. The mutex is held.
func (l *lanes) allowance() time.Duration { return 8 * l.late }

// patience is how long a probe keeps its place if another needs it. The mutex is held.
func (l *lanes) patience() time.Duration { return max(l.pace.patience(), l.allowance()) }

// candidate is the probe that has been talking for the longest time in the fast lane; nil if nothing can be moved. A result
// that nobody takes isn't slowness: it keeps its place, which is what bounds memory. The mutex is held.
func (l *lanes) candidate() *flight {
	for f := l.talkers.first; f != nil && l.n[slow] < l.room; f = l.talkers.first {
		if f.ended.IsZero() {
			return f
		}
		f.leave()
	}
	return nil
}

// begin takes a place.
func (l *lanes) begin(now time.Time) *flight {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := &flight{lanes: l, since: now, talked: true}
	l.n[talking]++
	l.talkers.push(f)
	return f
}

// Calling gives the place up until the first call is over; see package calling.
func (f *flight) Calling() {
	f.lanes.mu.Lock()
	defer f.lanes.mu.Unlock()
	if f.called || f.lane != talking {
		return
	}
	f.talked = false
	f.lanes.move(f, callNew, time.Now())
}

// Called takes a place again.
func (f *flight) Called(err error) {
	l := f.lanes
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.called {
		return
	}
	f.called, f.talked = true, err == nil
	if f.lane == callNew || err == nil {
		l.answers.count(err == nil)
	}
	l.move(f, talking, time.Now())
}

// Take takes places at the host for connections beside the first; see package calling.
func (f *flight) Take(n int) int { return f.host.take(n) }

// Give gives them back. Endpoints that wait for them are looked after when this one is over.
func (f *flight) Give(n int) { f.host.give(n) }

// finish notes that only the result waits to be taken.
func (f *flight) finish() {
	f.lanes.mu.Lock()
	defer f.lanes.mu.Unlock()
	f.ended = time.Now()
}

// lateOver is over how many probes lateness is averaged, about.
const lateOver = 32

// end gives a probe's place back.
func (l *lanes) end(f *flight, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.leave()
	l.n[f.lane]--
	l.late += (now.Sub(f.ended) - l.late) / lateOver
	if f.talked {
		l.pace.count(f.ended.Sub(f.since))
	}
}

// answers is how many calls are answered, of those lately.
type answers struct {
	recent [256]bool
	n, yes int
}

func (a *answers) count(yes bool) {
	at := a.n % len(a.recent)
	if a.n >= len(a.recent) && a.recent[at] {
		a.yes--
	}
	if a.recent[at] = yes; yes {
		a.yes++
	}
	a.n++
}

// expected is how many of so many calls are likely to be answered; all as long as too few are known.
func (a *answers) expected(calls int) int {
	known := min(a.n, len(a.recent))
	if known < 16 {
		return calls
	}
	return (calls*max(a.yes, 1) + known - 1) / known
}

// A pace is how long conversations take: half of the recent ones took no longer than the median, to which a few that take a
// minute make no difference.
type pace struct {
	early  time.Duration // patience while too few are known
	recent [255]time.Duration
	sorted [255]time.Duration // the same in order, as far as they are known
	n      int
}

const (
	paceKnown = 15 // so many make a median
	// paceFloor is what nobody calls slow, however fast others are: a pause of a busy machine, a lost packet nearby.
	paceFloor = 100 * time.Millisecond
)

func (p *pace) count(took time.Duration) {
	known, at := p.known(), p.n%len(p.recent)
	if p.n >= len(p.recent) {
		oldest, _ := slices.BinarySearch(known, p.recent[at])
		known = slices.Delete(known, oldest, oldest+1)
	}
	place, _ := slices.BinarySearch(known, took)
	_ = slices.Insert(known, place, took) // in the same memory, which has room for it
	p.recent[at] = took
	p.n++
}

func (p *pace) known() []time.Duration { return p.sorted[:min(p.n, len(p.sorted))] }

// patience is how long a probe keeps its place if another needs it, on a machine that has the time for all. With a tenth of the servers dripping, half as long
// again as the median costs a twentieth of the throughput; twice as long would cost a tenth.
func (p *pace) patience() time.Duration {
	if p.n < paceKnown {
		return p.early
	}
	known := p.known()
	median := known[len(known)/2]
	return max(median+median/2, paceFloor)
}
