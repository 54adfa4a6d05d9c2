package scan

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Addresses are dealt out to shards like cards. Those of a chunk, a range of 2^bits addresses, are shuffled the same way everywhere,
// and dealt in turn, beginning with a shard that the chunk's number decides. So which shard holds an address is known from the
// address alone, and those that a shard holds of a chunk are computed without a look at the others'.
//
// States of scans hold positions in this order, so that it mustn't change.
type deal struct {
	count uint64
	index uint64 // from 0 on
	bits  uint   // of a chunk
	nets  bool   // networks are dealt, and not addresses
}

// cut returns an address, or its network if those are dealt, as two numbers: an IPv4 network is a /24, and one of IPv6 the upper half.
func (d deal) cut(a netip.Addr) (high, low uint64) {
	high, low = halves(a)
	if !d.nets {
		return high, low
	}
	return high, low >> (a.BitLen() - network(a).Bits())
}

// A chunk is eight times as large as there are shards, so that hardly any is dealt more than others.
const (
	chunkSpare   = 3
	minChunkBits = 8
)

func (s Shard) deal() deal {
	count := uint64(s.Count)
	return deal{count, uint64(s.Index - 1), max(minChunkBits, uint(bits.Len64(count-1))+chunkSpare), s.Networks}
}

// unGolden is the inverse of golden modulo 2^64.
const unGolden = 0xf1de83e19937733d

func (d deal) mask() uint64 { return 1<<d.bits - 1 }

// shuffled returns the card that an address of a chunk is, and unshuffled is its inverse.
func (d deal) shuffled(x uint64) uint64 {
	x = x * golden & d.mask()
	x ^= x >> ((d.bits + 1) / 2)
	return x * golden & d.mask()
}

func (d deal) unshuffled(x uint64) uint64 {
	x = x * unGolden & d.mask()
	x ^= x >> ((d.bits + 1) / 2)
	return x * unGolden & d.mask()
}

// begin returns which shard has the first card of a chunk; high is what the address has above 64 bits.
func (d deal) begin(high, chunk uint64) uint64 { return mix(mix(high)^chunk+golden) % d.count }

// first returns the shard's first card of a chunk.
func (d deal) first(high, chunk uint64) uint64 {
	return (d.index + d.count - d.begin(high, chunk)) % d.count
}

// holder returns the shard that an address is dealt to, from 0 on.
func (d deal) holder(a netip.Addr) uint64 {
	high, low := d.cut(a)
	return (d.shuffled(low&d.mask()) + d.begin(high, low>>d.bits)) % d.count
}

// holds reports whether an address is dealt to the shard.
func (d deal) holds(a netip.Addr) bool { return d.holder(a) == d.index }

// cards is how many the shard has of a chunk at most.
func (d deal) cards() uint64 { return (d.mask() + d.count) / d.count }

// halves returns an address as two numbers; those of IPv4 have the first 0.
func halves(a netip.Addr) (high, low uint64) {
	if a.Is4() {
		b := a.As4()
		return 0, uint64(binary.BigEndian.Uint32(b[:]))
	}
	b := a.As16()
	return binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
}

// A share is the part of a plan's addresses that a shard looks at: all of them, or, if those are fewer, the cards that it may have of
// the chunks that they are in.
type share struct {
	size  uint64 // how many numbers stand for addresses, or for nothing
	dealt bool
}

func (p plan) share(s Shard) share {
	n := p.addressCount()
	if s.Count < 2 || p.name != "" {
		return share{size: n}
	}
	d, first := s.deal(), p.hosts.Addr()
	if s.Networks && !first.Is4() { // a range lies within a network
		if !d.holds(first) {
			n = 0
		}
		return share{size: n}
	}
	_, low := halves(first)
	together := d.together()
	cards := ((low+n-1)>>together>>d.bits - low>>together>>d.bits + 1) * d.cards()
	return share{min(n, cards<<together), cards<<together < n}
}

// together is how many bits of an IPv4 address aren't dealt, or of IPv6 if addresses are.
func (d deal) together() uint {
	if d.nets {
		return 8
	}
	return 0
}

// pick returns which of the plan's addresses a number below size stands for; false if for none.
func (p plan) pick(s Shard, number uint64) (uint64, bool) {
	if !p.share(s).dealt {
		return number, true
	}
	d := s.deal()
	high, low := halves(p.hosts.Addr())
	together := d.together()
	within := number & (1<<together - 1)
	number >>= together
	chunk := low>>together>>d.bits + number/d.cards()
	card := d.first(high, chunk) + number%d.cards()*d.count
	if card > d.mask() {
		return 0, false
	}
	at := (chunk<<d.bits|d.unshuffled(card))<<together | within
	return at - low, at >= low && at-low < p.addressCount()
}
