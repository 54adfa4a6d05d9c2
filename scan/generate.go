package scan

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"iter"
	"net/netip"
	"strconv"

	"github.com/handclasp/handclasp/probe"
)

// A generator walks over the slots of a scan, in a goroutine of its own.
type generator struct {
	EndpointOptions
	ctx     context.Context
	journal *Journal
	parser  parser
	names   *names
	queue   chan upcoming

	inputs   uint64    // how many were gathered
	digest   hash.Hash // of them
	line     []byte    // what it is told of one
	hosts    uint64
	position uint64 // of the next block

	resume   State // where to go on; its zero value is the start
	replayed bool  // the inputs that the state had seen have come again
	left     []upcoming
}

// An upcoming slot is one on its way to its endpoints; or an error.
type upcoming struct {
	slot   slot
	lookup *lookup      // nil if there is no name
	done   []netip.Addr // of the name, before the scan was resumed
	err    error
}

func newGenerator(ctx context.Context, probers []probe.Prober, o EndpointOptions) *generator {
	return &generator{
		EndpointOptions: o, ctx: ctx, journal: o.Journal, parser: newParser(probers, &o), names: newNames(ctx, o.Resolver),
		queue: make(chan upcoming, lookupsAhead), digest: sha256.New(),
	}
}

// ErrResume is matched by errors that say why a scan can't be resumed.
var ErrResume = errors.New("the scan can't be resumed")

func (g *generator) run(inputs iter.Seq2[Input, error]) {
	defer close(g.queue)
	defer g.names.running.Wait()
	if err := g.Shard.check(); err != nil {
		g.send(upcoming{slot: slot{from: new(planned)}, err: err})
		return
	}
	if g.resume = g.journal.State(); g.journal != nil {
		if err := g.resume.Check(g.parser.probers, &g.EndpointOptions); err != nil {
			g.send(upcoming{slot: slot{from: new(planned)}, err: err})
			return
		}
	}
	g.journal.begin(orderOf(g.parser.probers, &g.EndpointOptions))
	g.replayed = g.resume.Inputs == 0
	b := g.newBlock()
	whole := true
	for in, err := range inputs {
		whole = whole && !cutShort(err)
		if !g.add(b, in, err) {
			return
		}
		if g.resume.Finished && g.inputs > g.resume.Inputs {
			g.changed()
			return
		}
		if in.Last || len(b.inputs) == together {
			if !g.emit(b) {
				return
			}
			b = g.newBlock()
		}
	}
	if len(b.inputs) > 0 && !g.emit(b) || g.ctx.Err() != nil {
		return
	}
	if !g.replayed {
		g.changed()
		return
	}
	if whole { // else the list may have more than could be read
		g.journal.finish()
	}
}

func (g *generator) newBlock() *block {
	if g.InOrder {
		return new(block)
	}
	return &block{shard: g.Shard}
}

// cutShort reports whether a list may hold more than could be read: an input that can't be used is one, and no reason to
// believe so.
func cutShort(err error) bool {
	if err == nil {
		return false
	}
	var one *InputError
	var unread *readError
	return !errors.As(err, &one) || errors.As(err, &unread)
}

// send reports whether to go on.
func (g *generator) send(u upcoming) bool {
	select {
	case g.queue <- u:
		return true
	case <-g.ctx.Done():
		return false
	}
}

// changed says that the inputs aren't those of the scan that is resumed.
func (g *generator) changed() bool {
	g.send(upcoming{slot: slot{from: new(planned)}, err: fmt.Errorf("%w: the first %d targets aren't those that it began with", ErrResume, g.resume.Inputs)})
	return false
}

// add puts an input into a block. What can't be used is said at once, unless it was before the scan was resumed.
func (g *generator) add(b *block, in Input, err error) bool {
	g.inputs++
	g.line = appendInput(g.line[:0], in, err == nil)
	_, _ = g.digest.Write(g.line)
	p := &planned{input: in, first: g.hosts + 1}
	if err == nil {
		if p.plan, err = g.parser.parse(in); err != nil {
			err = &InputError{Input: in, Err: err}
		}
	}
	end := b.addresses()
	if err != nil {
		p.err, p.plan = err, plan{}
		if g.inputs > g.resume.Inputs && !g.send(upcoming{slot: slot{from: p}, err: err}) {
			return false
		}
	} else {
		g.hosts += p.plan.addressCount()
		end += p.plan.share(b.shard).size
		b.width = max(b.width, uint64(len(p.plan.ports)))
	}
	b.inputs = append(b.inputs, p)
	b.ends = append(b.ends, end)
	return true
}

// appendInput appends what the digest of the inputs is told of one. States of scans depend on it: it mustn't change.
func appendInput(b []byte, in Input, usable bool) []byte {
	b = append(strconv.AppendQuote(b, in.Text), ' ')
	b = append(strconv.AppendQuote(b, in.Name), ' ')
	b = append(strconv.AppendBool(b, in.Last), ' ')
	return append(strconv.AppendBool(b, usable), '\n')
}

// emit sends a block's slots on their way, those that were done before the scan was resumed excepted.
func (g *generator) emit(b *block) bool {
	b.arrange(g.position, g.Seed, g.Spread)
	g.position += b.size()
	from := b.start
	if !g.replayed {
		g.recall(b)
		if g.inputs < g.resume.Inputs {
			return true
		}
		if g.inputs > g.resume.Inputs || fmt.Sprintf("%x", g.digest.Sum(nil)) != g.resume.Digest {
			return g.changed()
		}
		g.replayed = true
		from = max(from, g.resume.Next)
		for _, u := range g.left {
			if !g.dispatch(u) {
				return false
			}
		}
		g.left = nil
	}
	g.journal.gathered(g.inputs, g.digest)
	for position := from; position < g.position; position++ {
		s, ok := b.slot(position, g.InOrder)
		if !ok || !g.Shard.Holds(s.addr, s.from.plan.sharded()) {
			g.journal.pass(position, 0)
			continue
		}
		if g.leavesAlone(s.addr) {
			g.journal.pass(position, 1)
			continue
		}
		g.journal.issue(position)
		if !g.dispatch(upcoming{slot: s}) {
			return false
		}
	}
	return true
}

// recall keeps the slots of a block that were under way when the state was taken, until it is sure that the inputs are
// the same.
func (g *generator) recall(b *block) {
	for len(g.resume.Pending) > 0 && g.resume.Pending[0].Position < b.start+b.size() {
		p := g.resume.Pending[0]
		g.resume.Pending = g.resume.Pending[1:]
		if p.Position >= b.start {
			if s, ok := b.slot(p.Position, g.InOrder); ok {
				g.left = append(g.left, upcoming{slot: s, done: p.Done})
			}
		}
	}
}

// dispatch begins to look a slot's name up and sends it on its way.
func (g *generator) dispatch(u upcoming) bool {
	if name := u.slot.from.plan.name; name != "" {
		u.lookup = g.names.get(name)
	}
	return g.send(u)
}
