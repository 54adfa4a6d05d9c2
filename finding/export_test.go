package finding

import (
	"iter"

	"github.com/handclasp/handclasp/probe"
)

// DiffTwice compares two scans, of which the newer one looked twice.
func DiffTwice(older, newer, again iter.Seq[Entry], rules []Rule) Delta {
	was := NewSnapshot(rules, nil)
	for e := range older {
		was.Add(e)
	}
	is := was.next()
	for e := range newer {
		is.Add(e)
	}
	w := newWeighing(is, WeighOptions{Confirm: Confirmation{Gone: 1}, Again: again, Doubtful: map[Endpoint]bool{{Host: "192.0.2.7", Network: probe.TCP, Port: 7007}: true}})
	return w.all(memory{was, false, w.retold})
}
