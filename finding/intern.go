package finding

import (
	"fmt"
	"hash/maphash"
	"strings"
)

// An interner keeps what is the same once.
type interner struct {
	seed     maphash.Seed
	strings  map[string]string
	verdicts map[uint64]*verdict
	facts    map[uint64]*fact
	parts    map[uint64]*part
}

func newInterner() *interner {
	return &interner{maphash.MakeSeed(), map[string]string{}, map[uint64]*verdict{}, map[uint64]*fact{}, map[uint64]*part{}}
}

// maxWord bounds what is kept once: longer texts are hardly ever the same.
const maxWord = 512

func (n *interner) text(s string) string {
	if len(s) > maxWord {
		return s
	}
	if known, ok := n.strings[s]; ok {
		return known
	}
	s = strings.Clone(s)
	n.strings[s] = s
	return s
}

func (n *interner) texts(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	kept := make([]string, len(list))
	for i, s := range list {
		kept[i] = n.text(s)
	}
	return kept
}

func (n *interner) sum(parts ...any) uint64 {
	var h maphash.Hash
	h.SetSeed(n.seed)
	_, _ = fmt.Fprintf(&h, "%q", parts) // never fails
	return h.Sum64()
}

// verdict keeps of a finding what differs between endpoints.
func (n *interner) verdict(v verdict) *verdict {
	f := v.finding
	sum := n.sum(v.rule, int(v.rated), int(v.judged), f.Known, f.Detail, f.Basis, f.Items)
	if known := n.verdicts[sum]; known != nil {
		return known
	}
	items := make([]Item, len(f.Items))
	for i, item := range f.Items {
		items[i] = Item{n.text(item.Value), n.text(item.Basis)}
	}
	v.finding = Finding{Known: Known(n.text(string(f.Known))), Basis: n.texts(f.Basis), Items: items, Detail: n.text(f.Detail)}
	n.verdicts[sum] = &v
	return &v
}

func (n *interner) fact(f fact) *fact {
	sum := n.sum(f.path, f.values, f.whole)
	if known := n.facts[sum]; known != nil {
		return known
	}
	f.path, f.values = n.text(f.path), n.texts(f.values)
	n.facts[sum] = &f
	return &f
}

// part returns the same pointer for what is the same in two scans, so that the newer one costs nothing.
func (n *interner) part(p *part) *part {
	sum := n.sum(p.addr, p.name, p.protocol, p.speaks, int(p.level), p.outcome, p.answers, p.lost, p.old, p.marks, fmt.Sprint(p.fires, p.facts))
	if known := n.parts[sum]; known != nil {
		return known
	}
	p.name = n.text(p.name)
	n.parts[sum] = p
	return p
}
