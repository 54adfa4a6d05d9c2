package scan

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// An Exclusion is a set of addresses that a scan leaves alone, whether they are written out, in a range, or what a
// name resolves to. A nil *Exclusion holds none.
type Exclusion struct {
	spans []span // in order, apart from each other
}

type span struct{ first, last netip.Addr }

// Exclude makes an Exclusion of addresses, ranges and names, each without a port. A name stands for the addresses that
// it resolves to now; nil means [net.DefaultResolver]. The first input that can't be used is an error, since the scan
// would touch what it shouldn't.
func Exclude(ctx context.Context, inputs iter.Seq2[Input, error], r Resolver) (*Exclusion, error) {
	if r == nil {
		r = net.DefaultResolver
	}
	x := new(Exclusion)
	for in, err := range inputs {
		if err != nil {
			return nil, err
		}
		if err := x.add(ctx, in.Text, r); err != nil {
			return nil, &InputError{Input: in, Err: err}
		}
	}
	x.merge()
	return x, nil
}

func (x *Exclusion) add(ctx context.Context, text string, r Resolver) error {
	host := text
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if host, ok = strings.CutSuffix(inner, "]"); !ok {
			return errNoPort
		}
	}
	if strings.Contains(text, "://") || strings.Count(host, ":") == 1 {
		return errNoPort
	}
	if prefix, err := netip.ParsePrefix(host); err == nil {
		prefix = unmap(prefix)
		x.spans = append(x.spans, span{prefix.Addr(), last(prefix)})
		return nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap().WithZone("")
		x.spans = append(x.spans, span{a, a})
		return nil
	}
	var p plan
	if err := p.parseHost(host); err != nil {
		return err
	}
	if p.span > 0 {
		x.spans = append(x.spans, span{p.hosts.Addr(), p.address(p.span - 1)})
		return nil
	}
	addrs, err := resolve(ctx, r, p.name)
	for _, a := range addrs {
		a = a.WithZone("")
		x.spans = append(x.spans, span{a, a})
	}
	return err
}

var errNoPort = errors.New("an exclusion is an address, a range or a name, without a port: all of a host is left alone")

// merge joins spans that overlap or touch.
func (x *Exclusion) merge() {
	slices.SortFunc(x.spans, func(a, b span) int { return a.first.Compare(b.first) })
	joined := x.spans[:0]
	for _, s := range x.spans {
		if n := len(joined) - 1; n >= 0 && joined[n].first.BitLen() == s.first.BitLen() &&
			(s.first.Compare(joined[n].last) <= 0 || joined[n].last.Next() == s.first) {
			if s.last.Compare(joined[n].last) > 0 {
				joined[n].last = s.last
			}
			continue
		}
		joined = append(joined, s)
	}
	x.spans = joined
}

// Holds reports whether an address is to be left alone.
func (x *Exclusion) Holds(a netip.Addr) bool {
	if x == nil || len(x.spans) == 0 {
		return false
	}
	a = a.Unmap().WithZone("")
	i, exact := slices.BinarySearchFunc(x.spans, a, func(s span, a netip.Addr) int { return s.first.Compare(a) })
	return exact || i > 0 && a.Compare(x.spans[i-1].last) <= 0
}

// digest names the set.
func (x *Exclusion) digest() string {
	if x == nil || len(x.spans) == 0 {
		return "none"
	}
	h := sha256.New()
	for _, s := range x.spans {
		fmt.Fprintf(h, "%v-%v\n", s.first, s.last)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// String returns the set as [Exclude] reads it: a range a line, such as 192.0.2.0/24, in order.
func (x *Exclusion) String() string {
	if x == nil {
		return ""
	}
	var b strings.Builder
	for _, s := range x.spans {
		for first := s.first; first.IsValid() && first.Compare(s.last) <= 0; {
			p := netip.PrefixFrom(first, first.BitLen())
			for p.Bits() > 0 { // as wide as fits
				wider := netip.PrefixFrom(first, p.Bits()-1)
				if wider.Masked() != wider || last(wider).Compare(s.last) > 0 {
					break
				}
				p = wider
			}
			fmt.Fprintln(&b, p)
			first = last(p).Next()
		}
	}
	return b.String()
}
