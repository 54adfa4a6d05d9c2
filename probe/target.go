package probe

import (
	"fmt"
	"net/netip"
)

// A Target is one endpoint. The caller resolves names; a session never does.
type Target struct {
	// Network is TCP if it is empty.
	Network Network `json:"network"`
	// Addr is a unicast address and a port from 1 to 65535.
	Addr netip.AddrPort `json:"addr"`
	// Name is the host name by which the address was found: it is sent as SNI, and certificates are matched with it.
	// Empty means that there is none, and that certificates can't be matched.
	Name string `json:"name"`
}

// String returns "192.0.2.7:21", with the name in front if there is one.
func (t Target) String() string {
	if t.Name != "" {
		return t.Name + " (" + t.Addr.String() + ")"
	}
	return t.Addr.String()
}

// ParseTarget parses "192.0.2.7:21" or "[2001:db8::7]:21" as a TCP target. It resolves no names.
func ParseTarget(addr string) (Target, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return Target{}, fmt.Errorf("target %q: want an IP address and a port, such as 192.0.2.7:21 or [2001:db8::7]:21", addr)
	}
	t := Target{Network: TCP, Addr: ap}.normal()
	return t, t.check()
}

// normal unmaps IPv4-mapped addresses, so that one host has one spelling.
func (t Target) normal() Target {
	if t.Network == "" {
		t.Network = TCP
	}
	t.Addr = netip.AddrPortFrom(t.Addr.Addr().Unmap(), t.Addr.Port())
	return t
}

func (t Target) check() error {
	a := t.Addr.Addr()
	host := a.WithZone("") // netip tells ::%eth0 from ::, which the network doesn't
	switch {
	case t.Network != TCP && t.Network != UDP:
		return fmt.Errorf("target %v: network %q is neither tcp nor udp", t.Addr, t.Network)
	case !a.IsValid():
		return fmt.Errorf("target has no address")
	case t.Addr.Port() == 0:
		return fmt.Errorf("target %v: port 0", a)
	case host.IsUnspecified(), host.IsMulticast(), host == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("target %v: not a unicast address", a)
	}
	return nil
}
