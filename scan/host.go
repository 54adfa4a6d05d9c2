package scan

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// rangeBits bounds a range to 2^24 addresses, an IPv4 /8: months of work at a polite rate. Larger IPv4 ranges are
// mistakes, and an IPv6 subnet can't be swept at all.
const rangeBits = 24

// parseHost fills in whom the plan is about.
func (p *plan) parseHost(text string) error {
	if text == "" {
		return fmt.Errorf("the host is missing")
	}
	if strings.Contains(text, "/") {
		return p.parseRange(text)
	}
	if first, end, ok := spanOf(text); ok {
		return p.parseSpan(first, end)
	}
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap()
		p.zone = a.Zone()
		if strings.Contains(p.zone, ":") {
			return fmt.Errorf("%q isn't the name of an interface; with a port the address is written in brackets, as in [fe80::1%%eth0]:21", p.zone)
		}
		a = a.WithZone("")
		if !unicast(a) {
			return fmt.Errorf("%v isn't the address of one host: it is unspecified, multicast or broadcast", a)
		}
		p.hosts = netip.PrefixFrom(a, a.BitLen())
		return nil
	}
	return p.parseName(text)
}

// parseRange fills in a range. All of its addresses are probed, the first and the last included: a range needn't be a
// subnet, and inside of a larger one they are ordinary hosts. Bits behind the mask are ignored.
func (p *plan) parseRange(text string) error {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return fmt.Errorf("not a range: write an address and the number of its leading bits, such as 192.0.2.0/24 or 2001:db8::/120")
	}
	prefix = unmap(prefix)
	width := prefix.Addr().BitLen()
	if free := width - prefix.Bits(); free > rangeBits {
		holds := new(big.Int).Lsh(big.NewInt(1), uint(free))
		return fmt.Errorf("the range holds %v addresses: scan at most a /%d at once, or list the hosts", holds, width-rangeBits)
	}
	if !unicast(prefix.Addr()) || !unicast(last(prefix)) {
		return fmt.Errorf("the range holds addresses that aren't of one host: unspecified, multicast or broadcast")
	}
	p.hosts = prefix
	return nil
}

// spanOf takes "192.0.2.1-50" and "192.0.2.1-192.0.3.9" apart; false if the text isn't of that kind.
func spanOf(text string) (first netip.Addr, end string, ok bool) {
	before, end, ok := strings.Cut(text, "-")
	if !ok {
		return first, "", false
	}
	first, err := netip.ParseAddr(before)
	return first, end, err == nil && first.Is4()
}

// parseSpan fills in the addresses from the first to the last, which may be told by its last number alone.
func (p *plan) parseSpan(first netip.Addr, end string) error {
	b := first.As4()
	to, err := netip.ParseAddr(end)
	if n, err2 := strconv.ParseUint(end, 10, 8); err2 == nil {
		b[3] = byte(n)
		to, err = netip.AddrFrom4(b), nil
	}
	if err != nil || !to.Is4() {
		return fmt.Errorf("not a range: write the first and the last address, such as 192.0.2.1-192.0.3.9 or 192.0.2.1-50")
	}
	low, high := first.As4(), to.As4()
	from, until := binary.BigEndian.Uint32(low[:]), binary.BigEndian.Uint32(high[:])
	switch {
	case until < from:
		return fmt.Errorf("the range ends before it begins: write the smaller address first")
	case until-from >= 1<<rangeBits:
		return fmt.Errorf("the range holds %d addresses: scan at most %d at once, or list the hosts", until-from+1, 1<<rangeBits)
	case !unicast(first) || !unicast(to):
		return fmt.Errorf("the range holds addresses that aren't of one host: unspecified, multicast or broadcast")
	}
	p.hosts, p.span = netip.PrefixFrom(first, 32), uint64(until-from)+1
	return nil
}

// unmap gives a range one spelling.
func unmap(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

func unicast(a netip.Addr) bool {
	return !a.IsUnspecified() && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// last returns the last address of a range.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// parseName fills in a name. The checks are those of a host name (RFC 1123 §2.1), underscores being let through since
// they are in use.
func (p *plan) parseName(text string) error {
	name := strings.TrimSuffix(text, ".")
	if strings.Contains(name, ":") {
		return fmt.Errorf("not an IPv6 address; with a port it is written in brackets, as in [2001:db8::7]:21")
	}
	if !ascii(name) {
		punycode, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return fmt.Errorf("not a host name: %w", err)
		}
		text, name = punycode, punycode
	}
	name = strings.ToLower(name)
	labels := strings.Split(name, ".")
	if numeric(labels[len(labels)-1]) {
		return fmt.Errorf("not an IPv4 address: write four numbers from 0 to 255 without leading zeros, such as 192.0.2.7")
	}
	if len(name) > 253 {
		return fmt.Errorf("not a host name: it is longer than 253 characters")
	}
	for _, label := range labels {
		if err := checkLabel(label); err != nil {
			return err
		}
	}
	p.name, p.sni = text, name
	return nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// numeric reports whether a last label makes what it ends an address and not a name, as resolvers see it; some read
// hexadecimal and octal numbers too.
func numeric(label string) bool {
	digits, ok := strings.CutPrefix(label, "0x")
	set := "0123456789"
	if ok {
		set += "abcdef"
	}
	return label != "" && strings.Trim(digits, set) == ""
}

func checkLabel(label string) error {
	if label == "" || len(label) > 63 {
		return fmt.Errorf("not a host name: between its dots are 1 to 63 characters")
	}
	for _, c := range label {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_", c) {
			return fmt.Errorf("not a host name: it holds %q; a target is such as ftp.example.net, 192.0.2.7:21 or ftps://192.0.2.7", c)
		}
	}
	if label[0] == '-' || label[len(label)-1] == '-' {
		return fmt.Errorf("not a host name: %q begins or ends with a hyphen", label)
	}
	return nil
}
