package finding

import (
	"maps"
	"slices"
)

// compareItems moves the items of a held finding on and returns those that are told to have come or gone.
// Those that were found by what the scan hasn't got are kept.
func (t *telling) compareItems(held *Held, items []Item, all, keep bool) (added, removed []Item) {
	now := make(map[string]bool, len(items))
	for _, item := range items {
		now[item.Value] = true
		known := held.Items[item.Value]
		if known == nil {
			known = &HeldItem{}
			if held.Items == nil {
				held.Items = map[string]*HeldItem{}
			}
			held.Items[item.Value] = known
		}
		known.Basis, known.Misses = item.Basis, 0
		see(&known.Hits, true)
		if !known.Told && (all || t.w.enough(known.Hits)) {
			known.Told = true
			added = append(added, item)
		}
	}
	if len(held.Items) == len(now) {
		return added, nil // by far the most
	}
	for _, value := range slices.Sorted(maps.Keys(held.Items)) {
		known := held.Items[value]
		if now[value] || keep || t.blind || t.itemLost(known.Basis) {
			continue
		}
		see(&known.Hits, false)
		if known.Misses++; known.Misses >= t.w.confirm.Gone || !known.Told {
			delete(held.Items, value)
			if known.Told {
				removed = append(removed, Item{value, known.Basis})
			}
		}
	}
	return added, removed
}

// itemLost reports whether an item that isn't there may only not have been learned.
func (t *telling) itemLost(basis string) bool {
	return slices.ContainsFunc(t.sight.parts, func(p *part) bool {
		return p.old || slices.ContainsFunc(p.lost, func(pointer string) bool { return beside(basis, pointer) }) || !p.answered && !p.closed && t.counts(p)
	})
}

func (w *weighing) enough(hits uint64) bool {
	n := 0
	for i := range w.confirm.Of {
		n += int(hits >> i & 1)
	}
	return n >= w.confirm.New
}
