package inorder_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/inorder"
)

func TestMapKeepsTheOrder(t *testing.T) {
	t.Parallel()
	var numbers []int
	for i := range 1000 {
		numbers = append(numbers, i)
	}
	square := func(n int) int { return n * n }
	got := slices.Collect(inorder.Map(slices.Values(numbers), square))
	require.Len(t, got, len(numbers))
	for i, n := range got {
		require.Equal(t, i*i, n)
	}
	require.Empty(t, slices.Collect(inorder.Map(slices.Values([]int(nil)), square)))
}

// Two calls wait for each other: one after the other they would for ever.
func TestMapSideBySide(t *testing.T) {
	t.Parallel()
	meet := make(chan int)
	got := slices.Collect(inorder.Map(slices.Values([]bool{true, false}), func(gives bool) int {
		if gives {
			meet <- 7
			return 0
		}
		return <-meet
	}))
	require.Equal(t, []int{0, 7}, got)
}

func TestMapLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	var under atomic.Int64
	values := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	}
	for n := range inorder.Map(values, func(n int) int {
		under.Add(1)
		defer under.Add(-1)
		return n
	}) {
		if n == 100 {
			break
		}
	}
	require.Zero(t, under.Load())
}
