package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// A weighing compares one scan with what is known from those before.
type weighing struct {
	snap    *Snapshot
	confirm Confirmation
	at      time.Time
	blind   map[string]bool // groups
	accept  map[string]bool
	// before is how the scan before was made, now how this one is. Zero if that isn't known.
	before, now Header
	ruleKnown   func(id string, learned time.Time) bool // as in WeighOptions
	unchanged   bool                                    // list what didn't change, too
	hand        func([]Change, []Note)                  // takes what is told of an endpoint; nil if the delta does

	again    *Snapshot // a second look at those that are
	doubtful map[Endpoint]bool
	retired  map[Endpoint]bool // this time

	delta  *Delta
	causes map[string]*Note
}

// endpoint compares one endpoint. sight is empty if its name had no address.
func (w *weighing) endpoint(at Endpoint, st *Standing, sight *sighting) *telling {
	fresh := st.First.IsZero()
	if fresh {
		st.First = w.at
	}
	st.Scope = ""
	target, answered, level := at.target(), false, st.Level
	if st.Answered.IsZero() {
		level = probe.LevelGreeting
	}
	closed := len(sight.parts) > 0
	for i, p := range sight.parts {
		if i == 0 || p.answered {
			target = probe.Target{Network: at.Network, Addr: p.addr, Name: p.name}
		}
		answered, closed, level = answered || p.answered, closed && p.closed, max(level, p.level)
		if p.answered {
			st.Protocol = cmp.Or(p.speaks, p.protocol)
		}
	}
	t := &telling{w: w, at: at, st: st, sight: sight, fresh: fresh, blind: w.isBlind(at), learned: st.Learned}
	if w.doubtful[at] {
		t.again = cmp.Or(w.again.sight(at), new(sighting))
	}
	t.change = Change{Protocol: st.Protocol, Target: target, Endpoint: at, Added: []Item{}, Removed: []Item{}}
	t.rules()
	t.facts()
	t.flush()
	for _, p := range sight.parts {
		if a := p.addr.Addr().String(); p.answered && !slices.Contains(st.Heard, a) {
			st.Heard = append(st.Heard, a)
		}
	}
	if slices.ContainsFunc(sight.parts, func(p *part) bool { return p.outcome == probe.OutcomeOK }) {
		st.Learned = w.at
	}
	if answered {
		st.Answered, st.Up, st.Level = w.at, true, level
	} else if closed && !t.blind || w.accepted(at) {
		st.Up = false
	}
	return t
}

func (w *weighing) isBlind(at Endpoint) bool {
	return !w.accepted(at) && slices.ContainsFunc(at.Groups(), func(g string) bool { return w.blind[g] })
}

func (w *weighing) accepted(at Endpoint) bool {
	return slices.ContainsFunc(at.Groups(), func(g string) bool { return w.accept[g] })
}

// cause counts a difference that follows from how it was asked or judged.
func (w *weighing) cause(kind, text, id string) {
	n := w.causes[kind]
	if n == nil {
		n = &Note{Kind: NoteCause, Fact: kind, Old: []string{}, New: []string{}, Text: text}
		w.causes[kind] = n
	}
	n.Count++
	if !slices.Contains(n.New, id) {
		n.New = append(n.New, id)
	}
}

// retold counts a finding that both scans have by a rule that neither was judged by when it was stored.
func (w *weighing) retold(rule string) { w.cause("rules", "rules of this version", rule) }

// A telling is what is told of one endpoint.
type telling struct {
	w     *weighing
	at    Endpoint
	st    *Standing
	sight *sighting
	again *sighting // a second look; nil if there was none
	fresh bool
	blind bool
	// learned is when the endpoint was before.
	learned time.Time
	change  Change // with what all changes of the endpoint have

	items   []Item // that changes told
	changes []Change
	notes   []Note
}

func (t *telling) rules() {
	s := t.w.snap
	for i := range s.foreign {
		held := t.held(i)
		if held == nil && i < s.base && !t.mayFire(i) {
			continue // by far the most
		}
		if r := t.ask(i); held != nil || r.letter == answerFires {
			t.rule(s.rules[i], i, held, r)
		}
	}
	for _, id := range t.strangers() {
		rule := Rule{ID: id, Title: id}
		n, known := s.number[id]
		if known {
			rule = s.rules[n]
		} else {
			n = -1
		}
		t.rule(rule, n, t.st.Open[id], t.askStranger(n, t.st.Open[id]))
	}
}

// mayFire reports whether a rule fires at one of the addresses.
func (t *telling) mayFire(rule int) bool {
	return slices.ContainsFunc(t.sight.parts, func(p *part) bool {
		return p.answers[rule] == answerFires || p.answers[rule] == answerRetold
	})
}

// rule moves one finding on.
func (t *telling) rule(rule Rule, n int, held *Held, r ruling) {
	if held != nil && !held.Confirmed.IsZero() {
		t.w.delta.Known++
	}
	switch {
	case r.letter == answerFires:
		t.fires(rule, n, held, r)
	case held == nil:
	case r.letter != answerNo:
		t.unknown(rule, held, r.reason)
	case t.blind:
		t.unknown(rule, held, "too many of its group were lost at once")
	case t.lost(held):
		t.unknown(rule, held, "not learned this time")
	default:
		t.no(rule, held)
	}
}

// unknown notes that a finding wasn't learned.
func (t *telling) unknown(rule Rule, held *Held, reason string) {
	held.Unknown++
	held.Reason = reason
	if !held.Confirmed.IsZero() {
		t.w.delta.Lost++
		t.tell(Unknown, rule, held, reason)
	}
}

// no deals with a finding that isn't there, as far as it was judged by what found it.
func (t *telling) no(rule Rule, held *Held) {
	switch t.lacks(rule.ID, held) {
	case lackUntold:
		t.unknown(rule, held, "no rule of this name is known here")
	case lackAll:
		t.lacking(rule.ID)
		t.unknown(rule, held, "judged by less than the scan that found it")
	case lackOther:
		t.lacking(rule.ID)
		delete(t.st.Open, rule.ID)
	default:
		t.notSo(rule, held)
	}
}

// lost reports whether what proved a finding is among what wasn't learned this time.
func (t *telling) lost(h *Held) bool {
	return slices.ContainsFunc(t.sight.parts, func(p *part) bool {
		return slices.ContainsFunc(p.lost, func(pointer string) bool {
			return pointer != "/evidence" && slices.ContainsFunc(h.Basis, func(basis string) bool { return beside(basis, pointer) })
		})
	})
}

// beside reports whether a pointer is, or is under, another one, or both are into one list, whose order may have changed.
func beside(a, b string) bool {
	return under(a, b) || under(b, a) || list(a) != "" && list(a) == list(b)
}

// list is the pointer to the first list that a pointer leads into; empty if it leads into none.
func list(pointer string) string {
	for i := 0; i < len(pointer); i++ {
		if pointer[i] == '/' && i+1 < len(pointer) && pointer[i+1] >= '0' && pointer[i+1] <= '9' {
			return pointer[:i]
		}
	}
	return ""
}

func (t *telling) fires(rule Rule, n int, held *Held, r ruling) {
	w := t.w
	isNew, lacks := held == nil, lackNone
	if !isNew {
		lacks = t.lacks(rule.ID, held)
	} else {
		held = &Held{Severity: r.finding.Severity, First: w.at, Items: map[string]*HeldItem{}}
		if t.st.Open == nil {
			t.st.Open = map[string]*Held{}
		}
		t.st.Open[rule.ID] = held
	}
	see(&held.Hits, true)
	held.Misses, held.Unknown, held.Reason, held.Last = 0, 0, "", w.at
	held.Known, held.Detail, held.Basis, held.With = r.finding.Known, r.finding.Detail, r.finding.Basis, r.with
	held.Accepted = r.finding.Accepted
	if len(held.With) > maxHolders {
		held.With = held.With[:maxHolders]
	}
	if b := t.by(rule.ID); b != (by{}) && (lacks != lackAll || w.snap.isStranger(rule.ID)) {
		held.By = b.String()
	}
	waited := held.Confirmed.IsZero()
	added, removed := t.compareItems(held, r.finding.Items, waited, lacks == lackAll)
	was := Severity(0)
	if held.Severity != r.finding.Severity {
		was, held.Severity = held.Severity, r.finding.Severity
	}
	ratedAnew := held.own != 0 && held.own == r.own
	held.own = r.own
	if waited {
		if w.enough(held.Hits) {
			held.Confirmed = w.at
			t.confirmed(rule, n, held, r, isNew)
		}
		return
	}
	if (lacks == lackOther || lacks == lackAll) && (len(added)+len(removed) > 0 || was != 0 || len(held.Items) > len(r.finding.Items)) {
		t.lacking(rule.ID)
		added, removed, was = nil, nil, 0
	}
	switch {
	case held.retold:
		w.retold(rule.ID)
	case was != 0 && judgedOtherwise(w.before, w.now) && w.before.Digests.Profile != w.now.Digests.Profile:
		w.cause("profile", "another severity profile", rule.ID)
		was = 0
	case was != 0 && judgedOtherwise(w.before, w.now):
		w.cause("rules", "rules of this version", rule.ID)
		was = 0
	case was != 0 && ratedAnew && unnamed(w.before, w.now):
		w.cause("ratings", "other severities, by a profile or rules that the files don't name", rule.ID)
		was = 0
	}
	c := t.base(rule, held)
	c.Added, c.Removed, c.Was = append(c.Added, added...), append(c.Removed, removed...), was
	switch {
	case len(added)+len(removed) > 0 || was != 0:
		c.Status = Changed
		t.items = append(append(t.items, added...), removed...)
		t.add(c)
	default:
		t.tell(Unchanged, rule, held, "")
	}
}

// judgedOtherwise reports whether two scans say that they were judged in different ways, from which other severities follow.
func judgedOtherwise(before, now Header) bool {
	return before.Scan != "" && now.Scan != "" && before.Digests != now.Digests
}

// unnamed reports whether one of two scans doesn't say how it was judged. What the rules of today rate the same in both was
// rated in different ways, then.
func unnamed(before, now Header) bool { return before.Scan == "" || now.Scan == "" }

// confirmed tells of a finding that is believed from now on, unless it follows from how it was asked or judged.
func (t *telling) confirmed(rule Rule, n int, held *Held, r ruling, isNew bool) {
	w := t.w
	switch letter, reason := t.prior(rule, n); {
	case isNew && w.ruleKnown != nil && !t.fresh && !w.ruleKnown(rule.ID, t.learned):
		w.cause("rules", "rules of this version", rule.ID)
	case letter == answerUnknown && reason == "level":
		w.cause("level", "asked at a deeper level than before", rule.ID)
	case letter == answerUnknown && reason == "protocols":
		w.cause("protocols", "protocols that weren't asked for before", rule.ID)
	case letter == answerUnknown && reason == "data":
		t.lacking(rule.ID)
	case letter == answerUnknown:
		t.tell(Unknown, rule, held, "whether it is new isn't known: "+reason)
	default:
		c := t.base(rule, held)
		c.Status = New
		t.items = append(t.items, c.Finding.Items...)
		t.add(c)
	}
}

// prior says what was known of a rule before it fired.
func (t *telling) prior(rule Rule, n int) (letter byte, reason string) {
	w := t.w
	switch {
	case w.before.Scan != "" && len(w.before.Protocols) > 0 && t.fresh && t.st.Protocol != "unknown" && !slices.Contains(w.before.Protocols, t.st.Protocol):
		return answerUnknown, "protocols"
	case t.fresh:
		return answerNo, ""
	case t.st.prior != nil && n >= 0 && n < w.snap.foreign:
		letter, reason = t.st.prior(n)
		if letter == answerUnknown && slices.ContainsFunc(t.sight.parts, func(p *part) bool { return p.level > t.st.Level }) {
			reason = "level"
		}
		return letter, reason
	case w.before.Scan != "" && w.now.Scan != "" && t.by(rule.ID).data != w.dataBefore(rule.ID):
		return answerUnknown, "data"
	case rule.Needs.Level > t.st.Level && !t.st.Answered.IsZero():
		return answerUnknown, "level"
	case t.st.stranger != nil:
		return t.st.stranger(rule.ID)
	}
	return answerNo, ""
}

func (t *telling) notSo(rule Rule, held *Held) {
	see(&held.Hits, false)
	if held.Confirmed.IsZero() {
		if held.Hits&(1<<t.w.confirm.Of-1) == 0 {
			delete(t.st.Open, rule.ID)
		}
		return
	}
	held.Unknown, held.Reason = 0, ""
	if held.Misses++; held.Misses < t.w.confirm.Gone {
		return // it waits to be told
	}
	delete(t.st.Open, rule.ID)
	c := t.base(rule, held)
	c.Status, c.Confirmed = Resolved, t.w.at
	t.items = append(t.items, c.Finding.Items...)
	t.add(c)
}

// base is a change of a held finding.
func (t *telling) base(rule Rule, held *Held) Change {
	c := t.change
	c.FirstSeen, c.Confirmed = held.First, held.Confirmed
	c.Finding = rule.finding(&probe.Result{Target: c.Target}, &Proof{Known: held.Known, Basis: append([]string{}, held.Basis...), Items: held.told(), Detail: held.Detail})
	c.Finding.Severity, c.Finding.Accepted = held.Severity, held.Accepted
	return c
}

func (t *telling) tell(s Status, rule Rule, held *Held, reason string) {
	if s == Unchanged {
		t.w.delta.Unchanged++
		if !t.w.unchanged {
			return
		}
	}
	c := t.base(rule, held)
	c.Status, c.Reason = s, reason
	t.add(c)
}

func (t *telling) add(c Change) { t.changes = append(t.changes, c) }

// flush tells what there is to tell of the endpoint.
func (t *telling) flush() {
	if t.w.hand == nil {
		t.w.delta.Changes, t.w.delta.Notes = append(t.w.delta.Changes, t.changes...), append(t.w.delta.Notes, t.notes...)
		return
	}
	slices.SortFunc(t.changes, compareChanges)
	t.w.hand(t.changes, t.notes)
}

func describe(values []string) string {
	const most = 6
	if len(values) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(values[:most], ", "), len(values)-most)
	}
	return strings.Join(values, ", ")
}
