package finding

import (
	"cmp"
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// An Endpoint is what two scans have in common: what was asked for, and from where. Its addresses, if it has a name, and
// what is spoken there are facts about it, and may change.
type Endpoint struct {
	Host    string        `json:"host"` // the name that was asked for, or the address if none was
	Network probe.Network `json:"network"`
	Port    uint16        `json:"port"`
	Vantage string        `json:"vantage"` // from where the scan was made, as its header says; empty for one place
}

// EndpointOf returns the endpoint of a target that was asked from a vantage.
func EndpointOf(t probe.Target, vantage string) Endpoint {
	host := t.Name
	if host == "" {
		host = t.Addr.Addr().Unmap().String()
	}
	return Endpoint{strings.ToLower(host), cmp.Or(t.Network, probe.TCP), t.Addr.Port(), vantage}
}

// String returns "192.0.2.7:21", "files.example.net:137/udp" or "192.0.2.7:21 from berlin".
func (e Endpoint) String() string {
	text := net.JoinHostPort(e.Host, strconv.Itoa(int(e.Port)))
	if e.Network == probe.UDP {
		text += "/udp"
	}
	if e.Vantage != "" {
		text += " from " + e.Vantage
	}
	return text
}

// AppendBinary implements [encoding.BinaryAppender]: what it appends is the same for the same endpoints alone. It never fails.
func (e Endpoint) AppendBinary(b []byte) ([]byte, error) {
	for _, text := range []string{e.Host, string(e.Network), e.Vantage} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return binary.BigEndian.AppendUint16(b, e.Port), nil
}

// endpointFrom reads what AppendBinary wrote.
func endpointFrom(text string) Endpoint {
	u := &unpacker{rest: text}
	e := Endpoint{Host: u.text(), Network: probe.Network(u.text()), Vantage: u.text()}
	e.Port = uint16(u.rest[0])<<8 | uint16(u.rest[1])
	return e
}

// addr returns the address that was asked for; not valid if that was a name.
func (e Endpoint) addr() netip.Addr {
	a, err := netip.ParseAddr(e.Host)
	if err != nil {
		return netip.Addr{}
	}
	return a
}

// target returns the endpoint as a target. One of a name has no address.
func (e Endpoint) target() probe.Target {
	t := probe.Target{Network: e.Network, Addr: netip.AddrPortFrom(e.addr(), e.Port)}
	if !t.Addr.Addr().IsValid() {
		t.Name = e.Host
	}
	return t
}

// WholeGroup is the group of all endpoints; see [Endpoint.Groups].
const WholeGroup = "all"

// Groups returns the groups in which the endpoint may be lost from sight together with others: its /24, or /64 of IPv6, or
// the domain of its name; and all.
func (e Endpoint) Groups() []string {
	if a := e.addr(); a.IsValid() {
		bits := 64
		if a.Is4() {
			bits = 24
		}
		p, _ := a.WithZone("").Prefix(bits) // fits the address
		return []string{p.String(), WholeGroup}
	}
	domain := e.Host
	if _, parent, ok := strings.Cut(domain, "."); ok && strings.Contains(parent, ".") {
		domain = parent
	}
	return []string{domain, WholeGroup}
}
