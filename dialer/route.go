// Package dialer makes connections by a way that the caller picks: through a SOCKS5 proxy, from an address, by a network
// interface. Its [Route] gives a [probe.DialFunc] for a single probe's [probe.Options] and for those of a scan.
package dialer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/handclasp/handclasp/probe"
)

// A Route says which way connections take. The zero value leaves it to the system.
type Route struct {
	// Proxy is a SOCKS5 proxy as a URL, "socks5://127.0.0.1:1080", with a user and a password if it wants them. Names
	// are resolved before it; it carries TCP only.
	Proxy string
	// Source is the address that connections come from, one of this machine's.
	Source netip.Addr
	// Interface is the network interface that they leave by. Linux binds them to it, or, if that isn't permitted,
	// they come from its address, as on other systems; which way they then take is up to the system's routes.
	Interface string
	// PublicOnly refuses connections to addresses that aren't [Public], with outcome forbidden: for programs whose targets
	// come from others, who might name what only this machine reaches. The proxy may be anywhere.
	PublicOnly bool
}

// ErrNoWay is matched by the error of a result for which another try is of no use: there is no way to the target.
var ErrNoWay = errors.New("no way")

// Dialer returns what makes connections by this way, for [probe.Options]; nil for the zero Route. It finds out first
// whether there is such a way, the proxy excepted.
func (r Route) Dialer() (probe.DialFunc, error) {
	if r == (Route{}) {
		return nil, nil
	}
	w := way{source: r.Source.Unmap()}
	if r.Interface != "" {
		if err := w.leaveBy(r.Interface); err != nil {
			return nil, err
		}
	}
	if w.source.IsValid() {
		c, err := net.ListenPacket("udp", net.JoinHostPort(w.source.String(), "0"))
		if err != nil {
			return nil, fmt.Errorf("source %v: it is no address of this machine", w.source)
		}
		_ = c.Close()
	}
	var dial probe.DialFunc = w.dial
	if r.Proxy != "" {
		var err error
		if dial, err = throughProxy(r.Proxy, w.dial); err != nil {
			return nil, err
		}
	}
	if r.PublicOnly {
		dial = publicOnly(dial)
	}
	return dial, nil
}

// A way is where connections come from.
type way struct {
	source  netip.Addr // if given
	control func(network, address string, c syscall.RawConn) error
	name    string       // of the interface
	addrs   []netip.Addr // of the interface, if sockets can't be bound to it
}

// leaveBy binds the way to an interface.
func (w *way) leaveBy(name string) error {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return fmt.Errorf("interface %q: there is none of this name: %s", name, interfaces())
	}
	if i.Flags&net.FlagUp == 0 {
		return fmt.Errorf("interface %q: it is down", name)
	}
	w.name = i.Name
	if w.control = bindTo(i.Name); w.control != nil || w.source.IsValid() {
		return nil
	}
	found, err := i.Addrs()
	if err != nil {
		return fmt.Errorf("interface %q: %w", name, err)
	}
	for _, a := range found {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			w.addrs = append(w.addrs, prefix.Addr().Unmap())
		}
	}
	if len(w.addrs) == 0 {
		return fmt.Errorf("interface %q: it has no address", name)
	}
	return nil
}

func interfaces() string {
	var names []string
	all, _ := net.Interfaces()
	for _, i := range all {
		names = append(names, i.Name)
	}
	return "there are " + strings.Join(names, ", ")
}

// from returns the address to come from for one to go to; an invalid one leaves it to the system.
func (w *way) from(to netip.Addr) (netip.Addr, error) {
	switch {
	case w.source.IsValid() && w.source.Is4() != to.Is4():
		return netip.Addr{}, fmt.Errorf("%w: the source address %v is of the other IP version", ErrNoWay, w.source)
	case w.source.IsValid(), len(w.addrs) == 0:
		return w.source, nil
	}
	best := slices.IndexFunc(w.addrs, func(a netip.Addr) bool {
		return a.Is4() == to.Is4() && a.IsLinkLocalUnicast() == to.IsLinkLocalUnicast()
	})
	if best < 0 {
		best = slices.IndexFunc(w.addrs, func(a netip.Addr) bool { return a.Is4() == to.Is4() })
	}
	if best < 0 {
		return netip.Addr{}, fmt.Errorf("%w: the interface %s has no address of the same IP version", ErrNoWay, w.name)
	}
	a := w.addrs[best]
	if a.Is6() && a.IsLinkLocalUnicast() {
		a = a.WithZone(w.name)
	}
	return a, nil
}

// dial is a [probe.DialFunc]; the proxy may be given by name.
func (w *way) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1, Control: w.control}
	if w.source.IsValid() || len(w.addrs) > 0 {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			if to, err = resolveProxy(ctx, address, w); err != nil {
				return nil, err
			}
			address = to.String()
		}
		from, err := w.from(to.Addr().Unmap())
		if err != nil {
			return nil, &probe.Error{Op: "dial", Outcome: probe.OutcomeUnreachable, Err: err}
		}
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
		if strings.HasPrefix(network, "udp") {
			d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
		}
	}
	return d.DialContext(ctx, network, address)
}

// resolveProxy returns the first of a proxy's addresses to which there is a way.
func resolveProxy(ctx context.Context, address string, w *way) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for _, a := range addrs {
		if _, err = w.from(a.Unmap()); err == nil {
			return netip.AddrPortFrom(a.Unmap(), uint16(number)), nil
		}
	}
	return netip.AddrPort{}, err
}
