package scan

import (
	"math"
	"runtime/metrics"
	"time"
)

// load says how many places are used. Of a machine that is busy with the probes that are under way, more of them ask for nothing
// but memory: what is ready to go on waits for a processor, each step of each conversation. Fewer places are used then, but
// as many as anybody has who doesn't ask for more.
type load struct {
	most, used int
	queueing   func() time.Duration // how long goroutines waited for a processor, on average, since it was asked
	asked      time.Time
	waited     time.Duration // the most of lately
}

const (
	leastPlaces = DefaultConcurrency
	loadEvery   = 50 * time.Millisecond
	// A conversation takes a few round trips of some ten milliseconds each; it isn't much longer for promptQueue at each step.
	promptQueue = 5 * time.Millisecond
	lateQueue   = 20 * time.Millisecond
)

func newLoad(o *Options) load {
	l := load{most: o.Concurrency, used: min(o.Concurrency, leastPlaces), queueing: o.queueing}
	if l.queueing == nil {
		l.queueing = new(queue).wait
	}
	return l
}

// places returns how many are used now.
func (l *load) places(now time.Time) int {
	if l.most <= leastPlaces || now.Sub(l.asked) < loadEvery {
		return l.used
	}
	l.asked = now
	wait := l.queueing()
	l.waited = max(wait, l.waited-l.waited/8)
	switch {
	case l.waited < promptQueue:
		l.used = min(l.used+l.used/2, l.most)
	case wait > lateQueue:
		l.used = max(l.used-l.used/4, leastPlaces)
	}
	return l.used
}

// A queue is that of the goroutines that are ready to run, as the runtime measures it.
type queue struct {
	sample [1]metrics.Sample
	before []uint64
}

// wait returns how long goroutines waited, on average, since it was called before; zero if none did.
func (q *queue) wait() time.Duration {
	q.sample[0].Name = "/sched/latencies:seconds"
	metrics.Read(q.sample[:])
	if q.sample[0].Value.Kind() != metrics.KindFloat64Histogram { // of another version of Go
		return 0
	}
	h := q.sample[0].Value.Float64Histogram()
	if q.before == nil {
		q.before = make([]uint64, len(h.Counts))
	}
	n, sum := uint64(0), 0.0
	for i, count := range h.Counts {
		if least := h.Buckets[i]; !math.IsInf(least, -1) {
			sum += float64(count-q.before[i]) * least
		}
		n += count - q.before[i]
		q.before[i] = count
	}
	return time.Duration(sum / float64(max(n, 1)) * float64(time.Second))
}
