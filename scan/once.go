package scan

import (
	"hash/maphash"
	"iter"
	"strings"
)

// onceRemembered is how many inputs are remembered to be told apart from later ones: some 20 MiB.
const onceRemembered = 1 << 18

// Once leaves out inputs whose text and name were there before, and has repeated called for each. It remembers the last 262,144 of
// them. A host and a range that holds it are two inputs.
func Once(inputs iter.Seq2[Input, error], repeated func()) iter.Seq2[Input, error] {
	return func(yield func(Input, error) bool) {
		var hash maphash.Hash
		known := map[uint64]bool{}
		var ring []uint64
		next := 0
		for in, err := range inputs {
			if err != nil {
				if !yield(in, err) {
					return
				}
				continue
			}
			hash.Reset()
			_, _ = hash.WriteString(strings.ToLower(in.Text))
			_ = hash.WriteByte(0)
			_, _ = hash.WriteString(strings.ToLower(in.Name))
			h := hash.Sum64()
			if known[h] {
				repeated()
				continue
			}
			known[h] = true
			if len(ring) < onceRemembered {
				ring = append(ring, h)
			} else {
				delete(known, ring[next])
				ring[next] = h
				next = (next + 1) % onceRemembered
			}
			if !yield(in, nil) {
				return
			}
		}
	}
}
