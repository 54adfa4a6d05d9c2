package finding

import "slices"

// ask says what the scan says of a rule; if there was a second look, what both say.
func (t *telling) ask(rule int) ruling {
	return t.twice(func(t *telling) ruling { return t.ruling(rule) }, t.held(rule))
}

// askStranger does so for a rule that nobody knows here.
func (t *telling) askStranger(rule int, held *Held) ruling {
	return t.twice(func(t *telling) ruling { return t.stranger(rule) }, held)
}

func (t *telling) held(rule int) *Held { return t.st.Open[t.w.snap.rules[rule].ID] }

func (t *telling) twice(ask func(*telling) ruling, held *Held) ruling {
	first := ask(t)
	if t.again == nil {
		return first
	}
	then := *t
	then.sight = t.again
	return first.agree(ask(&then), held)
}

// agree returns what two looks have in common. What one of them saw is enough for what is known already, and not for what is new.
func (r ruling) agree(o ruling, held *Held) ruling {
	known := held != nil && !held.Confirmed.IsZero()
	switch {
	case r.letter == answerFires && o.letter == answerFires:
	case known && r.letter == answerFires:
		return r
	case known && o.letter == answerFires:
		return o
	case r.letter == o.letter:
		return r
	default:
		return ruling{letter: answerUnknown, reason: "a second look said otherwise"}
	}
	among := func(items []Item, value string) bool {
		return slices.ContainsFunc(items, func(i Item) bool { return i.Value == value })
	}
	both := r.finding
	both.Items = nil
	for _, item := range r.finding.Items {
		if among(o.finding.Items, item.Value) || known && held.item(item.Value) != nil {
			both.Items = append(both.Items, item)
		}
	}
	for _, item := range o.finding.Items {
		if known && held.item(item.Value) != nil && !among(both.Items, item.Value) {
			both.Items = append(both.Items, item)
		}
	}
	if len(both.Items) == 0 && len(r.finding.Items) > 0 {
		return ruling{letter: answerUnknown, reason: "a second look said otherwise"}
	}
	r.finding = both
	return r
}
