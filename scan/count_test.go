package scan

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
)

// Whoever holds a host of an input is among those that it is dealt to, and who holds none isn't, unless there are more addresses than shards.
func TestDeal(t *testing.T) {
	probers := []probe.Prober{ftp.Prober{}}
	inputs := Args([]string{
		"192.0.2.7", "192.0.2.0/28", "192.0.2.9-192.0.3.30", "10.0.0.0/19", "host.example", "2001:db8::7", "2001:db8::/120", "[fe80::1%eth0]:21", "198.51.100.0/24:21",
	})
	for _, shard := range []Shard{{}, {Index: 1, Count: 1}, {Index: 2, Count: 3}, {Index: 1, Count: 300}, {Index: 1, Count: 16, Networks: true}, {Index: 1, Count: 600, Networks: true}} {
		r := newParser(probers, &EndpointOptions{})
		n := 0
		require.NoError(t, Deal(inputs, probers, &EndpointOptions{Shard: shard}, func(in Input, shards []int) error {
			n++
			p, err := r.parse(in)
			require.NoError(t, err)
			holders := map[int]bool{}
			for k := range max(1, shard.Count) {
				one := Shard{Index: k + 1, Count: shard.Count, Networks: shard.Networks}
				for i := uint64(0); i < p.addressCount() && !holders[k+1]; i++ {
					holders[k+1] = one.Holds(p.address(i), p.sharded())
				}
				require.True(t, !holders[k+1] || slices.Contains(shards, k+1), "%v %s %d", shard, in.Text, k+1)
				require.True(t, holders[k+1] || !slices.Contains(shards, k+1) || len(shards) == shard.Count, "%v %s %d", shard, in.Text, k+1)
			}
			return nil
		}))
		require.Equal(t, 9, n)
	}
	broken := errors.New("the disk is broken")
	require.ErrorIs(t, Deal(Concat(inputs, func(yield func(Input, error) bool) { yield(Input{}, broken) }), probers, nil, func(Input, []int) error { return nil }), broken)
	require.ErrorIs(t, Deal(inputs, probers, nil, func(Input, []int) error { return broken }), broken)
}
