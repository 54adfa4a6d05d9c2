package scan

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The median is that of the conversations that are remembered, which are kept in order.
func TestPaceIsOfRecentConversations(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	p := pace{early: time.Hour}
	var all []time.Duration
	for range 3 * len(p.recent) {
		took := time.Duration(draw.IntN(50)) * time.Second
		all = append(all, took)
		p.count(took)
		recent := slices.Sorted(slices.Values(all[max(0, len(all)-len(p.recent)):]))
		median := recent[len(recent)/2]
		want := max(median+median/2, paceFloor)
		if len(all) < paceKnown {
			want = p.early
		}
		require.Equal(t, want, p.patience())
	}
}
