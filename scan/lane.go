package scan

import (
	"container/list"
	"slices"
	"sync/atomic"
	"time"
)

// Lanes hold the places of probes that are under way. One that takes much longer than others do is moved to the slow
// lane when another needs its place: servers that drip a byte now and then hold a few up otherwise, and then all.
// They belong to the scheduler's goroutine.
type lanes struct {
	places, room int // in the fast lane, and in the slow one
	fast, slow   int // how many are taken
	oldest       list.List
	pace         pace
}

// A flight is a probe that is under way.
type flight struct {
	began time.Time
	ended atomic.Bool // only its result waits to be taken
	slow  bool
	place *list.Element // among the oldest; nil if it isn't to be moved
}

func newLanes(o *Options) lanes {
	return lanes{places: o.Concurrency, room: o.SlowLane, pace: pace{early: o.Probe.Limits.Effective().Dial}}
}

func (l *lanes) busy() int { return l.fast + l.slow }

// free reports whether a place is free, or can be made so.
func (l *lanes) free(now time.Time) bool {
	for l.fast >= l.places {
		f := l.candidate()
		if f == nil || now.Sub(f.began) < l.pace.patience() {
			return false
		}
		l.forget(f)
		f.slow = true
		l.fast--
		l.slow++
	}
	return true
}

// wait returns how long it takes until a place can be made free, if none is.
func (l *lanes) wait(now time.Time) time.Duration {
	if f := l.candidate(); f != nil {
		return l.pace.patience() - now.Sub(f.began)
	}
	return idle
}

// candidate is the probe that has been under way for the longest time in the fast lane; nil if nothing can be moved.
// A result that nobody takes isn't slowness: it keeps its place, which is what bounds memory.
func (l *lanes) candidate() *flight {
	for first := l.oldest.Front(); first != nil && l.slow < l.room; first = l.oldest.Front() {
		f := first.Value.(*flight)
		if !f.ended.Load() {
			return f
		}
		l.forget(f)
	}
	return nil
}

func (l *lanes) forget(f *flight) {
	if f.place != nil {
		l.oldest.Remove(f.place)
		f.place = nil
	}
}

// begin takes a place.
func (l *lanes) begin(now time.Time) *flight {
	f := &flight{began: now}
	f.place = l.oldest.PushBack(f)
	l.fast++
	return f
}

// end gives a probe's place back.
func (l *lanes) end(f *flight, took time.Duration) {
	l.forget(f)
	if f.slow {
		l.slow--
	} else {
		l.fast--
	}
	l.pace.count(took)
}

// A pace is how long probes take: half of the recent ones took no longer than the median, to which a few that take a
// minute make no difference.
type pace struct {
	early  time.Duration // patience while too few are known
	recent [255]time.Duration
	n      int
	median time.Duration
}

const (
	paceKnown = 15 // so many make a median
	paceEvery = 15 // and it is computed again after as many
	// paceFloor is what nobody calls slow, however fast others are: a pause of a busy machine, a lost packet nearby.
	paceFloor = 100 * time.Millisecond
)

func (p *pace) count(took time.Duration) {
	p.recent[p.n%len(p.recent)] = took
	if p.n++; p.n%paceEvery == 0 {
		known := slices.Clone(p.recent[:min(p.n, len(p.recent))])
		slices.Sort(known)
		p.median = known[len(known)/2]
	}
}

// patience is how long a probe keeps its place when another needs it. With a tenth of the servers dripping, half as long
// again as the median costs a twentieth of the throughput; twice as long would cost a tenth.
func (p *pace) patience() time.Duration {
	if p.n < paceKnown {
		return p.early
	}
	return max(p.median+p.median/2, paceFloor)
}
