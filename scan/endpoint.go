package scan

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// An Endpoint is one target and the prober to point at it.
type Endpoint struct {
	Target probe.Target
	Prober probe.Prober
	// ImplicitTLS says whether TLS is spoken from the first byte; Unknown leaves it to the port.
	ImplicitTLS probe.Fact
	Input       Input // what it came from
	// Host numbers the addresses of an input, from 1 on over all inputs; Endpoints is how many endpoints the address
	// has, this one included. Both are 0 where an endpoint was made by hand.
	Host, Endpoints int
	// Address counts the addresses that a name resolved to, from 0 on.
	Address int
}

// A Resolver looks names up. A [*net.Resolver] is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Names are looked up this many at once, ahead of their probes, and for no longer than this.
const (
	lookupsAhead = 32
	lookupTime   = 15 * time.Second
)

// Endpoints understands inputs, resolves names and yields the endpoints, in the order of the inputs; the probers are
// those that inputs may ask for. A nil resolver means [net.DefaultResolver].
//
// An input is a host, an address, a range ("192.0.2.0/24"), each with or without a port, or a URL whose scheme picks
// the prober ("ftps://ftp.example.net:2990"). Without a port, or a scheme, every default port of every prober is
// asked; with a port, the probers that live there. A name stands for all addresses that it resolves to; it is kept
// for SNI and certificates. A range stands for each of its addresses, expanded as they are asked for.
//
// An input that can't be used is an [*InputError] in its place, and the others go on. The sequence ends when ctx does.
// Breaking off waits for inputs to yield once more, so end ctx as well where they may block.
func Endpoints(ctx context.Context, inputs iter.Seq2[Input, error], probers []probe.Prober, r Resolver) iter.Seq2[Endpoint, error] {
	if r == nil {
		r = net.DefaultResolver
	}
	return func(yield func(Endpoint, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		queue := plans(ctx, inputs, probers, r)
		defer func() {
			cancel()
			for job := range queue {
				<-job.ready
			}
		}()
		host := 0
		for job := range queue {
			<-job.ready
			if ctx.Err() != nil {
				return // an error would only say that the context ended
			}
			if job.err != nil {
				if !yield(Endpoint{Input: job.input}, job.err) {
					return
				}
				continue
			}
			if !job.expand(ctx, &host, yield) {
				return
			}
		}
	}
}

// A job is an input on its way to its endpoints.
type job struct {
	input Input
	plan  plan
	addrs []netip.Addr // of a name
	err   error
	ready chan struct{}
}

// plans parses the inputs and looks their names up ahead.
func plans(ctx context.Context, inputs iter.Seq2[Input, error], probers []probe.Prober, r Resolver) <-chan *job {
	queue := make(chan *job, lookupsAhead)
	go func() {
		defer close(queue)
		var lookups sync.WaitGroup
		defer lookups.Wait()
		for in, err := range inputs {
			j := &job{input: in, err: err, ready: make(chan struct{})}
			if err == nil {
				if j.plan, err = parse(in.Text, probers); err != nil {
					j.err = &InputError{Input: in, Err: err}
				}
			}
			if j.err != nil || j.plan.name == "" {
				close(j.ready)
			}
			select {
			case queue <- j:
			case <-ctx.Done():
				return
			}
			if j.err == nil && j.plan.name != "" {
				lookups.Go(func() {
					defer close(j.ready)
					j.lookup(ctx, r)
				})
			}
		}
	}()
	return queue
}

func (j *job) lookup(ctx context.Context, r Resolver) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	found, err := r.LookupNetIP(ctx, "ip", j.plan.name)
	seen := make(map[netip.Addr]bool)
	for _, a := range found {
		a = a.Unmap()
		if unicast(a) && !seen[a] {
			seen[a] = true
			j.addrs = append(j.addrs, a)
		}
	}
	if len(j.addrs) == 0 {
		j.err = &InputError{Input: j.input, Err: lookupError(err)}
	}
}

func lookupError(err error) error {
	var dns *net.DNSError
	switch {
	case err == nil:
		return errors.New("the name has no address of a host")
	case errors.As(err, &dns) && dns.IsNotFound:
		return errors.New("the name doesn't resolve: check its spelling, or give an address")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &dns) && dns.IsTimeout:
		return errors.New("the name servers don't answer: try again, or give an address")
	}
	return fmt.Errorf("the name can't be resolved: %w", err)
}

// expand yields a job's endpoints and reports whether to go on.
func (j *job) expand(ctx context.Context, host *int, yield func(Endpoint, error) bool) bool {
	addresses := j.plan.addresses
	if j.plan.name != "" {
		addresses = func(yield func(netip.Addr) bool) {
			for _, a := range j.addrs {
				if !yield(a) {
					return
				}
			}
		}
	}
	n := 0
	for a := range addresses {
		*host++
		for _, s := range j.plan.ports {
			e := Endpoint{
				Target: j.plan.target(a, s), Prober: s.prober, ImplicitTLS: s.implicitTLS, Input: j.input,
				Host: *host, Endpoints: len(j.plan.ports),
			}
			if j.plan.name != "" {
				e.Address = n
			}
			if ctx.Err() != nil || !yield(e, nil) {
				return false
			}
		}
		n++
	}
	return true
}
