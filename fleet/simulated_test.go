package fleet

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// A flaw is what is wrong with a simulated server on purpose.
type flaw string

const (
	sound     flaw = ""
	twice     flaw = "offers a shard to two workers, and doesn't say that another has it"
	unfenced  flaw = "doesn't check which progress a commit replaces"
	forgetful flaw = "doesn't say how far a shard has come"
	unspaced  flaw = "doesn't say that somebody has just given a shard back"
)

// A depot is a simulated server: shards that wait, how far they have come, and results. world.mu guards it.
type depot struct {
	flaw   flaw
	scan   *Scan
	fresh  int   // shards from this one on weren't offered yet
	again  []int // given back, or not renewed in time
	out    map[int]time.Time
	done   map[int]bool
	stored map[int]stored
	last   uint64 // sequence
	buried int
}

type stored struct {
	progress progress
	sequence uint64
}

func newDepot(s *Scan, f flaw) depot {
	return depot{flaw: f, scan: s, fresh: 1, out: map[int]time.Time{}, done: map[int]bool{}, stored: map[int]stored{}}
}

// offer returns a shard that waits, 0 for none: what was offered before comes first.
func (d *depot) offer(now time.Time) int {
	for shard, until := range d.out {
		if now.After(until) {
			d.putBack(shard)
		}
	}
	slices.Sort(d.again)
	shard := 0
	switch {
	case len(d.again) > 0:
		shard, d.again = d.again[0], d.again[1:]
	case d.fresh <= d.scan.Shards:
		shard = d.fresh
		d.fresh++
	default:
		return 0
	}
	if _, ok := d.stored[shard]; d.flaw == twice && !ok {
		d.again = append(d.again, shard)
	}
	d.out[shard] = now.Add(d.scan.Lease)
	return shard
}

// renew is for whoever has the shard: the server doesn't know who asks.
func (d *depot) renew(shard int, now time.Time) {
	if _, ok := d.out[shard]; ok {
		d.out[shard] = now.Add(d.scan.Lease)
	}
}

func (d *depot) putBack(shard int) {
	delete(d.out, shard)
	if !d.done[shard] && !slices.Contains(d.again, shard) {
		d.again = append(d.again, shard)
	}
}

// read returns a shard's progress as a worker is told it.
func (d *depot) read(shard int, worker string, claimed bool) stored {
	s := d.stored[shard]
	switch d.flaw {
	case twice:
		if s.progress.Worker = ""; claimed {
			s.progress.Worker = worker
		}
	case forgetful:
		s.progress.Scan = nil
	case unspaced:
		if s.progress.Worker == "" {
			s.sequence = 0
		}
	}
	return s
}

// commit replaces a shard's progress and returns the sequence of the new one; 0 if it isn't the one that the worker knows.
func (d *depot) commit(shard int, p progress, last uint64) uint64 {
	is := d.stored[shard]
	if d.flaw == unspaced && last == 0 && is.progress.Worker == "" {
		last = is.sequence
	}
	if is.sequence != last && d.flaw != unfenced {
		return 0
	}
	d.last++
	d.stored[shard] = stored{p, d.last}
	return d.last
}

// bury gives a shard up, and has it wait again as [Client.Retry] does.
func (d *depot) bury(shard int) {
	d.buried++
	s := d.stored[shard]
	s.progress.Fails = 0
	s.progress.Commit++
	d.last++
	d.stored[shard] = stored{s.progress, d.last}
	d.putBack(shard)
}

// A process is a worker that the world runs: all that it has to do with others goes through it.
type process struct {
	*world
	name    string
	stop    context.CancelFunc
	died    chan struct{}
	claimed map[int]bool // shards

	// world.mu guards these.
	dead bool
	cut  time.Time // until then nothing comes through to the server or from there
}

var errDead = errors.New("the process was killed")

// transit is how long a message takes to the server or from there.
func (p *process) transit() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, time.Until(p.cut)) + time.Duration(1+p.random.IntN(20))*time.Millisecond
}

// travel waits as long as a message takes.
func (p *process) travel(ctx context.Context) error {
	t := time.NewTimer(p.transit())
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-p.died:
		return errDead
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// send has the server do something when the message is there, whatever has become of the worker by then.
func (p *process) send(do func(*depot)) {
	time.AfterFunc(p.transit(), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		do(&p.depot)
	})
}

// call has the server do something, and returns its answer.
func call[T any](ctx context.Context, p *process, do func(*depot) T) (answer T, err error) {
	p.mu.Lock()
	dead := p.dead
	p.mu.Unlock()
	if dead {
		return answer, errDead
	}
	if ctx.Err() != nil {
		return answer, context.Cause(ctx)
	}
	there := make(chan T, 1)
	p.send(func(d *depot) { there <- do(d) })
	select {
	case answer = <-there:
		return answer, p.travel(ctx)
	case <-p.died:
		return answer, errDead
	case <-ctx.Done():
		return answer, context.Cause(ctx)
	}
}

func (p *process) offer(ctx context.Context, _, _ string) (ticket, error) {
	shard, err := call(ctx, p, func(d *depot) int { return d.offer(time.Now()) })
	if err != nil || shard == 0 {
		return nil, err
	}
	return &pass{p, shard}, nil
}

func (p *process) read(ctx context.Context, u unit) (progress, uint64, error) {
	is, err := call(ctx, p, func(d *depot) stored { return d.read(u.shard, p.name, p.claimed[u.shard]) })
	return is.progress, is.sequence, err
}

func (p *process) commit(ctx context.Context, u unit, results lot, is progress, last uint64) (uint64, error) {
	sequence, err := call(ctx, p, func(d *depot) uint64 {
		sequence := d.commit(u.shard, is, last)
		if is.Fails < 0 {
			p.wrong("%v has gone well more often than it was taken", u)
		}
		if sequence > 0 {
			p.claimed[u.shard] = true
			p.count(u, results)
		}
		return sequence
	})
	if err == nil && sequence == 0 {
		err = errLost
	}
	return sequence, err
}

func (p *process) largest() int { return maxPayload }

// ask is how a beat reaches the coordinator.
func (p *process) ask(ctx context.Context, b beat) (o order, err error) {
	if err := p.travel(ctx); err != nil {
		return o, err
	}
	p.mu.Lock()
	c := p.coordinator
	p.mu.Unlock()
	c.mu.Lock()
	o, known := c.answer(p.scan.ID, b)
	c.mu.Unlock()
	if !known {
		return o, errors.New("the coordinator doesn't know the scan")
	}
	return o, p.travel(ctx)
}

// dial calls an endpoint: most refuse, and to some there is no way.
func (p *process) dial(ctx context.Context, _, address string) (net.Conn, error) {
	to := netip.MustParseAddrPort(address)
	p.mu.Lock()
	if p.dead {
		p.mu.Unlock()
		return nil, errDead
	}
	p.called(p.name, to)
	takes := time.Duration(1+p.random.IntN(10)) * 10 * time.Millisecond
	p.mu.Unlock()
	if err := sleep(ctx, takes); err != nil {
		return nil, err
	}
	why := syscall.ECONNREFUSED
	if host := to.Addr().As4(); host[3]%64 == 63 {
		why = syscall.EHOSTUNREACH
	}
	return nil, &net.OpError{Op: "dial", Err: why}
}

// refused is what all say that are asked by askAtOnce.
var refused = &probe.Result{Outcome: probe.OutcomeRefused}

// askAtOnce asks as many endpoints as the worker's share of the rate allows, each time that their hosts may be called again: it stands in
// for package scan and for what it says of each endpoint, which take most of the time.
func (p *process) askAtOnce(r *shardRun, ctx context.Context, endpoints iter.Seq2[scan.Endpoint, error]) error {
	next, stop := iter.Pull2(endpoints)
	defer stop()
	var waiting, asked []scan.Endpoint
	for more := true; more || len(waiting) > 0; {
		if ctx.Err() != nil || !r.may() {
			return nil
		}
		n := max(1, int(r.job.pact.uses()*p.scan.HostSpacing.Seconds()))
		if waiting, more = choose(&asked, waiting, next, n); !p.callAll(asked) {
			return errDead
		}
		if sleep(ctx, p.scan.HostSpacing) != nil {
			return nil
		}
		for _, e := range asked {
			line := append(e.Target.Addr.AppendTo([]byte(`{"addr":"`)), `"}`...)
			r.done <- done{result: scan.Result{Result: refused, Endpoint: e}, line: line}
		}
	}
	return nil
}

// choose takes up to n endpoints of different hosts, of those that wait first, and returns which wait then; false if no more come.
func choose(chosen *[]scan.Endpoint, waiting []scan.Endpoint, next func() (scan.Endpoint, error, bool), n int) (wait []scan.Endpoint, more bool) {
	hosts := map[netip.Addr]bool{}
	*chosen = (*chosen)[:0]
	take := func(e scan.Endpoint) {
		if a := e.Target.Addr.Addr(); len(*chosen) < n && !hosts[a] {
			hosts[a] = true
			*chosen = append(*chosen, e)
		} else {
			wait = append(wait, e)
		}
	}
	for _, e := range waiting {
		take(e)
	}
	for more = true; more && len(*chosen) < n; {
		e, err, ok := next()
		if more = ok && err == nil; more {
			take(e)
		}
	}
	return wait, more
}

func (p *process) callAll(endpoints []scan.Endpoint) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range endpoints {
		if p.dead {
			return false
		}
		p.called(p.name, e.Target.Addr)
	}
	return !p.dead
}

// A pass is a ticket.
type pass struct {
	*process
	shard int
}

func (p *pass) unit() unit { return unit{p.scan.ID, anywhere, p.shard} }

func (p *pass) renew() error {
	p.send(func(d *depot) { d.renew(p.shard, time.Now()) })
	return nil
}

func (p *pass) done(ctx context.Context) error {
	return p.confirmed(ctx, func(d *depot) {
		d.done[p.shard] = true
		delete(d.out, p.shard)
		p.ended()
	})
}

func (p *pass) giveBack(ctx context.Context) error {
	return p.confirmed(ctx, func(d *depot) { d.putBack(p.shard) })
}

func (p *pass) bury(ctx context.Context, _ string) error {
	return p.confirmed(ctx, func(d *depot) { d.bury(p.shard) })
}

func (p *pass) confirmed(ctx context.Context, do func(*depot)) error {
	_, err := call(ctx, p.process, func(d *depot) struct{} { do(d); return struct{}{} })
	return err
}

// endpointOf reads from a result which endpoint it is of.
func endpointOf(line []byte) (netip.AddrPort, error) {
	_, rest, _ := bytes.Cut(line, []byte(`"addr":"`))
	text, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("no address: %s", line)
	}
	return netip.ParseAddrPort(string(text))
}

// address returns the n-th.
func address(n int) netip.Addr {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], 10<<24+uint32(n))
	return netip.AddrFrom4(a)
}

// number returns an endpoint's among those of the world, which are at 10.0.0.0 and behind.
func (w *world) number(to netip.AddrPort) (host, port int) {
	a := to.Addr().As4()
	a[0] -= 10
	return int(binary.BigEndian.Uint32(a[:])), slices.Index(w.scan.Ports, to.Port())
}
