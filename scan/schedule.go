package scan

import (
	"container/heap"
	"context"
	"iter"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/handclasp/handclasp/internal/calling"
	"github.com/handclasp/handclasp/probe"
)

// A scheduler decides which endpoint is probed when. It looks ahead over a bounded number of endpoints, so that one
// whose host is busy doesn't hold up others. Its state belongs to one goroutine.
type scheduler struct {
	o      Options
	window int // how many endpoints wait at most
	pacer  *pacer
	mapped func(Result) any // makes what is yielded
	out    chan item
	ended  chan *attempt
	crew   crew

	hosts   map[netip.Addr]*hostQueue // those with endpoints that wait or run
	ready   readyHosts                // an endpoint waits, and may begin
	later   sleepers
	waiting int // endpoints, those that are to be tried again included
	lanes   *lanes
	silence silence
	token   time.Time // when the next connection may be made; zero if that wasn't asked
}

// An attempt is an endpoint and how often it was tried.
type attempt struct {
	Endpoint
	turn  int // how many endpoints came before it
	tries int
	again bool          // it is to be tried once more
	last  *probe.Result // of the last try that learned something; nil once something was made of it
	call  call          // how the host took the last try
	brief bool          // most likely nobody is there

	flight *flight
	worker worker
}

// A hostQueue holds the endpoints of one address that wait, and the places of connections to it.
type hostQueue struct {
	addr    netip.Addr
	queue   []*attempt
	running int
	queued  bool        // it is among the ready, or sleeps
	turn    int         // that of the endpoint that waits longest, when it was queued so
	first   [1]*attempt // the memory of a queue of one

	free atomic.Int64 // places: an endpoint that runs has one, and more as it connects several times at once
}

// readyHosts is a heap whose first host has the endpoint that came first: were hosts taken by turns, none would be done before
// all are.
type readyHosts []*hostQueue

func (r readyHosts) Len() int           { return len(r) }
func (r readyHosts) Less(i, j int) bool { return r[i].turn < r[j].turn }
func (r readyHosts) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *readyHosts) Push(x any)        { *r = append(*r, x.(*hostQueue)) }
func (r *readyHosts) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}

// take takes up to n places and returns how many were free.
func (h *hostQueue) take(n int) int {
	for {
		free := h.free.Load()
		taken := min(int64(n), free)
		if h.free.CompareAndSwap(free, free-taken) {
			return int(taken)
		}
	}
}

func (h *hostQueue) give(n int) { h.free.Add(int64(n)) }

// A sleeper is a host, or an endpoint that is to be tried again, whose time is going to come.
type sleeper struct {
	at      time.Time
	host    *hostQueue
	attempt *attempt
}

type sleepers []sleeper

func (s sleepers) Len() int           { return len(s) }
func (s sleepers) Less(i, j int) bool { return s[i].at.Before(s[j].at) }
func (s sleepers) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *sleepers) Push(x any)        { *s = append(*s, x.(sleeper)) }
func (s *sleepers) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

func newScheduler(o Options, f func(Result) any) *scheduler {
	return &scheduler{
		o: o, window: min(max(2*o.Concurrency, 4*min(o.Dials, DefaultDials)), MaxConcurrency), pacer: newPacer(&o),
		mapped: f, out: make(chan item), ended: make(chan *attempt), crew: crew{done: make(chan *attempt)}, hosts: map[netip.Addr]*hostQueue{},
		lanes: newLanes(&o), silence: newSilence(),
	}
}

// feed takes endpoints as fast as there is room for them, in a goroutine of its own, and passes errors on.
func (s *scheduler) feed(ctx context.Context, endpoints iter.Seq2[Endpoint, error], in chan<- Endpoint) {
	defer close(in)
	for e, err := range endpoints {
		if err != nil {
			s.out <- item{err: err}
			continue
		}
		select {
		case in <- e:
		case <-ctx.Done():
			return
		}
	}
}

// run probes the endpoints. An endpoint's place is free again when its result was taken, which is what bounds memory
// when results are taken slowly.
func (s *scheduler) run(ctx context.Context, endpoints iter.Seq2[Endpoint, error]) {
	defer close(s.out)
	s.hire()
	defer s.dismiss()
	feed := make(chan Endpoint)
	go s.feed(ctx, endpoints, feed)
	timer := time.NewTimer(0)
	defer timer.Stop()
	in, end := feed, ctx.Done()
	for in != nil || s.waiting+s.silence.n+s.lanes.busy() > 0 {
		if end != nil {
			s.releaseHeld(in == nil)
			timer.Reset(s.launch(ctx))
		}
		source := in
		if s.waiting >= s.window && end != nil {
			source = nil
		}
		select {
		case e, ok := <-source:
			switch {
			case !ok:
				in = nil
			case end != nil:
				s.take(&attempt{Endpoint: e})
			}
		case a := <-s.ended:
			s.over(a)
		case <-timer.C:
		case <-end:
			end = nil
		}
		if end == nil {
			s.drop()
		}
	}
}

// drop gives up what waits. Of what was to be tried again, there is a result already.
func (s *scheduler) drop() {
	give := func(a *attempt) {
		if a.tries > 0 {
			s.out <- item{made: s.mapped(a.result())}
		}
	}
	for _, l := range s.later {
		if l.attempt != nil {
			give(l.attempt)
		}
	}
	for _, h := range s.hosts {
		for _, a := range h.queue {
			give(a)
		}
		h.queue = nil
	}
	s.later, s.ready, s.waiting, s.silence = nil, nil, 0, newSilence()
}

// releaseHeld queues endpoints that were held back and whose time has come, which is at the latest when all others are begun.
func (s *scheduler) releaseHeld(last bool) {
	for {
		due := s.silence.due(last)
		if due == nil {
			return
		}
		s.waiting += len(due)
		for _, a := range due {
			s.queue(a)
		}
	}
}

// take queues an endpoint that came, or holds it back.
func (s *scheduler) take(a *attempt) {
	a.turn = s.silence.fed
	s.silence.fed++
	if s.silence.suspects(a.Target.Addr.Addr()) {
		s.silence.hold(a)
		return
	}
	s.waiting++
	s.queue(a)
}

// idle is long enough if nothing waits for a time.
const idle = time.Hour

// launch begins whatever may begin now and returns how long to wait for the next.
func (s *scheduler) launch(ctx context.Context) time.Duration {
	now := time.Now()
	for len(s.later) > 0 && !s.later[0].at.After(now) {
		next := heap.Pop(&s.later).(sleeper)
		if next.attempt != nil {
			s.queue(next.attempt)
			continue
		}
		next.host.queued = false
		s.enrol(next.host)
	}
	for len(s.ready) > 0 && s.lanes.free(now) {
		if h := s.ready[0]; len(h.queue) == 0 { // what waited is held back
			h.queued = false
			heap.Pop(&s.ready)
			continue
		}
		if s.token.IsZero() {
			s.token = s.pacer.token(now)
		}
		if s.token.After(now) {
			break
		}
		h := heap.Pop(&s.ready).(*hostQueue)
		h.queued = false
		if h.take(1) == 0 { // what runs there has taken it meanwhile, and its end enrols the host again
			continue
		}
		if !s.pacer.call(h.addr, now) { // another of its network was called, or a probe has called it again
			h.give(1)
			s.enrol(h)
			continue
		}
		s.token = time.Time{}
		s.begin(ctx, h, now)
		s.enrol(h)
	}
	wait := idle
	if len(s.later) > 0 {
		wait = min(wait, s.later[0].at.Sub(now))
	}
	switch {
	case len(s.ready) == 0:
	case !s.lanes.free(now):
		wait = min(wait, s.lanes.wait(now))
	case !s.token.IsZero():
		wait = min(wait, s.token.Sub(now))
	}
	return wait
}

// queue puts an endpoint behind the others of its host.
func (s *scheduler) queue(a *attempt) {
	addr := a.Target.Addr.Addr()
	h := s.hosts[addr]
	if h == nil {
		h = &hostQueue{addr: addr}
		h.queue = h.first[:0]
		h.give(s.o.PerHost)
		s.hosts[addr] = h
	}
	h.queue = append(h.queue, a)
	s.enrol(h)
}

// enrol has a host wait for its turn, if one of its endpoints may begin now or at a time that is known.
func (s *scheduler) enrol(h *hostQueue) {
	if h.queued || len(h.queue) == 0 || h.free.Load() == 0 {
		return
	}
	h.queued = true
	if s.pacer.spaces() {
		now := time.Now()
		if turn := s.pacer.turn(h.addr, now); turn.After(now) {
			heap.Push(&s.later, sleeper{at: turn, host: h})
			return
		}
	}
	h.turn = h.queue[0].turn
	heap.Push(&s.ready, h)
}

// begin probes the endpoint that has waited longest for a host.
func (s *scheduler) begin(ctx context.Context, h *hostQueue, now time.Time) {
	a := h.queue[0]
	h.queue[0], h.queue = nil, h.queue[1:]
	h.running++
	s.waiting--
	a.flight = s.lanes.begin(now)
	a.flight.host = h
	s.o.Journal.probing(1)
	s.assign(ctx, a)
}

// over notes that a probe has ended.
func (s *scheduler) over(a *attempt) {
	now, h := time.Now(), a.flight.host
	s.lanes.end(a.flight, now)
	s.rest(a.worker)
	h.running--
	h.give(1)
	for _, held := range s.silence.note(a) {
		s.waiting++
		s.queue(held)
	}
	if s.silence.suspects(h.addr) && !a.brief {
		for _, waits := range h.queue {
			s.silence.hold(waits)
		}
		s.waiting -= len(h.queue)
		h.queue = nil
	}
	if a.again {
		s.waiting++
		heap.Push(&s.later, sleeper{at: now.Add(backoff(a.tries)), attempt: a})
	}
	s.enrol(h)
	if h.running == 0 && len(h.queue) == 0 {
		delete(s.hosts, h.addr)
	}
}

// run probes the endpoint.
func (a *attempt) run(ctx context.Context, o *Options, p *pacer) *probe.Result {
	if a.Target.Network != probe.UDP { // which calls nobody
		ctx = calling.With(ctx, a.flight)
	}
	return probe.Run(ctx, a.Prober, a.Target, a.options(o, p))
}

// options are those of the endpoint's probe. They aren't in the memory of run, which waits for the probe.
func (a *attempt) options(o *Options, p *pacer) *probe.Options {
	opts := o.Probe
	if a.brief {
		opts.Limits.Dial = min(opts.Limits.Effective().Dial, briefDial)
	}
	opts.Gate = p.gate(a.Target.Addr.Addr(), opts.Gate)
	if a.ImplicitTLS != probe.Unknown {
		opts.ImplicitTLS = a.ImplicitTLS
	}
	if a.TLS != "" {
		opts.TLS = a.TLS
	}
	return &opts
}

func (a *attempt) result() Result {
	return Result{Result: a.last, Endpoint: a.Endpoint, Attempts: a.tries, open: isOpen(a.last)}
}
