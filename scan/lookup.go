package scan

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A Resolver looks names up. A [*net.Resolver] is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Names are looked up this many at once, ahead of their probes, and for no longer than this; and as many as namesKept
// are remembered, which is more than the inputs that are shuffled together, so that each is looked up once.
const (
	lookupsAhead = 32
	lookupTime   = 15 * time.Second
	namesKept    = 4096
)

// names looks names up, each once at a time, and remembers those that were asked for last.
type names struct {
	ctx      context.Context
	resolver Resolver
	slots    chan struct{}
	running  sync.WaitGroup
	known    map[string]*list.Element // of *lookup
	recent   list.List                // the last asked for in front
}

// A lookup is a name's addresses, once ready is closed.
type lookup struct {
	name  string
	ready chan struct{}
	addrs []netip.Addr
	err   error
}

func newNames(ctx context.Context, r Resolver) *names {
	if r == nil {
		r = net.DefaultResolver
	}
	return &names{ctx: ctx, resolver: r, slots: make(chan struct{}, lookupsAhead), known: map[string]*list.Element{}}
}

// get begins to look a name up, if it isn't known. It is used by one goroutine.
func (n *names) get(name string) *lookup {
	if e := n.known[name]; e != nil {
		n.recent.MoveToFront(e)
		return e.Value.(*lookup)
	}
	l := &lookup{name: name, ready: make(chan struct{})}
	n.known[name] = n.recent.PushFront(l)
	if n.recent.Len() > namesKept {
		oldest := n.recent.Remove(n.recent.Back()).(*lookup)
		delete(n.known, oldest.name)
	}
	select {
	case n.slots <- struct{}{}:
	case <-n.ctx.Done():
		l.err = n.ctx.Err()
		close(l.ready)
		return l
	}
	n.running.Go(func() {
		defer func() { <-n.slots }()
		defer close(l.ready)
		l.addrs, l.err = resolve(n.ctx, n.resolver, name)
	})
	return l
}

// resolve returns the addresses of a name that are of one host, each once, at least one if it returns no error.
func resolve(ctx context.Context, r Resolver, name string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	found, err := r.LookupNetIP(ctx, "ip", name)
	var addrs []netip.Addr
	seen := make(map[netip.Addr]bool)
	for _, a := range found {
		a = a.Unmap()
		if unicast(a) && !seen[a] {
			seen[a] = true
			addrs = append(addrs, a)
		}
	}
	if len(addrs) == 0 {
		return nil, lookupError(err)
	}
	return addrs, nil
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
