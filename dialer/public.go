package dialer

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// notPublic are the ranges, beside those that netip knows, that lead into a network of one's own.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),     // this network (RFC 791 §3.2); systems take it for themselves
	netip.MustParsePrefix("100.64.0.0/10"), // shared address space behind a provider's NAT (RFC 6598)
	netip.MustParsePrefix("fec0::/10"),     // site-local, as it once was (RFC 3879)
}

// carriers are ranges of IPv6 whose addresses hold one of IPv4, and at which byte.
var carriers = []struct {
	netip.Prefix
	at int
}{
	{netip.MustParsePrefix("::/96"), 12},        // IPv4-compatible (RFC 4291 §2.5.5.1)
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64 (RFC 6052 §2.1)
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4 (RFC 3056 §2)
}

// Public reports whether an address is neither loopback, private (RFC 1918, RFC 4193), shared, link-local, unspecified nor
// multicast, and doesn't stand for one that is: a service there belongs to whoever is asking, or to their provider. It is
// false for no address.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return false
	}
	for _, c := range carriers {
		if b := a.As16(); a.Is6() && c.Contains(a) {
			return Public(netip.AddrFrom4([4]byte(b[c.at : c.at+4])))
		}
	}
	return true
}

// publicOnly refuses connections to addresses that aren't public.
func publicOnly(dial probe.DialFunc) probe.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !Public(to.Addr()) {
			return nil, probe.Errorf("dial", probe.OutcomeForbidden, "%s isn't public", address)
		}
		return dial(ctx, network, address)
	}
}
