package probetest

import (
	"sync"
	"time"
)

// A pulse measures how late the machine lets goroutines run, so that its being busy isn't held against a prober.
type pulse struct {
	mu     sync.Mutex
	last   time.Time
	stolen time.Duration
	stop   func()
	ignore bool // no allowance is made
}

const beat = 5 * time.Millisecond

func startPulse() *pulse {
	p := &pulse{last: time.Now()}
	end := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticks := time.NewTicker(beat)
		defer ticks.Stop()
		for {
			select {
			case <-end:
				return
			case <-ticks.C:
				p.note()
			}
		}
	})
	p.stop = func() {
		close(end)
		running.Wait()
	}
	return p
}

// note adds up the time since the last beat that is more than one.
func (p *pulse) note() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if late := now.Sub(p.last) - 2*beat; late > 0 {
		p.stolen += late
	}
	p.last = now
	return p.stolen
}

// allowance is how much longer something may have taken than on an idle machine, since stolen was what note returned.
// What it does takes turns with others several times.
func (p *pulse) allowance(stolen time.Duration) time.Duration {
	const turns = 4
	if p.ignore {
		return 0
	}
	return turns * (p.note() - stolen)
}
