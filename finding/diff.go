package finding

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// DiffOptions say how two scans are compared. A nil *DiffOptions and the zero value judge by no rule, and go by what is stored.
type DiffOptions struct {
	// Rules and Comparisons are those that both scans are judged by. What is stored of other rules keeps its verdict.
	Rules       []Rule
	Comparisons []Comparison
	// Rated has findings of these be as severe as they say, whatever is stored: as a [Profile] rates them, for one.
	Rated bool
	// AcceptLoss are groups, as [Endpoint.Groups] names them, of which nobody is to be warned that they are lost.
	AcceptLoss []string
	Unchanged  bool // list what didn't change, too, and not only how much that is
}

// Diff compares two scans, by endpoint and rule. It asks the rules of both: resolved is what isn't so in a result that learned
// that. Its memory grows with the endpoints, and with what differs, and not with the results.
func Diff(older, newer iter.Seq[Entry], o *DiffOptions) Delta {
	if o == nil {
		o = &DiffOptions{}
	}
	was := NewSnapshot(o.Rules, o.Comparisons)
	was.rated = o.Rated
	for e := range older {
		was.Add(e)
	}
	is := was.next()
	for e := range newer {
		is.Add(e)
	}
	was.finish()
	return between(was, is, o.AcceptLoss, o.Unchanged)
}

// between compares two scans.
func between(was, is *Snapshot, acceptLoss []string, unchanged bool) Delta {
	w := newWeighing(is, WeighOptions{Confirm: Confirmation{Gone: 1}, AcceptLoss: acceptLoss, Unchanged: unchanged, Before: was.header()})
	return w.all(memory{was, unchanged, w.retold})
}

// A Memory holds what is known of endpoints, for [Weigh] to compare with and to change.
type Memory interface {
	// Endpoints yields what is known in short, in any order.
	Endpoints() iter.Seq[Brief]
	// Load returns what is known of an endpoint, nil if nothing is; Store keeps it.
	Load(at Endpoint) *Standing
	// same is what the endpoint looks like if, should it look so again, there is nothing to tell and nothing to change but the
	// times; else zero.
	Store(at Endpoint, st *Standing, same Digest)
	// Same reports whether an endpoint was stored with this digest, which isn't zero, and has it seen so at another time. known is
	// how many findings it has.
	Same(at Endpoint, same Digest, when time.Time) (known int, ok bool)
	// Alias lets an endpoint be found by another name from now on.
	Alias(other, at Endpoint)
}

// A Brief is what is known of an endpoint, in short.
type Brief struct {
	Endpoint
	Up        bool
	Scope     Scope
	Silent    time.Time // since when nobody spoke; zero if somebody did the last time
	Addresses []string  // of a name
}

// WeighOptions say how a scan is compared with what is known.
type WeighOptions struct {
	Confirm    Confirmation
	AcceptLoss []string
	Unchanged  bool
	// Again are results of a second look at those that Doubtful has. What both looks don't have in common is neither new nor
	// resolved.
	Again    iter.Seq[Entry]
	Doubtful map[Endpoint]bool
	// Tell, unless it is nil, gets what is to be told of each endpoint, instead of the [Delta]. That has notes of groups and
	// causes, and of endpoints that aren't asked any more.
	Tell   func([]Change, []Note)
	Before Header // how the last scan was made; zero if that isn't known
	// RuleKnown reports whether endpoints that were learned last at a time were judged by a rule then; nil if each was by all.
	RuleKnown func(id string, learned time.Time) bool
}

// Weigh compares a scan with what is known, and has that changed. Most programs call [Diff], or use package monitor.
func Weigh(m Memory, snap *Snapshot, o WeighOptions) Delta { return newWeighing(snap, o).all(m) }

func newWeighing(snap *Snapshot, o WeighOptions) *weighing {
	snap.finish()
	w := &weighing{
		snap: snap, confirm: o.Confirm.orDefault(2), at: snap.to, blind: map[string]bool{}, accept: map[string]bool{}, before: o.Before,
		now: snap.header(), ruleKnown: o.RuleKnown, unchanged: o.Unchanged, hand: o.Tell, causes: map[string]*Note{}, retired: map[Endpoint]bool{},
		delta: &Delta{Changes: []Change{}, Notes: []Note{}, Complete: snap.Complete()},
	}
	if o.Again != nil {
		w.doubtful = o.Doubtful
		w.again = snap.next()
		for e := range o.Again {
			w.again.Add(e)
		}
		w.again.finish()
	}
	for _, g := range o.AcceptLoss {
		w.accept[g] = true
	}
	return w
}

// all weighs every endpoint of the scan and of what is known.
func (w *weighing) all(m Memory) Delta {
	snap, d := w.snap, w.delta
	plan := w.plan(m)
	for at := range snap.sorted {
		if plan.renamed[at] != (Endpoint{}) || w.retired[at] {
			continue // below, by the name that is known; or told already
		}
		same := snap.digest(at)
		if known, ok := m.Same(at, same, w.at); ok {
			d.Known, d.Unchanged = d.Known+known, d.Unchanged+known
			continue
		}
		w.weigh(m, at, snap.sight(at), same)
	}
	for other, at := range plan.renamed {
		m.Alias(other, at)
		d.Notes = append(d.Notes, Note{Kind: NoteRenamed, Endpoint: at, Old: []string{at.Host}, New: []string{other.Host},
			Text: "asked for as " + other.Host + ", before as " + at.Host})
		w.weigh(m, at, snap.sight(other), Digest{})
	}
	for _, b := range plan.missing {
		w.missing(m, b)
	}
	for _, kind := range slices.Sorted(maps.Keys(w.causes)) {
		n := w.causes[kind]
		slices.Sort(n.New)
		d.Notes = append(d.Notes, *n)
	}
	slices.SortFunc(d.Changes, compareChanges)
	slices.SortStableFunc(d.Notes, func(a, b Note) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Group, b.Group), compareEndpoints(a.Endpoint, b.Endpoint), cmp.Compare(a.Fact, b.Fact))
	})
	return *d
}

func (w *weighing) weigh(m Memory, at Endpoint, sight *sighting, same Digest) {
	st := m.Load(at)
	if st == nil {
		st = new(Standing)
	}
	if t := w.endpoint(at, st, sight); !t.settled() {
		same = Digest{}
	}
	m.Store(at, st, same)
}

// missing deals with what the scan has no result of.
func (w *weighing) missing(m Memory, b Brief) {
	if w.snap.unresolved(b.Host) {
		w.weigh(m, b.Endpoint, new(sighting), Digest{})
		return
	}
	st := m.Load(b.Endpoint)
	if st == nil {
		return // the memory failed
	}
	if w.delta.Complete == probe.Yes {
		st.Scope, st.Up = OutOfScope, false
		m.Store(b.Endpoint, st, Digest{})
		w.delta.Notes = append(w.delta.Notes, Note{Kind: NoteOutOfScope, Endpoint: b.Endpoint, Old: []string{}, New: []string{},
			Count: len(st.Open), Text: "not asked any more; findings that it had: " + fmt.Sprint(len(st.Open))})
		return
	}
	t := &telling{w: w, at: b.Endpoint, st: st, sight: new(sighting)}
	t.change = Change{Protocol: st.Protocol, Target: b.target(), Endpoint: b.Endpoint, Added: []Item{}, Removed: []Item{}}
	for _, id := range slices.Sorted(maps.Keys(st.Open)) {
		held := st.Open[id]
		held.Unknown, held.Reason = held.Unknown+1, "not scanned this time"
		if w.delta.Complete == probe.Unknown {
			held.Reason += ", or taken out: the file doesn't say whether the scan is complete"
		}
		if held.Confirmed.IsZero() {
			continue
		}
		w.delta.Known++
		w.delta.Lost++
		rule := Rule{ID: id, Title: id}
		if n, known := w.snap.number[id]; known {
			rule = w.snap.rules[n]
		}
		t.tell(Unknown, rule, held, held.Reason)
	}
	t.flush()
	m.Store(b.Endpoint, st, Digest{})
}

// A plan is what to do about endpoints before they are compared.
type plan struct {
	renamed map[Endpoint]Endpoint // of the scan, to what is known
	missing []Brief
}

// minGroup is how many endpoints of a group must have spoken before, for the loss of half of them to be disbelieved.
const minGroup = 4

// plan looks at all that is known: who is missing, who was asked by another name, and which groups are lost.
func (w *weighing) plan(m Memory) plan {
	p := plan{renamed: map[Endpoint]Endpoint{}}
	known := make([]bool, w.snap.places.Len()) // of the scan's places
	var missing []Brief
	groups := map[string]*[2]int{} // who spoke before, and who doesn't any more
	var retired []Endpoint
	here := w.snap.vantages()
	for b := range m.Endpoints() {
		if !here[b.Vantage] { // which says nothing of what is seen from elsewhere
			if b.Scope == "" && w.silent(b) {
				retired = append(retired, b.Endpoint)
			}
			continue
		}
		n, asked := w.snap.places.Find(w.snap.key(b.Endpoint))
		sight := kept("")
		if asked {
			known[n] = true
			sight = w.snap.seen(n)
			asked = sight != ""
		}
		if !asked {
			if b.Scope == "" {
				missing = append(missing, b)
			}
			if !w.snap.unresolved(b.Host) {
				continue
			}
		}
		lost := !sight.answered()
		if lost && b.Scope == "" && w.silent(b) {
			retired = append(retired, b.Endpoint)
			continue
		}
		if !b.Up || b.Scope != "" || w.accepted(b.Endpoint) {
			continue
		}
		for _, g := range b.Groups() {
			if groups[g] == nil {
				groups[g] = new([2]int)
			}
			groups[g][0]++
			if lost {
				groups[g][1]++
			}
		}
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		n := groups[g]
		if n[0] < minGroup || 2*n[1] < n[0] {
			continue
		}
		w.blind[g] = true
		w.delta.Notes = append(w.delta.Notes, Note{Kind: NoteBlind, Group: g, Old: []string{}, New: []string{}, Count: n[1], Of: n[0],
			Text: fmt.Sprintf("%d of %d endpoints that spoke before are lost at once: nothing in it counts as resolved", n[1], n[0])})
	}
	p.missing = w.renames(missing, known, p.renamed)
	for _, at := range retired {
		w.retire(m, at)
	}
	p.missing = slices.DeleteFunc(p.missing, func(b Brief) bool { return w.retired[b.Endpoint] })
	return p
}

// silent reports whether an endpoint has said nothing for so long that it is retired if it says nothing now.
func (w *weighing) silent(b Brief) bool {
	return !b.Silent.IsZero() && w.at.Sub(b.Silent) > retireAfter
}

// retire tells once that an endpoint hasn't spoken for long.
func (w *weighing) retire(m Memory, at Endpoint) {
	st := m.Load(at)
	if st == nil {
		return
	}
	st.Scope, st.Up = Retired, false
	m.Store(at, st, Digest{})
	w.retired[at] = true
	w.delta.Notes = append(w.delta.Notes, Note{Kind: NoteRetired, Endpoint: at, Old: []string{}, New: []string{}, Count: len(st.Open),
		Text: fmt.Sprintf("silent since %s; findings that it had: %d", st.Answered.Format(time.DateOnly), len(st.Open))})
}

// renames finds endpoints of the scan that nobody knows and that are known by another name: a name by its address, or the
// other way round. It returns who is still missing.
func (w *weighing) renames(missing []Brief, known []bool, renamed map[Endpoint]Endpoint) []Brief {
	if len(missing) == 0 {
		return nil
	}
	slices.SortFunc(missing, func(a, b Brief) int { return compareEndpoints(a.Endpoint, b.Endpoint) })
	byAddress := map[Endpoint][]int{}
	for i, b := range missing {
		for _, a := range append(b.Addresses, b.Host) {
			at := b.Endpoint
			at.Host = a
			byAddress[at] = append(byAddress[at], i)
		}
	}
	gone := map[int]bool{}
	for other := range w.snap.sorted { // so that of several it is always the same
		if n, _ := w.snap.places.Find(w.snap.key(other)); known[n] {
			continue
		}
		var hosts []string
		if other.addr().IsValid() {
			hosts = []string{other.Host}
		} else {
			for _, p := range w.snap.sight(other).parts {
				hosts = append(hosts, p.addr.Addr().Unmap().String())
			}
		}
		for _, h := range hosts {
			at := other
			at.Host = h
			for _, i := range byAddress[at] { // of several names the first
				if b := missing[i]; !gone[i] && b.addr().IsValid() != other.addr().IsValid() {
					renamed[other] = b.Endpoint
					gone[i] = true
					break
				}
			}
			if renamed[other] != (Endpoint{}) {
				break
			}
		}
	}
	var still []Brief
	for i, b := range missing {
		if !gone[i] {
			still = append(still, b)
		}
	}
	return still
}

func compareChanges(a, b Change) int {
	return cmp.Or(
		cmp.Compare(slices.Index(statusOrder, a.Status), slices.Index(statusOrder, b.Status)),
		cmp.Compare(b.Finding.Severity, a.Finding.Severity),
		compareEndpoints(a.Endpoint, b.Endpoint),
		cmp.Compare(a.Finding.ID, b.Finding.ID),
	)
}

func compareEndpoints(a, b Endpoint) int {
	return cmp.Or(a.addr().Compare(b.addr()), compareNames(a, b))
}

func compareNames(a, b Endpoint) int {
	return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port), cmp.Compare(a.Network, b.Network), cmp.Compare(a.Vantage, b.Vantage))
}
