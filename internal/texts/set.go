// Package texts keeps many short texts in little memory.
package texts

import (
	"encoding/binary"
	"hash/maphash"
	"strings"
)

// block is how many bytes are reserved at once. A longer text has a block of its own.
const block = 1 << 16

// A Set keeps each text once, and numbers them from 0 on as they come. The texts stand one behind the other, so that one costs
// little more than its bytes. The zero value is an empty set. It is used by one goroutine at a time.
type Set struct {
	blocks []*strings.Builder // none is written to beyond what was reserved, so that what was read of it stays
	places []place            // by number
	slots  []uint32           // by hash, and the next free one: the number plus one, or zero
	seed   maphash.Seed
}

type place struct{ block, at uint32 }

// Len returns how many texts there are.
func (s *Set) Len() int { return len(s.places) }

// Text returns the text of a number.
func (s *Set) Text(n int) string {
	p := s.places[n]
	rest := s.blocks[p.block].String()[p.at:]
	size, width := uint64(0), 0
	for shift := 0; ; shift += 7 {
		b := rest[width]
		width++
		size |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return rest[width:][:size]
		}
	}
}

// Find returns the number of a text, and whether it is there.
func (s *Set) Find(text string) (n int, ok bool) {
	if len(s.slots) == 0 {
		return 0, false
	}
	n = int(s.slots[s.slot(text)]) - 1
	return max(n, 0), n >= 0
}

// Add returns the number of a text, which is kept from now on, and whether it is new.
func (s *Set) Add(text string) (n int, isNew bool) {
	if len(s.slots) <= 2*len(s.places) {
		s.grow()
	}
	slot := s.slot(text)
	if known := s.slots[slot]; known > 0 {
		return int(known) - 1, false
	}
	s.places = append(s.places, s.write(text))
	s.slots[slot] = uint32(len(s.places))
	return len(s.places) - 1, true
}

// slot is where a text's number stands, or belongs.
func (s *Set) slot(text string) uint64 {
	last := uint64(len(s.slots) - 1)
	i := maphash.String(s.seed, text) & last
	for s.slots[i] > 0 && s.Text(int(s.slots[i])-1) != text {
		i = (i + 1) & last
	}
	return i
}

func (s *Set) grow() {
	if len(s.slots) == 0 {
		s.seed = maphash.MakeSeed()
	}
	s.slots = make([]uint32, max(64, 2*len(s.slots)))
	for n := range s.places {
		s.slots[s.slot(s.Text(n))] = uint32(n) + 1
	}
}

func (s *Set) write(text string) place {
	var size [binary.MaxVarintLen64]byte
	width := binary.PutUvarint(size[:], uint64(len(text)))
	last := len(s.blocks) - 1
	if last < 0 || s.blocks[last].Cap()-s.blocks[last].Len() < width+len(text) {
		b := new(strings.Builder)
		b.Grow(max(block, width+len(text)))
		s.blocks = append(s.blocks, b)
		last++
	}
	b := s.blocks[last]
	at := b.Len()
	_, _ = b.Write(size[:width]) // never fails
	_, _ = b.WriteString(text)
	return place{uint32(last), uint32(at)}
}
