package scan

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// A pacer knows when connections may be made.
type pacer struct {
	limiter *rate.Limiter // nil for no limit
	patient time.Duration // how long a connection of a probe that is under way may be held up

	mu          sync.Mutex
	hosts, nets turns
}

// Turns are when hosts, or networks, are called; mu of their pacer guards them.
type turns struct {
	spacing time.Duration
	taken   map[netip.Addr][]time.Time // in order; those that are over may be left out
}

func newTurns(spacing time.Duration) turns {
	return turns{max(0, spacing), map[netip.Addr][]time.Time{}}
}

// free returns the first time from at on that is far enough from all that are taken.
func (t *turns) free(a netip.Addr, at time.Time) time.Time {
	for _, taken := range t.taken[a] {
		if taken.Sub(at) >= t.spacing {
			break
		}
		if end := taken.Add(t.spacing); end.After(at) {
			at = end
		}
	}
	return at
}

// take takes a time.
func (t *turns) take(a netip.Addr, at, now time.Time) {
	over := func(taken time.Time) bool { return now.Sub(taken) >= t.spacing }
	list := slices.DeleteFunc(t.taken[a], over)
	i, _ := slices.BinarySearchFunc(list, at, time.Time.Compare)
	t.taken[a] = slices.Insert(list, i, at)
	if len(t.taken)%1024 == 0 {
		for a, list := range t.taken {
			if over(list[len(list)-1]) {
				delete(t.taken, a)
			}
		}
	}
}

// network returns the network that NetSpacing is about: what one site has at least.
func network(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 24
	}
	n, _ := a.Prefix(bits) // fails for no address alone
	return n
}

func newPacer(o *Options) *pacer {
	p := &pacer{hosts: newTurns(o.HostSpacing), nets: newTurns(o.NetSpacing), patient: o.Probe.Limits.Effective().Dial / 2}
	if o.Limiter != nil {
		p.limiter = o.Limiter.l
	} else if o.Rate > 0 {
		p.limiter = NewLimiter(o.Rate).l
	}
	return p
}

// spaces reports whether there is a time between two calls of a host or into a network.
func (p *pacer) spaces() bool { return p.hosts.spacing > 0 || p.nets.spacing > 0 }

// token returns when the next connection may be made. It is to be made then.
func (p *pacer) token(now time.Time) time.Time {
	if p.limiter == nil {
		return now
	}
	return now.Add(p.limiter.ReserveN(now, 1).DelayFrom(now))
}

// turn returns when a host may be called, from at on.
func (p *pacer) turn(host netip.Addr, at time.Time) time.Time {
	if !p.spaces() {
		return at
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.free(host, at)
}

// free is turn; p.mu is held.
func (p *pacer) free(host netip.Addr, at time.Time) time.Time {
	at = p.hosts.free(host, at)
	for p.nets.spacing > 0 {
		next := p.nets.free(network(host).Addr(), at)
		if next.Equal(at) {
			break
		}
		at = p.hosts.free(host, next)
	}
	return at
}

// call reports whether a host may be called now, and notes that it is.
func (p *pacer) call(host netip.Addr, now time.Time) bool {
	if !p.spaces() {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.free(host, now).Equal(now) {
		return false
	}
	p.take(host, now, now)
	return true
}

// reserve returns when a host may be called, from at on, and notes that it is called then.
func (p *pacer) reserve(host netip.Addr, at, now time.Time) time.Time {
	if !p.spaces() {
		return at
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	at = p.free(host, at)
	p.take(host, at, now)
	return at
}

func (p *pacer) take(host netip.Addr, at, now time.Time) {
	if p.hosts.spacing > 0 {
		p.hosts.take(host, at, now)
	}
	if p.nets.spacing > 0 {
		p.nets.take(network(host).Addr(), at, now)
	}
}

// A gate is what a probe passes before each connection.
type gate = func(ctx context.Context, to netip.AddrPort) error

// gate returns that of one probe, whose first connection was waited for already; behind it is another, which may be nil. The time
// that a further one is held up goes off its probe's, so it isn't held up for long: later probes wait for it instead. The rate
// holds on the whole, and a server that is in the middle of a conversation isn't kept waiting.
func (p *pacer) gate(host netip.Addr, behind gate) gate {
	if p.limiter == nil && !p.spaces() {
		return behind
	}
	var begun atomic.Bool
	return func(ctx context.Context, to netip.AddrPort) error {
		if begun.Swap(true) {
			now := time.Now()
			at := p.reserve(host, p.token(now), now)
			if err := sleep(ctx, min(at.Sub(now), p.patient)); err != nil {
				return err
			}
		}
		if behind == nil {
			return nil
		}
		return behind(ctx, to)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
