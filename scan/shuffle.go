package scan

import "math"

// A shuffle is a pseudo-random permutation of 0 … n-1 that stores nothing: the i-th number is computed from i. It is a
// Feistel network over pairs of digits in base √n, repeated when it leaves the set (cycle walking, Black and Rogaway,
// "Ciphers with Arbitrary Finite Domains", 2002). It spreads a scan over its networks; it is no cipher.
//
// States of scans hold positions in this order, so that it mustn't change.
type shuffle struct {
	n, base uint64
	keys    [rounds]uint64
}

// Four rounds make neighbours look unrelated (Luby and Rackoff); an odd number more would do no harm.
const rounds = 4

// newShuffle returns the permutation of n numbers, n below 2^63, that a seed and a stream make.
func newShuffle(n, seed, stream uint64) shuffle {
	s := shuffle{n: n, base: uint64(math.Sqrt(float64(n)))}
	for s.base*s.base < n {
		s.base++
	}
	key := mix(seed) ^ mix(stream+1)
	for i := range s.keys {
		key += golden
		s.keys[i] = mix(key)
	}
	return s
}

// at returns the i-th number; i is below n.
func (s *shuffle) at(i uint64) uint64 {
	for {
		left, right := i/s.base, i%s.base
		for _, key := range s.keys {
			left, right = right, (left+mix(right^key))%s.base
		}
		if i = left*s.base + right; i < s.n {
			return i
		}
	}
}

// golden is 2^64 divided by the golden ratio: SplitMix64's step.
const golden = 0x9e3779b97f4a7c15

// mix is the finishing function of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
// 2014): every bit of x changes half of the result's.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
