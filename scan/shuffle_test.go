package scan

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShuffleIsABijection(t *testing.T) {
	for _, n := range []uint64{1, 2, 3, 4, 5, 15, 16, 17, 100, 255, 1 << 12, 99_991} {
		for seed := range uint64(8) {
			s := newShuffle(n, seed, seed*7)
			seen := make([]bool, n)
			for i := range n {
				v := s.at(i)
				if v >= n || seen[v] {
					t.Fatalf("n %d seed %d: %d", n, seed, v)
				}
				seen[v] = true
			}
		}
	}
}

func TestShuffleOfLargeRanges(t *testing.T) {
	for _, n := range []uint64{1 << 32, 1<<40 + 1, 1<<62 - 1} {
		s := newShuffle(n, 7, 0)
		seen := map[uint64]bool{}
		for i := range uint64(10_000) {
			v := s.at(n - 1 - i)
			if v >= n || seen[v] {
				t.Fatalf("n %d: %d", n, v)
			}
			seen[v] = true
		}
	}
}

// States of scans hold positions in this order.
func TestShuffleStaysAsItIs(t *testing.T) {
	s := newShuffle(1000, 42, 3)
	got := ""
	for i := range uint64(8) {
		got += fmt.Sprintf("%d ", s.at(i))
	}
	require.Equal(t, "989 841 456 611 741 936 35 663 ", got)
}

func BenchmarkShuffle(b *testing.B) {
	s := newShuffle(20<<20, 42, 0)
	for i := uint64(0); b.Loop(); i++ {
		s.at(i % s.n)
	}
}
