package finding

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// memory is a snapshot as what is known, for one comparison.
type memory struct {
	snap *Snapshot
	list bool // what didn't change, too
	// retold takes each rule that fires and whose finding isn't stored, at an endpoint that didn't change.
	retold func(rule string)
}

func (m memory) Endpoints() iter.Seq[Brief] {
	return func(yield func(Brief) bool) {
		for n, k := range m.snap.sights {
			if k == "" {
				continue
			}
			b := Brief{Endpoint: m.snap.at(n), Up: k.answered()}
			for packed := range k.parts {
				if p := m.snap.unpack(packed); p.name != "" {
					b.Addresses = append(b.Addresses, p.addr.Addr().Unmap().String())
				}
			}
			if !yield(b) {
				return
			}
		}
	}
}

// Load asks what the scan says of an endpoint as if nothing had been known before.
func (m memory) Load(at Endpoint) *Standing {
	sight := m.snap.sight(at)
	if sight == nil {
		return nil
	}
	st := new(Standing)
	d := Delta{Complete: m.snap.Complete()}
	w := &weighing{snap: m.snap, confirm: Confirmation{1, 1, 1}, at: m.snap.to, now: m.snap.header(), delta: &d, causes: map[string]*Note{}}
	w.endpoint(at, st, sight)
	t := &telling{w: w, at: at, st: st, sight: sight}
	for _, v := range m.snap.rules[:m.snap.foreign] {
		if held := st.Open[v.ID]; held != nil {
			held.retold = t.ruling(m.snap.number[v.ID]).retold
		}
	}
	st.prior, st.stranger = t.before, t.strangerBefore
	return st
}

func (memory) Store(Endpoint, *Standing, Digest) {}
func (memory) Alias(Endpoint, Endpoint)          {}

// Same goes by what both scans learned.
func (m memory) Same(at Endpoint, same Digest, _ time.Time) (known int, ok bool) {
	if m.list || m.snap.digest(at) != same {
		return 0, false
	}
	if p := m.snap.only(at); p != nil && len(m.snap.number) == len(m.snap.rules) {
		return m.open(p), true
	}
	open := m.Load(at).Open
	for rule, held := range open {
		if held.retold {
			m.retold(rule)
		}
	}
	return len(open), true
}

// open returns how many findings an endpoint has of which there is one part, if each rule has a name of its own. It is what Load
// finds, for less.
func (m memory) open(p *part) (n int) {
	s := m.snap
	for i := range len(p.answers) {
		switch p.answers[i] {
		case answerRetold:
			m.retold(s.rules[i].ID)
			n++
		case answerFires:
			n++
		}
	}
	for i, shared := range p.marks {
		others := func(mark Mark) bool { return len(s.shared[i].others(mark.Value, host{p.name, p.addr})) > 0 }
		if shared.learned && !p.closed && slices.ContainsFunc(shared.marks, others) {
			n++
		}
	}
	for i, v := range p.fires {
		told := func(before *verdict) bool { return before.rule == v.rule }
		if v.rule >= s.foreign && !slices.ContainsFunc(p.fires[:i], told) {
			n++
		}
	}
	return n
}

// before is what a scan says by itself of a rule that doesn't fire in it.
func (t *telling) before(rule int) (letter byte, reason string) {
	r := t.ruling(rule)
	if r.letter != answerUnknown || rule < t.w.snap.base && slices.ContainsFunc(t.sight.parts, func(p *part) bool {
		return p.answers[rule] == answerWeakNo || p.answers[rule] == answerWithdrew
	}) {
		return answerNo, "" // if a weak one: nobody could tell better then
	}
	return answerUnknown, r.reason
}

// strangerBefore is what it says of a rule that nobody here knows: that it isn't so only if it learned what it was judged by.
func (t *telling) strangerBefore(id string) (letter byte, reason string) {
	for _, p := range t.sight.parts {
		software := strings.HasPrefix(id, "software.") && slices.ContainsFunc(p.facts, func(f *fact) bool { return strings.HasSuffix(f.path, pathSoftware) })
		if p.outcome != probe.OutcomeOK && !p.closed && !software && t.counts(p) {
			return answerUnknown, t.reason(p, Rule{})
		}
	}
	return answerNo, ""
}

var statusOrder = []Status{New, Changed, Resolved, Unknown, Unchanged}
