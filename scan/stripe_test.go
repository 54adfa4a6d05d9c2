package scan

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
)

func rangeOf(t testing.TB, text string) plan {
	var p plan
	require.NoError(t, p.parseHost(text))
	return p
}

// What shards pick of a range are all its addresses, each in the one shard that holds it, whatever the range's bounds.
func TestPick(t *testing.T) {
	for _, text := range []string{"10.0.0.0/15", "10.0.255.250-10.2.3.7", "10.0.0.7", "192.0.2.0/24", "2001:db8::/111", "255.255.0.0-255.255.255.254"} {
		for _, count := range []int{2, 3, 1000, 1024, MaxShards} {
			requireParts(t, rangeOf(t, text), count, false)
		}
		requireParts(t, rangeOf(t, text), 3, true)
		requireParts(t, rangeOf(t, text), 1024, true)
	}
}

// requireParts requires that shards share a range; of many it looks at some.
func requireParts(t *testing.T, p plan, count int, networks bool) {
	seen := make([]bool, p.addressCount())
	step := max(1, count/20)
	for index := 1; index <= count; index += step {
		s := Shard{index, count, networks}
		for n := range p.share(s).size {
			offset, ok := p.pick(s, n)
			if !ok {
				continue
			}
			if mine := s.Holds(p.address(offset), ""); !mine {
				require.False(t, p.share(s).dealt)
				continue
			}
			require.False(t, seen[offset], "%s in %s", p.address(offset), s)
			seen[offset] = true
		}
	}
	for offset := range seen {
		for index := 1; index <= count && step > 1; index += step {
			if s := (Shard{index, count, networks}); s.Holds(p.address(uint64(offset)), "") {
				require.True(t, seen[offset], "%s isn't picked in %s", p.address(uint64(offset)), s)
			}
		}
		if step == 1 {
			require.True(t, seen[offset], "%s isn't picked in %d shards", p.address(uint64(offset)), count)
		}
		if len(seen) > 1<<10 && step > 1 && offset > 1<<12 {
			break
		}
	}
}

// With Networks all of a /24, or a /64, is in one shard, and each shard has about as many.
func TestShardsOfNetworks(t *testing.T) {
	const count = 16
	holder := func(text string) (found int) {
		for index := range count {
			if (Shard{index + 1, count, true}).Holds(netip.MustParseAddr(text), "") {
				require.Zero(t, found, text)
				found = index + 1
			}
		}
		require.NotZero(t, found, text)
		return found
	}
	have := map[int]int{}
	for i := range 1024 {
		four, six := fmt.Sprintf("10.7.%d.", i%256), fmt.Sprintf("2001:db8:%x:%x:", i/256, i%256)
		require.Equal(t, holder(four+"0"), holder(four+"255"))
		require.Equal(t, holder(six+":1"), holder(six+"ffff:ffff:ffff:ffff"))
		have[holder(six+":1")]++
	}
	for index := range count {
		require.InDelta(t, 1024/count, have[index+1], 32)
	}
}

// Shards are about as large, and addresses that end alike, as those of gateways do, aren't in a few of them.
func TestShardsAreAlike(t *testing.T) {
	for _, count := range []int{7, 64, 256, 1000} {
		all, gateways := make([]int, count), make([]int, count)
		for i := range 1 << 18 {
			a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
			for index := range count {
				if d := (Shard{Index: index + 1, Count: count}).deal(); d.holds(a) {
					all[index]++
					if byte(i) == 1 {
						gateways[index]++
					}
					break
				}
			}
			if i > 1<<15 && count > 64 {
				break
			}
		}
		mean, meanGateways := 0, 0
		for index := range count {
			mean, meanGateways = mean+all[index], meanGateways+gateways[index]
		}
		mean, meanGateways = mean/count, meanGateways/count
		for index := range count {
			require.InDelta(t, mean, all[index], float64(mean)/4+2, "shard %d of %d", index+1, count)
			require.LessOrEqual(t, gateways[index], 4*meanGateways+12, "shard %d of %d", index+1, count)
		}
	}
}

func TestShuffledHasAnInverse(t *testing.T) {
	for bits := uint(minChunkBits); bits <= 19; bits++ {
		d := deal{count: 2, bits: bits}
		for x := range d.mask() + 1 {
			require.LessOrEqual(t, d.shuffled(x), d.mask())
			if d.unshuffled(d.shuffled(x)) != x {
				t.Fatalf("%d bits: %d", bits, x)
			}
		}
	}
}

// What a shard of a wide range costs for each endpoint, beside a range as large as the shard.
func BenchmarkShard(b *testing.B) {
	for name, o := range map[string]struct {
		text  string
		shard Shard
	}{"one of 1024 shards of a /8": {"10.0.0.0/8:21", Shard{Index: 7, Count: 1024}}, "all of a /18": {"10.0.0.0/18:21", Shard{}}} {
		b.Run(name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				order := &EndpointOptions{Shard: o.shard, NoDetection: true}
				for _, err := range Endpoints(b.Context(), Args([]string{o.text}), []probe.Prober{ftp.Prober{}}, order) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/endpoint")
			b.ReportMetric(float64(n)/float64(b.N), "endpoints")
		})
	}
}
