package finding

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// facts compares the facts of an endpoint, and moves its histories on.
func (t *telling) facts() {
	if t.st.Facts == nil {
		t.st.Facts = map[string]*History{}
	}
	replaced := t.fact(t.seen(pathProtocol))
	for _, f := range t.merged() {
		switch {
		case f.path == pathProtocol:
		case f.path == pathAddresses:
			t.moved(f)
		case replaced:
			t.st.Facts[f.path] = t.begin(f) // another service's, which its name tells
		case t.w.fingerprintsDiffer() && strings.HasSuffix(f.path, pathSoftware):
			if h := t.st.Facts[f.path]; h != nil && !slices.Equal(h.Values, f.values) {
				t.w.cause("fingerprints", "other fingerprints of software", t.at.String())
			}
			t.st.Facts[f.path] = t.begin(f)
		default:
			t.fact(f)
		}
	}
}

func (w *weighing) fingerprintsDiffer() bool {
	return w.before.Scan != "" && w.now.Scan != "" && w.before.Digests.Fingerprints != w.now.Digests.Fingerprints
}

// merged returns the facts of all parts, those under one path together, by path.
func (t *telling) merged() []fact {
	var all []fact
	add := func(f fact) {
		i := slices.IndexFunc(all, func(known fact) bool { return known.path == f.path })
		if i < 0 {
			f.values, f.from = slices.Clone(f.values), maps.Clone(f.from)
			all = append(all, f)
			return
		}
		maps.Copy(all[i].from, f.from)
		all[i].whole = all[i].whole && f.whole
		for _, value := range f.values {
			if !slices.Contains(all[i].values, value) {
				all[i].values = append(all[i].values, value)
			}
		}
		slices.Sort(all[i].values)
	}
	for _, p := range t.sight.parts {
		if p.addr.IsValid() && p.name != "" {
			add(address(p.addr.Addr()))
		}
		for _, f := range p.facts {
			add(*f)
		}
	}
	// What one of several addresses didn't tell may be what it told before.
	silent := slices.ContainsFunc(t.sight.parts, func(p *part) bool { return !p.answered && t.counts(p) })
	for i := range all {
		all[i].whole, all[i].quiet = all[i].whole && !silent, silent
	}
	slices.SortFunc(all, func(a, b fact) int { return strings.Compare(a.path, b.path) })
	return all
}

// seen returns one of the facts; without values if it wasn't learned.
func (t *telling) seen(path string) fact {
	for _, f := range t.merged() {
		if f.path == path {
			return f
		}
	}
	return fact{path: path}
}

func (t *telling) begin(f fact) *History {
	h := &History{Values: f.values, Seen: map[string]time.Time{}, From: f.from}
	h.note(f.values, t.w.at)
	return h
}

// note remembers values, and forgets those that are long past.
func (h *History) note(values []string, at time.Time) {
	for value, last := range h.Seen {
		if at.Sub(last) > rememberFor {
			delete(h.Seen, value)
		}
	}
	for _, value := range values {
		h.Seen[value] = at
	}
	if len(h.Seen) <= len(h.Values) {
		h.Pool = false // the turns have ended
	}
}

// name sets the values, and what named those that were.
func (h *History) name(values []string, from map[string]string) {
	if from != nil {
		was := h.From
		h.From = map[string]string{}
		for _, value := range values {
			if source := cmp.Or(from[value], was[value]); source != "" {
				h.From[value] = source
			}
		}
	}
	h.Values = values
}

// fact compares one fact and reports whether a change was told.
func (t *telling) fact(f fact) (changed bool) {
	if f.values == nil {
		return false
	}
	h := t.st.Facts[f.path]
	if h == nil {
		t.st.Facts[f.path] = t.begin(f)
		return false
	}
	now := h.with(f)
	added, removed := without(now, h.Values), without(h.Values, now)
	fresh := slices.ContainsFunc(added, func(value string) bool {
		last, known := h.Seen[value]
		return !known || t.w.at.Sub(last) > rememberFor
	})
	old := h.Values
	h.name(now, f.from)
	h.note(f.values, t.w.at)
	switch {
	case len(added)+len(removed) == 0:
	case fresh, len(added) == 0 && !h.Pool:
		if !t.toldByItems(f.path, append(added, removed...)) {
			t.notice(NoteFact, f.path, old, now, Meaning(f.path))
		}
		return true
	case !h.Pool:
		h.Pool = true
		t.notice(NotePool, f.path, old, now, "the values take turns: several servers behind one address, or a setting that is set and unset")
	}
	return false
}

// with returns the values that a fact has if what wasn't learned of it now is as it was.
func (h *History) with(f fact) []string {
	now := slices.Clone(f.values)
	if f.whole {
		return now
	}
	for _, value := range h.Values {
		if slices.Contains(f.values, value) || h.superseded(f, value) {
			continue
		}
		now = append(now, value)
		if f.from != nil { // which names the product without what only the other source tells
			now = slices.DeleteFunc(now, func(less string) bool { return strings.HasPrefix(value, less+" ") && !slices.Contains(h.Values, less) })
		}
	}
	slices.Sort(now)
	return now
}

// superseded reports whether what a fact was is told to be something else: what named the software names another one now, or
// the product has another version.
func (h *History) superseded(f fact, value string) bool {
	if f.from == nil || f.quiet {
		return false
	}
	source := h.From[value]
	for now, from := range f.from {
		if source == from && source != "" || now != product(value) && product(now) == product(value) {
			return true
		}
	}
	return false
}

// product is a name of software without its version.
func product(software string) string {
	i := strings.LastIndexByte(software, ' ')
	if i < 0 || !strings.ContainsAny(software[i:], "0123456789") {
		return software
	}
	return software[:i]
}

func without(list, other []string) (rest []string) {
	for _, s := range list {
		if !slices.Contains(other, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

// moved compares the addresses of a name: those of which at least one stays, as with a round robin, aren't news.
func (t *telling) moved(f fact) {
	h := t.st.Facts[f.path]
	if h == nil {
		t.st.Facts[f.path] = t.begin(f)
		return
	}
	if slices.ContainsFunc(f.values, func(a string) bool { return slices.Contains(h.Values, a) }) {
		h.Values = f.values
		h.note(f.values, t.w.at)
		return
	}
	before := len(t.notes)
	if f.whole = true; t.fact(f) {
		t.notes[before].Kind = NoteMoved
	}
}

// toldByItems reports whether all values that changed are items of findings, whose change is told now, or once it is believed.
func (t *telling) toldByItems(path string, values []string) bool {
	_, pointer, _ := strings.Cut(path, ":")
	for _, value := range values {
		covers := func(item Item) bool {
			return within(item.Basis, pointer) && strings.Contains(item.Value, value)
		}
		if !slices.ContainsFunc(t.items, covers) && !t.holds(covers) {
			return false
		}
	}
	return true
}

// holds reports whether an open finding has such an item, which isn't believed yet to have come, or to be gone.
func (t *telling) holds(covers func(Item) bool) bool {
	for _, h := range t.st.Open {
		for value, i := range h.Items {
			if (i.Misses > 0 || !i.Told) && covers(Item{value, i.Basis}) {
				return true
			}
		}
	}
	return false
}

// within reports whether two pointers lead into one field of the evidence: of values that stand in several places of it an item
// names one.
func within(a, b string) bool {
	field := func(pointer string) string {
		parts := strings.SplitN(pointer, "/", 4)
		return strings.Join(parts[:min(3, len(parts))], "/")
	}
	return field(a) == field(b)
}

func (t *telling) notice(kind NoteKind, path string, old, now []string, meaning string) {
	text := fmt.Sprintf("%s → %s", describe(old), describe(now))
	if meaning != "" {
		text += ": " + meaning
	}
	t.notes = append(t.notes, Note{Kind: kind, Endpoint: t.at, Fact: path, Old: append([]string{}, old...), New: append([]string{}, now...), Text: text})
}
