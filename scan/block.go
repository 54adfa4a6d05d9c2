package scan

import (
	"encoding/binary"
	"net/netip"
	"sort"
)

// Inputs are shuffled together by as many; a list that is longer is scanned piece by piece, so that memory doesn't grow
// with it. A pipe's lines aren't held back for others. States of scans depend on it: it mustn't change.
const together = 1024

// A planned input is what it asks for, or why it can't be used.
type planned struct {
	input Input
	plan  plan
	err   error  // an error of the inputs', or the input's own
	first uint64 // the number of its first host, from 1 on
	bad   bool   // its name didn't resolve, and that was said
}

// A block is inputs that are shuffled together: an index space of (address, service) pairs, of which none is stored.
// A name counts as one address. Each address has as many positions as the one with the most services: those that are left
// over stand for nothing. Of a shard's, the addresses are those that it looks at ([plan.share]).
//
// Addresses come in groups, and the pairs of a group among each other, so that a host's endpoints are near and yet not all
// at once.
type block struct {
	inputs []*planned
	ends   []uint64 // ends[i] is the number of addresses of inputs up to i
	shard  Shard    // whose addresses these are, if it can do without the others'; else the zero value
	width  uint64   // the most services of an address
	start  uint64   // the first position
	group  uint64   // how many addresses come together
	seed   uint64
	order  shuffle // of the addresses
}

// closeHosts is the most addresses that come together: as many as are probed at once by default.
const closeHosts = DefaultConcurrency

func (b *block) addresses() uint64 {
	if len(b.ends) == 0 {
		return 0
	}
	return b.ends[len(b.ends)-1]
}

func (b *block) size() uint64 { return b.addresses() * b.width }

// arrange fixes the order of the block that begins at a position. A group is a sixteenth of the addresses at most, so that the
// first hosts are done early in a small scan, too.
func (b *block) arrange(start, seed uint64, spread bool) {
	n := b.addresses()
	b.start, b.seed, b.order = start, seed, newShuffle(n, seed, start)
	b.group = min(max(n/16, 1), closeHosts)
	if spread {
		b.group = max(n, 1)
	}
}

// A slot is one (address, service) pair of the scan: one endpoint, or, if the address is a name, one for each of
// the name's addresses.
type slot struct {
	position uint64
	from     *planned
	number   uint64     // of the host
	addr     netip.Addr // if there is no name
	service  service
}

// slot returns the one at a position, which lies in the block; false if the position stands for nothing.
func (b *block) slot(position uint64, inOrder bool) (slot, bool) {
	i := position - b.start
	address, service := i/b.width, i%b.width
	if !inOrder {
		first := address / b.group * b.group
		n := min(b.group, b.addresses()-first) * b.width
		pairs := newShuffle(n, b.seed, b.start+first*b.width+1)
		i = pairs.at(i - first*b.width)
		address, service = b.order.at(first+i/b.width), i%b.width
	}
	k := sort.Search(len(b.ends), func(k int) bool { return b.ends[k] > address })
	if k > 0 {
		address -= b.ends[k-1]
	}
	from := b.inputs[k]
	if service >= uint64(len(from.plan.ports)) {
		return slot{}, false
	}
	address, ok := from.plan.pick(b.shard, address)
	if !ok {
		return slot{}, false
	}
	s := slot{position: position, from: from, service: from.plan.ports[service], number: from.first + address}
	if from.plan.name == "" {
		s.addr = from.plan.address(address)
	}
	return s, true
}

// address returns the n-th of the plan's range.
func (p plan) address(n uint64) netip.Addr {
	a := p.hosts.Addr()
	if n == 0 {
		return a.WithZone(p.zone)
	}
	if a.Is4() {
		b := a.As4()
		binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+uint32(n))
		return netip.AddrFrom4(b)
	}
	b := a.As16() // a range has at most 2^24 addresses, and begins at a multiple of their number: nothing is carried
	binary.BigEndian.PutUint64(b[8:], binary.BigEndian.Uint64(b[8:])+n)
	return netip.AddrFrom16(b)
}
