package scan

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/handclasp/handclasp/probe"
)

// A pacer knows when connections may be made.
type pacer struct {
	limiter *rate.Limiter // nil for no limit
	spacing time.Duration
	patient time.Duration // how long a connection of a probe that is under way may be held up

	mu   sync.Mutex
	next map[netip.Addr]time.Time // when a host's turn comes again; hosts whose time has come may be left out
}

func newPacer(o *Options) *pacer {
	p := &pacer{spacing: max(0, o.HostSpacing), patient: o.Probe.Limits.Effective().Dial / 2}
	if o.Limiter != nil {
		p.limiter = o.Limiter.l
	} else if o.Rate > 0 {
		p.limiter = NewLimiter(o.Rate).l
	}
	if p.spacing > 0 {
		p.next = map[netip.Addr]time.Time{}
	}
	return p
}

// token returns when the next connection may be made. It is to be made then.
func (p *pacer) token(now time.Time) time.Time {
	if p.limiter == nil {
		return now
	}
	return now.Add(p.limiter.ReserveN(now, 1).DelayFrom(now))
}

// turn returns when a host may be called again.
func (p *pacer) turn(host netip.Addr) time.Time {
	if p.spacing == 0 {
		return time.Time{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next[host]
}

// called notes that a host is called at a time, and returns when that is: later, if its turn hasn't come.
func (p *pacer) called(host netip.Addr, at time.Time) time.Time {
	if p.spacing == 0 {
		return at
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if next := p.next[host]; next.After(at) {
		at = next
	}
	p.next[host] = at.Add(p.spacing)
	if len(p.next)%1024 == 0 {
		for h, next := range p.next {
			if next.Before(at) {
				delete(p.next, h)
			}
		}
	}
	return at
}

// dial returns a dialer for one probe, whose first connection was waited for already. The time that a further one is
// held up goes off its probe's, so it isn't held up for long: later probes wait for it instead. The rate holds on the
// whole, and a server that is in the middle of a conversation isn't kept waiting.
func (p *pacer) dial(host netip.Addr, o *probe.Options) probe.DialFunc {
	if p.limiter == nil && p.spacing == 0 {
		return o.Dial
	}
	dial := o.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: o.Limits.Effective().Dial, KeepAlive: -1}).DialContext
	}
	var first sync.Once
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		paid := false
		first.Do(func() { paid = true })
		if !paid {
			now := time.Now()
			at := p.called(host, p.token(now))
			if err := sleep(ctx, min(at.Sub(now), p.patient)); err != nil {
				return nil, err
			}
		}
		return dial(ctx, network, address)
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
