package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShardsFor(t *testing.T) {
	for _, c := range []struct {
		endpoints, list int64
		want            int
	}{
		{1, 0, 16}, {1_000_000, 0, 100}, {1 << 24, 0, 1024},
		{1_000_000, 20 * 1_000_000, 16}, // a line each
		{1_000_000, 1_000, 100},         // ranges
		{1_000_000, 5 * 1_000_000, 64},  // a line for several
	} {
		require.Equal(t, c.want, shardsFor(c.endpoints, c.list), c)
	}
}
