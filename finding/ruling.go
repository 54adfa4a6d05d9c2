package finding

import (
	"cmp"
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// A ruling is what a scan says of one rule at an endpoint.
type ruling struct {
	letter  byte // fires, no or unknown
	retold  bool
	reason  string
	finding Finding
	own     Severity // the finding's, by the rule of today; zero if nobody here knows the rule
	with    []Endpoint
}

// strangers lists rules that nobody knows here, and of which there are findings.
func (t *telling) strangers() (ids []string) {
	for id := range t.st.Open {
		if t.w.snap.isStranger(id) {
			ids = append(ids, id)
		}
	}
	for _, p := range t.sight.parts {
		for _, v := range p.fires {
			if id := t.w.snap.rules[v.rule].ID; v.rule >= t.w.snap.foreign && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// counts reports whether a part that doesn't tell matters: somebody spoke at its address, now or before. An address of a
// name that never answers keeps nothing open.
func (t *telling) counts(p *part) bool {
	return p.answered || len(t.sight.parts) == 1 || slices.Contains(t.st.Heard, p.addr.Addr().String())
}

func (t *telling) ruling(i int) ruling {
	s := t.w.snap
	if i >= s.base {
		return t.comparison(i - s.base)
	}
	r := ruling{letter: answerUnknown, reason: t.unasked()}
	said, unknown := false, ""
	for _, p := range t.sight.parts {
		switch letter := p.answers[i]; {
		case letter == answerFires || letter == answerRetold:
			r.letter, r.retold = answerFires, letter == answerRetold
			r.merge(p, i)
		case (letter == answerNo || letter == answerWithdrew && !p.old) && !t.askedLess(p):
			said = true
		case t.counts(p):
			unknown = cmp.Or(unknown, t.reason(p, s.rules[i]))
		}
	}
	switch {
	case r.letter == answerFires:
	case unknown != "":
		r.reason = unknown
	case said:
		r.letter = answerNo
	}
	return r
}

// askedLess reports whether the same service was asked further before: what it wasn't asked it can't have denied.
func (t *telling) askedLess(p *part) bool {
	return p.answered && p.level < t.st.Level && !t.st.Answered.IsZero() && p.protocol == t.st.Protocol
}

// unasked says why there is no part at all.
func (t *telling) unasked() string {
	if len(t.sight.parts) == 0 {
		return "the name had no address this time"
	}
	return "not reached this time: " + string(t.sight.parts[0].outcome)
}

// merge adds what a part says to what others said.
func (r *ruling) merge(p *part, rule int) {
	for _, v := range p.fires {
		if v.rule != rule {
			continue
		}
		f := v.finding
		f.Severity = v.rated
		r.own = max(r.own, v.own)
		if r.finding.Severity == 0 {
			r.finding = f
			r.finding.Items = slices.Clone(f.Items)
			continue
		}
		r.finding.Severity = max(r.finding.Severity, f.Severity)
		for _, item := range f.Items {
			if !slices.ContainsFunc(r.finding.Items, func(known Item) bool { return known.Value == item.Value }) {
				r.finding.Items = append(r.finding.Items, item)
			}
		}
	}
}

// reason says why a result doesn't tell.
func (t *telling) reason(p *part, rule Rule) string {
	switch {
	case !p.answered:
		return "not reached this time: " + string(p.outcome)
	case p.outcome == probe.OutcomeBusy:
		return "the server was busy"
	case p.outcome == probe.OutcomeDenied:
		return "the server turned this client away"
	case p.outcome == probe.OutcomeNotProtocol && p.speaks == "":
		return "what answered speaks nothing that is known here, as a busy server may"
	case p.level < rule.Needs.Level, !t.st.Answered.IsZero() && p.level < t.st.Level:
		return "asked at level " + p.level.String() + " this time"
	case p.outcome != probe.OutcomeOK:
		return "the probe ended early this time: " + string(p.outcome)
	case p.old:
		return "stored by a version that doesn't tell what was missed"
	case rule.Needs.Knob != "":
		return "not asked this time: needs " + rule.Needs.Knob
	}
	return "not learned this time"
}

// comparison judges a rule over the whole scan. That the others who shared a mark weren't learned proves nothing.
func (t *telling) comparison(c int) ruling {
	s := t.w.snap
	rule := s.rules[s.base+c]
	r := ruling{letter: answerUnknown, reason: t.unasked()}
	held := t.st.Open[rule.ID]
	var items []Item
	var others []host
	var accepted []Acceptance
	still := false
	said, unknown := false, ""
	for _, p := range t.sight.parts {
		switch {
		case p.closed:
			said = true
		case p.marks == nil || !p.marks[c].learned:
			if t.counts(p) {
				unknown = cmp.Or(unknown, t.reason(p, rule))
			}
		default:
			said = true
			for _, v := range p.fires {
				if v.rule == s.base+c {
					accepted = v.finding.Accepted
				}
			}
			for _, m := range p.marks[c].marks {
				still = still || held != nil && held.item(m.Value) != nil
				if with := s.shared[c].others(m.Value, host{p.name, p.addr}); len(with) > 0 {
					items, others = append(items, Item(m)), append(others, with...)
				}
			}
		}
	}
	for _, h := range others {
		if at := EndpointOf(probe.Target{Network: t.at.Network, Addr: h.addr, Name: h.name}, t.at.Vantage); !slices.Contains(r.with, at) {
			r.with = append(r.with, at)
		}
	}
	switch {
	case len(items) > 0:
		p := FiresOn(s.comparisons[c].known(), items).With("also on " + others[0].String()).proof
		r.letter = answerFires
		r.finding = Finding{Severity: rule.Severity, Known: p.Known, Basis: p.Basis, Items: p.Items, Detail: p.Detail, Accepted: accepted}
	case unknown != "":
		r.reason = unknown
	case said && still && !t.othersLearned(held, c):
		r.reason = "the others that have it weren't learned this time"
	case said:
		r.letter = answerNo
	}
	return r
}

// othersLearned reports whether the hosts that shared a mark can be said not to have it any more.
func (t *telling) othersLearned(held *Held, c int) bool {
	for _, at := range held.With {
		sight := t.w.snap.sight(at)
		if sight == nil {
			if t.w.delta.Complete == probe.Yes {
				continue
			}
			return false
		}
		if !slices.ContainsFunc(sight.parts, func(p *part) bool { return p.closed || p.marks != nil && p.marks[c].learned }) || t.w.isBlind(at) {
			return false
		}
	}
	return true
}

// stranger judges a rule that nobody knows here by what is stored. That a finding isn't there says something only if the scan
// was judged as the one that found it.
func (t *telling) stranger(rule int) ruling {
	r := ruling{letter: answerUnknown, reason: t.unasked()}
	whole := len(t.sight.parts) > 0
	for _, p := range t.sight.parts {
		if !p.closed && (p.outcome != probe.OutcomeOK || len(p.lost) > 0 || p.old) {
			whole, r.reason = false, t.reason(p, Rule{})
		}
		if slices.ContainsFunc(p.fires, func(v *verdict) bool { return v.rule == rule }) {
			r.letter = answerFires
			r.merge(p, rule)
		}
	}
	if r.letter != answerFires && whole {
		r.letter, r.reason = answerNo, ""
	}
	return r
}
