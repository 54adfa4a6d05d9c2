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
// A name counts as one address.
type block struct {
	inputs []*planned
	ends   []uint64 // ends[i] is the number of slots of inputs up to i
	start  uint64   // position of the first slot
	order  shuffle
}

func (b *block) size() uint64 {
	if len(b.ends) == 0 {
		return 0
	}
	return b.ends[len(b.ends)-1]
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

// slot returns the one at a position, which lies in the block.
func (b *block) slot(position uint64, inOrder bool) slot {
	i := position - b.start
	if !inOrder {
		i = b.order.at(i)
	}
	k := sort.Search(len(b.ends), func(k int) bool { return b.ends[k] > i })
	if k > 0 {
		i -= b.ends[k-1]
	}
	from := b.inputs[k]
	services := uint64(len(from.plan.ports))
	s := slot{position: position, from: from, service: from.plan.ports[i%services], number: from.first + i/services}
	if from.plan.name == "" {
		s.addr = from.plan.address(i / services)
	}
	return s
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
