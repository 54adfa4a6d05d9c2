package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/handclasp/handclasp/scan"
)

// A pact is what the coordinator lets a worker do for one scan: it holds for two thirds of a lease after it was asked.
type pact struct {
	lease   time.Duration
	limiter *scan.Limiter

	mu      sync.Mutex
	asked   time.Time
	rate    float64 // 0 for nothing yet; +Inf for no bound
	grown   string
	exclude *scan.Exclusion // what grown stands for
	ended   bool
}

func newPact(lease time.Duration) *pact {
	return &pact{lease: lease, limiter: scan.NewLimiter(0)}
}

// errUnheard says that a scan rests, without any shard's fault.
var errUnheard = errors.New("the coordinator can't be heard, or has no rate to give")

// holds reports whether connections may be made.
func (p *pact) holds() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.valid()
}

// valid is holds; p.mu is held.
func (p *pact) valid() bool { return !p.ended && p.rate > 0 && age(p.asked) <= sure(p.lease) }

// excludes reports whether an address was excluded since the scan began.
func (p *pact) excludes(a netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exclude.Holds(a)
}

// An asker hands a beat to the coordinator and returns what it says.
type asker func(ctx context.Context, b beat) (order, error)

// keep asks the coordinator again and again until ctx ends; most bounds the rate, zero doesn't.
func (p *pact) keep(ctx context.Context, ask asker, worker string, most float64) {
	for ; ctx.Err() == nil; _ = sleep(ctx, every) {
		asked := time.Now()
		once, cancel := context.WithTimeout(ctx, min(p.lease/6, time.Second))
		o, err := ask(once, beat{Worker: worker, Uses: p.uses(), Most: most, Grown: len(p.grown)})
		cancel()
		if err == nil {
			p.settle(ctx, o, asked, most)
		}
		if o.Ended {
			return
		}
	}
}

// uses is the share that the worker may use now; it is told so that the coordinator can give the rest to others.
func (p *pact) uses() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.valid() || math.IsInf(p.rate, 1) {
		return 0
	}
	return p.rate
}

// askBy returns how the coordinator of a scan is asked by a server.
func askBy(nc *nats.Conn, id string) asker {
	return func(ctx context.Context, b beat) (o order, err error) {
		data, err := json.Marshal(b)
		if err != nil {
			return o, err
		}
		m, err := nc.RequestWithContext(ctx, beatSubject(id), data)
		if err != nil {
			return o, err
		}
		return o, json.Unmarshal(m.Data, &o)
	}
}

// settle does as the coordinator says.
func (p *pact) settle(ctx context.Context, o order, asked time.Time, most float64) {
	exclude, grown := p.exclude, p.grown
	if o.More != "" {
		grown += o.More
		var err error
		if exclude, err = scan.Exclude(ctx, scan.Lines(ctx, "exclude", strings.NewReader(grown)), nobody{}); err != nil {
			return // and the pact runs out
		}
	}
	if len(grown) < o.Grown {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.ended, p.grown, p.exclude = asked, o.Ended, grown, exclude
	p.rate = math.Inf(1)
	if o.Bound {
		p.rate = o.Rate
	}
	bound := p.rate
	if most > 0 {
		bound = min(bound, most)
	}
	if math.IsInf(bound, 1) {
		bound = 0 // as a limiter says it
	}
	if p.rate > 0 {
		p.limiter.Set(bound)
	}
}

// watch calls stop once the pact doesn't hold.
func (p *pact) watch(ctx context.Context, stop func()) {
	for ; ctx.Err() == nil; _ = sleep(ctx, every/3) {
		if !p.holds() {
			stop()
			return
		}
	}
}
