package scan

import (
	"context"
	"errors"
	"iter"
	"net/netip"
	"time"

	"github.com/handclasp/handclasp/dialer"
	"github.com/handclasp/handclasp/probe"
)

// An Endpoint is one target and the prober to point at it.
type Endpoint struct {
	Target probe.Target
	Prober probe.Prober
	// ImplicitTLS says whether TLS is spoken from the first byte; Unknown leaves it to the port.
	ImplicitTLS probe.Fact
	TLS         probe.TLSMode // how far to ask for TLS; the zero value leaves it to the options
	Input       Input         // what it came from
	// Host numbers the addresses of the inputs, from 1 on over all inputs, a name counting as one; Address numbers what
	// a name resolved to, from 0 on. Endpoints is how many endpoints the address has, this one included. All are 0
	// if an endpoint was made by hand.
	Host, Address, Endpoints int

	position uint64 // in the journal
}

// EndpointOptions say which endpoints inputs stand for, and in which order. A nil *EndpointOptions and the zero value
// are the defaults.
type EndpointOptions struct {
	Resolver Resolver // nil means [net.DefaultResolver]
	// Seed picks the order. The same inputs and the same seed give the same order.
	Seed uint64
	// InOrder keeps the order of the inputs, and of the ports of each.
	InOrder bool
	// Spread shuffles all endpoints among each other. Without it those of a host come near each other, so that a host is done
	// soon after it is begun.
	Spread  bool
	Shard   Shard      // which part of the endpoints; the zero value is all
	Exclude *Exclusion // addresses to leave alone; nil for none
	// PublicOnly leaves alone addresses that aren't [dialer.Public]: loopback, private, link-local and the like, whether they
	// are written out, in a range, or what a name resolves to.
	PublicOnly bool
	Journal    *Journal // keeps the books; nil for none
	// Ports are where hosts without a port or a scheme are asked, those that no prober claims among them; nil means every
	// default port.
	Ports []uint16
	// NoDetection has ports that no prober claims refused, as inputs that can't be used, and the others asked by those that
	// claim them, whatever greets there.
	NoDetection bool
	// GreetingWait is how long to listen for a greeting on a port that no prober claims; zero or less is [detect.GreetingWait].
	GreetingWait time.Duration
}

func (o *EndpointOptions) orDefault() EndpointOptions {
	if o == nil {
		return EndpointOptions{}
	}
	return *o
}

// Endpoints understands inputs, resolves names and yields the endpoints; the probers are those that inputs may ask for.
//
// An input is a host, an address, a range ("192.0.2.0/24"), each with or without a port, or a URL whose scheme picks
// the prober ("ftps://ftp.example.net:2990"). Without a port, or a scheme, every default port of every prober is
// asked; with a port, the probers that live there. A name stands for all addresses that it resolves to; it is kept
// for SNI and certificates. A range stands for each of its addresses.
//
// If no prober lives on a port, a [detect.Detector] finds out who speaks there. It is the prober, too, if one that is a
// [detect.Recogniser] expects a server to speak first, in cleartext: whatever prober recognises the greeting goes on, and
// the expected one if none does. Behind a scheme the prober that it names is asked, whoever greets.
//
// The endpoints come in a pseudo-random order over addresses and ports, so that neither a network nor a host is asked
// all at once: addresses in groups of up to 64, and the endpoints of a group in an order of their own. The order is computed, not stored: memory doesn't grow with the number of endpoints. Inputs are shuffled
// together by 1024; those with Alone set, such as lines of a pipe, each by itself. Endpoints that two inputs stand for
// come twice.
//
// An input that can't be used is an [*InputError], before the endpoints of those that it would have been shuffled with,
// and the others go on. The sequence ends when ctx does. Breaking off
// waits for inputs to yield once more, so end ctx as well if they may block.
func Endpoints(ctx context.Context, inputs iter.Seq2[Input, error], probers []probe.Prober, o *EndpointOptions) iter.Seq2[Endpoint, error] {
	return func(yield func(Endpoint, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		g := newGenerator(ctx, probers, o.orDefault())
		go g.run(inputs)
		defer func() {
			cancel()
			for range g.queue { // until the goroutine has ended
			}
		}()
		for u := range g.queue {
			if u.lookup != nil {
				<-u.lookup.ready
			}
			if ctx.Err() != nil {
				return // an error would only say that the context ended
			}
			if !g.expand(ctx, u, yield) {
				return
			}
		}
	}
}

// expand yields what an upcoming slot stands for and reports whether to go on.
func (g *generator) expand(ctx context.Context, u upcoming, yield func(Endpoint, error) bool) bool {
	if u.err != nil {
		if !errors.Is(u.err, ErrResume) {
			g.journal.unusable()
		}
		return yield(Endpoint{Input: u.slot.from.input}, u.err)
	}
	if u.lookup == nil {
		if g.leavesAlone(u.slot.addr) || contains(u.done, u.slot.addr) {
			return true
		}
		return ctx.Err() == nil && yield(u.slot.endpoint(u.slot.addr, 0), nil)
	}
	if u.lookup.err != nil {
		g.journal.resolved(u.slot.position, 0)
		if u.slot.from.bad {
			return true
		}
		u.slot.from.bad = true
		g.journal.unusable()
		return yield(Endpoint{Input: u.slot.from.input}, &InputError{Input: u.slot.from.input, Err: u.lookup.err, Unresolved: u.lookup.name})
	}
	endpoints := make([]Endpoint, 0, len(u.lookup.addrs))
	for i, a := range u.lookup.addrs {
		if g.leavesAlone(a) || contains(u.done, a) {
			continue
		}
		endpoints = append(endpoints, u.slot.endpoint(a, i))
	}
	g.journal.resolved(u.slot.position, len(endpoints))
	for _, e := range endpoints {
		if ctx.Err() != nil || !yield(e, nil) {
			return false
		}
	}
	return true
}

func (s *slot) endpoint(a netip.Addr, number int) Endpoint {
	p := &s.from.plan
	return Endpoint{
		Target:      probe.Target{Network: s.service.network, Addr: netip.AddrPortFrom(a, s.service.port), Name: p.sni},
		Prober:      s.service.prober,
		ImplicitTLS: s.service.implicitTLS,
		Input:       s.from.input,
		Host:        int(s.number),
		Address:     number,
		Endpoints:   len(p.ports),
		position:    s.position,
	}
}

// leavesAlone reports whether an address isn't to be probed.
func (o *EndpointOptions) leavesAlone(a netip.Addr) bool {
	return o.Exclude.Holds(a) || o.PublicOnly && a.IsValid() && !dialer.Public(a)
}

func contains(addrs []netip.Addr, a netip.Addr) bool {
	for _, b := range addrs {
		if a == b {
			return true
		}
	}
	return false
}
