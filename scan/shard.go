package scan

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A Shard is one of several equal parts of a scan, so that machines can share it without talking to each other. The
// zero value is the whole.
//
// A host belongs to the same shard whatever the seed, the order of the inputs and the port: what is promised to a host
// (PerHost, HostSpacing) holds without talking, too; and with Networks what is promised to a network.
type Shard struct {
	Index int // from 1 to Count
	Count int
	// Networks keeps whole what NetSpacing is about, a /24 or a /64, and not addresses alone. Names go by the name.
	Networks bool
}

// MaxShards is as many parts as a scan can have.
const MaxShards = 1 << 16

// ParseShard parses "3/16", the third of 16.
func ParseShard(text string) (Shard, error) {
	index, count, ok := strings.Cut(text, "/")
	i, err1 := strconv.Atoi(index)
	n, err2 := strconv.Atoi(count)
	s := Shard{Index: i, Count: n}
	if !ok || err1 != nil || err2 != nil {
		return Shard{}, fmt.Errorf("not a shard: write 3/16 for the third of 16")
	}
	return s, s.check()
}

func (s Shard) check() error {
	if (s.Count != 0 || s.Index != 0) && (s.Count < 1 || s.Count > MaxShards || s.Index < 1 || s.Index > s.Count) {
		return fmt.Errorf("shard %d/%d: shards are numbered from 1/N to N/N, N at most %d", s.Index, s.Count, MaxShards)
	}
	return nil
}

// String returns "3/16", and "1/1" for the whole.
func (s Shard) String() string {
	if s.Count == 0 {
		return "1/1"
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// Holds reports whether a host belongs to the shard: an address, or a name, whatever it resolves to, if that isn't empty.
func (s Shard) Holds(a netip.Addr, name string) bool {
	if s.Count < 2 {
		return true
	}
	if name == "" {
		return s.deal().holds(a)
	}
	return s.named(name) == uint64(s.Index-1)
}

// named returns the shard that a name belongs to, from 0 on.
func (s Shard) named(name string) uint64 {
	h := uint64(len(name))
	for i := range len(name) {
		h = mix(h ^ uint64(name[i]) + golden)
	}
	return h % uint64(s.Count)
}
