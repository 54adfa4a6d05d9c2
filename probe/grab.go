package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// Grab probes a target given as a host and a port, such as "192.0.2.7:21", "[2001:db8::7]:21" or "ftp.example.net:21", and
// returns the typed evidence, which is valid, if partial, beside an error. It is nil only if the prober's Spec makes none.
// The network is that of the prober's default port with the number, or of its first port if none has it.
// A name's addresses are called one after the other until one answers the call; all that is said is said to that one.
func Grab[E Evidence](ctx context.Context, p Prober, addr string, o *Options) (e E, err error) {
	spec, err := specOf(p)
	if err == nil && spec.Evidence != nil {
		e, _ = spec.Evidence().(E)
	}
	targets, err := lookup(ctx, addr)
	if err != nil {
		return e, err
	}
	var r *Result
	for _, t := range targets {
		t.Network = spec.network(t.Addr.Port())
		var failed *Error
		if r = Run(ctx, p, t, o); !errors.As(r.Err, &failed) || failed.Op != "dial" || ctx.Err() != nil {
			break
		}
	}
	if seen, ok := As[E](r); ok {
		e = seen
	}
	return e, r.Err
}

// lookup returns the targets that a host and a port stand for; at least one without an error.
func lookup(ctx context.Context, addr string) ([]Target, error) {
	if _, err := netip.ParseAddrPort(addr); err == nil {
		t, err := ParseTarget(addr)
		return []Target{t}, err
	}
	host, service, err := net.SplitHostPort(addr)
	port, notNumber := strconv.ParseUint(service, 10, 16)
	if err != nil || notNumber != nil || host == "" || port == 0 {
		return nil, &Error{Op: "target", Outcome: OutcomeForbidden, Err: fmt.Errorf("%q: want a host and a port, such as 192.0.2.7:21 or ftp.example.net:21", addr)}
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		o := OutcomeUnreachable
		if ctx.Err() != nil {
			o = OutcomeOf(ctx.Err())
		}
		return nil, &Error{Op: "lookup", Outcome: o, Err: err}
	}
	var targets []Target
	for _, ip := range ips {
		targets = append(targets, Target{Network: TCP, Addr: netip.AddrPortFrom(ip.Unmap(), uint16(port)), Name: host})
	}
	if targets == nil {
		return nil, Errorf("lookup", OutcomeUnreachable, "%s has no addresses", host)
	}
	return targets, nil
}

// network is the one on which a port is asked.
func (s Spec) network(port uint16) Network {
	if i := slices.IndexFunc(s.Ports, func(p Port) bool { return p.Number == port }); i >= 0 {
		return s.Ports[i].Network
	}
	if len(s.Ports) > 0 {
		return s.Ports[0].Network
	}
	return TCP
}
