package scan

import (
	"context"
	"runtime"
	"sync"
)

// A crew is the goroutines of a scan. They go on with the next endpoint or result, since their stacks, which are copied as they
// grow, have grown already. Those who probe are apart from those who make something of results: that takes a larger stack, which
// would be held by as many as are under way.
type crew struct {
	all     sync.WaitGroup
	resting []worker      // those who wait for an endpoint, the last one that came first
	done    chan *attempt // whose results something is to be made of
}

// A worker probes the endpoints that it is sent, one at a time; there is room for one.
type worker chan *attempt

// leastMaking is how many make something of results at once, on however small a machine: what they call may wait.
const leastMaking = 16

func (s *scheduler) hire() {
	for range max(leastMaking, runtime.GOMAXPROCS(0)) {
		s.crew.all.Go(func() {
			for a := range s.crew.done {
				s.yield(a)
			}
		})
	}
}

// dismiss ends them, none of whom has anything to do.
func (s *scheduler) dismiss() {
	for _, w := range s.crew.resting {
		close(w)
	}
	close(s.crew.done)
	s.crew.all.Wait()
}

// assign has an endpoint probed.
func (s *scheduler) assign(ctx context.Context, a *attempt) {
	if last := len(s.crew.resting) - 1; last >= 0 {
		a.worker = s.crew.resting[last]
		s.crew.resting = s.crew.resting[:last]
	} else {
		a.worker = make(worker, 1)
		s.crew.all.Go(func() {
			for a := range a.worker {
				s.probe(ctx, a)
			}
		})
	}
	a.worker <- a
}

// rest notes that a worker has nothing to do. No more rest than there are places: what was needed for calls that nobody answers
// isn't kept.
func (s *scheduler) rest(w worker) {
	if len(s.crew.resting) < s.o.Concurrency {
		s.crew.resting = append(s.crew.resting, w)
	} else {
		close(w)
	}
}

// probe tries an endpoint.
func (s *scheduler) probe(ctx context.Context, a *attempt) {
	a.tries++
	a.last = better(a.last, a.run(ctx, &s.o, s.pacer))
	a.flight.finish()
	s.o.Journal.probing(-1)
	a.again = a.tries <= s.o.Retries && ctx.Err() == nil && transient(a.last, &s.o.Probe)
	a.call = callOf(a.last)
	if a.again {
		s.ended <- a
	} else {
		s.crew.done <- a
	}
}

// yield hands on what is made of a result. Those that wait for it are results still, of which nothing was made.
func (s *scheduler) yield(a *attempt) {
	made := s.mapped(a.result())
	a.last = nil
	s.out <- item{made: made}
	s.ended <- a
}
