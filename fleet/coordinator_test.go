package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShardsFor(t *testing.T) {
	for endpoints, want := range map[int64]int{1: 16, 1_000_000: 100, 1 << 24: 1024} {
		require.Equal(t, want, shardsFor(endpoints), endpoints)
	}
}
