package tlshello

import "slices"

// maxOrderQuestions is how many versions are asked whether the order is theirs, one less if the groups of RFC 7919 were asked for. It and the others that mode "full" asks
// beside accepted suites and groups and one refusal a version are at most 8: fallback, two refusals of a group, one curve
// put back, one sign of life.
const maxOrderQuestions = 3

// A suiteChain finds out all suites of a version, by leaving out of each hello what was chosen before.
type suiteChain struct {
	version Version
	parts   [][]Suite // the suites to offer, in as many hellos as it takes
	got     []Suite
	apart   bool    // groups of RFC 7919 alone are offered
	more    []Suite // what was chosen then
	yielded int     // how many parts had any
	fresh   bool
	done    bool
	lost    bool // the server stopped answering
}

func (c *suiteChain) finished() bool { return c.done }

func (c *suiteChain) question(e *enumeration) *Question {
	if c.apart {
		return e.compose(c.version, c.parts[0], integerGroups)
	}
	return e.compose(c.version, c.parts[0], offeredGroups(c.version))
}

func (c *suiteChain) take(e *enumeration, a asked) {
	switch a.verdict {
	case accepted:
		if c.fresh {
			c.yielded++
		}
		c.fresh = false
		if c.apart {
			c.more = append(c.more, a.Hello.Suite)
		} else {
			c.got = append(c.got, a.Hello.Suite)
		}
		c.parts[0] = slices.DeleteFunc(c.parts[0], func(s Suite) bool { return s == a.Hello.Suite })
		if len(c.parts[0]) > 0 {
			return
		}
	case hungUp:
		e.retract(func() { c.lost = true })
	case unclear:
		c.lost, c.done = true, true
		return
	}
	rest := c.parts[0]
	c.parts, c.fresh = c.parts[1:], true
	if failed(a) && len(c.got) > 0 && !c.apart {
		// It may have failed at Diffie-Hellman that it has no group for (Dovecot), and not at the others.
		others := slices.DeleteFunc(slices.Clone(rest), Suite.DHE)
		if len(others) > 0 && len(others) < len(rest) {
			c.parts, c.fresh = append([][]Suite{others}, c.parts...), false
		}
	}
	c.done = len(c.parts) == 0 || len(c.got) == 0
}

// failed reports whether an answer may come from a server that chose a suite and couldn't go on.
func failed(a asked) bool {
	return a.verdict == hungUp || a.verdict == refused && a.Alert != nil && a.Alert.Description == alertInternalError
}

// names returns what was found; nil if that isn't all.
func (c *suiteChain) names() []string {
	if c == nil || c.lost || !c.done {
		return nil
	}
	list := []string{}
	for _, s := range slices.Concat(c.got, c.more) {
		list = append(list, s.Name)
	}
	return list
}

// offeredFirst reports whether each choice was the first one offered that is accepted.
func (c *suiteChain) offeredFirst() bool {
	return slices.IsSortedFunc(c.got, func(a, b Suite) int { return weight(a) - weight(b) })
}

// A groupChain finds out all groups in the same way.
type groupChain struct {
	version Version
	suites  []Suite
	left    []Group
	got     []Group
	bound   Group // the curve of the only certificate, offered last: without it the suites can't be used (RFC 8422 §4)
	tried   bool  // it was looked for
	done    bool
	lost    bool
}

func (c *groupChain) finished() bool { return c.done }

func (c *groupChain) question(e *enumeration) *Question {
	groups := slices.Clone(c.left)
	if c.bound != 0 {
		groups = append(groups, c.bound)
	}
	return e.compose(c.version, c.suites, groups)
}

func (c *groupChain) take(e *enumeration, a asked) {
	v, group := a.verdict, Group(0)
	switch {
	case v != accepted:
	case c.version == TLS13:
		group = a.Hello.Group
	case a.Exchange == nil:
		v = unclear
	default:
		group = a.Exchange.Group
	}
	switch {
	case v == accepted && slices.Contains(c.left, group):
		c.got = append(c.got, group)
		c.left = slices.DeleteFunc(c.left, func(g Group) bool { return g == group })
		c.done = len(c.left) == 0
		return
	case v == unclear:
		c.lost = true
	case v == hungUp:
		e.retract(func() { c.lost = true })
	}
	c.done = true
	if c.ecdsaOnly() && !c.tried && len(c.got) > 0 && v != unclear {
		c.bound, c.tried, c.done = c.got[len(c.got)-1], true, false
	}
}

func (c *groupChain) ecdsaOnly() bool {
	return c.version < TLS13 && !slices.ContainsFunc(c.suites, func(s Suite) bool { return s.KeyExchange() != "ECDHE_ECDSA" })
}

func (c *groupChain) names() []string {
	if c == nil || c.lost || !c.done {
		return nil
	}
	list := []string{}
	for _, g := range c.got {
		list = append(list, g.String())
	}
	return list
}

// A chain asks one question after the other.
type chain interface {
	finished() bool
	question(*enumeration) *Question
	take(*enumeration, asked)
}

// run asks the next question of each chain, together, until all are finished.
func (e *enumeration) run(chains ...chain) {
	for {
		chains = slices.DeleteFunc(chains, chain.finished)
		if len(chains) == 0 {
			return
		}
		var questions []*Question
		for _, c := range chains {
			questions = append(questions, c.question(e))
		}
		for i, a := range e.put(questions...) {
			chains[i].take(e, a)
		}
	}
}

// namedIntegers asks for Diffie-Hellman over integers again, by the groups of RFC 7919, if a version gave none: a server that has no
// group of its own gives it to clients that name one (§4; GnuTLS does). What the highest version gives then, the others are
// asked for.
func (e *enumeration) namedIntegers() {
	var given []Suite
	asked := false
	for _, v := range slices.Backward(versions) {
		c := e.chains[v]
		if v >= TLS13 || v <= SSL3 || len(c.got) == 0 || c.lost || slices.ContainsFunc(c.got, Suite.DHE) || asked && len(given) == 0 {
			continue
		}
		left := suitesOf(v, Suite.DHE)
		if asked {
			left = slices.DeleteFunc(left, func(s Suite) bool { return !slices.Contains(given, s) })
		}
		if len(left) == 0 {
			continue
		}
		c.apart, c.done, c.parts = true, false, [][]Suite{left}
		e.run(c)
		if !asked {
			given, asked, e.spent = c.more, true, 1
		}
	}
}

// full asks for all suites and groups.
func (e *enumeration) full() {
	e.allSuites()
	e.namedIntegers()
	e.allGroups()
	e.order()
	e.fallback()
}

// allSuites offers everything at once. Only if that gets no version accepted, the server may be one that chokes on so
// much: it gets it in parts.
func (e *enumeration) allSuites() {
	for parts := 1; ; parts++ {
		questions, firsts := []*Question{}, []*suiteChain{}
		for _, v := range versions {
			all := suitesOf(v, nil)
			c := &suiteChain{version: v, parts: [][]Suite{all}, fresh: true}
			if parts > 1 {
				c.parts = inParts(v, all)
			}
			e.chains[v] = c
			firsts = append(firsts, c)
			questions = append(questions, c.question(e))
		}
		if parts == 1 {
			questions = append(questions, e.compose2())
		}
		answers := e.put(questions...)
		for i, c := range firsts {
			if answers[i].Question != nil {
				e.versionNoted(answers[i])
				c.take(e, answers[i])
			}
		}
		if parts == 1 && answers[len(firsts)].Question != nil {
			e.versionNoted(answers[len(firsts)])
		}
		if parts > 1 || e.o.oldest() != 0 || e.err != nil {
			break
		}
	}
	var all []chain
	for _, v := range versions {
		all = append(all, e.chains[v])
	}
	e.run(all...)
}

// inParts returns the usual suites, then the others, as many at a time as any server can take.
func inParts(v Version, all []Suite) [][]Suite {
	first := usual(v)
	rest := slices.DeleteFunc(slices.Clone(all), func(s Suite) bool { return slices.Contains(first, s) })
	return append([][]Suite{first}, slices.Collect(slices.Chunk(rest, maxSuites))...)
}

// allGroups asks for the groups of TLS 1.3, and of the highest version before it.
func (e *enumeration) allGroups() {
	var both []chain
	if c := e.chains[TLS13]; len(c.got) > 0 {
		e.groups[TLS13] = &groupChain{version: TLS13, suites: c.got, left: slices.Clone(groups13)}
		both = append(both, e.groups[TLS13])
	}
	if v := e.o.newest(TLS13); v > SSL3 {
		ecdhe := slices.DeleteFunc(slices.Clone(e.chains[v].got), func(s Suite) bool { return !s.ECDHE() })
		if free := slices.DeleteFunc(slices.Clone(ecdhe), func(s Suite) bool { return s.KeyExchange() == "ECDHE_ECDSA" }); len(free) > 0 {
			ecdhe = free // their certificate has no curve that the hello must name
		}
		e.groups[v] = &groupChain{version: v, suites: ecdhe, left: slices.Clone(curves), done: len(ecdhe) == 0}
		both = append(both, e.groups[v])
	}
	e.run(both...)
}

// order asks whether the server has an order of its own, if its choices were those of the client's order: it gets that
// order turned round, except that ChaCha20 stays last. A server with an order may still let a client have ChaCha20 that
// names it first, which tells it that the client has no AES in hardware (OpenSSL: SSL_OP_PRIORITIZE_CHACHA).
func (e *enumeration) order() {
	var questions []*Question
	for _, v := range slices.Backward(versions) {
		if c := e.chains[v]; len(c.got) > 1 && c.yielded == 1 && c.offeredFirst() && len(questions) < maxOrderQuestions-e.spent {
			reversed := slices.Clone(c.got)
			slices.Reverse(reversed)
			slices.SortStableFunc(reversed, func(a, b Suite) int { return btoi(chacha(a)) - btoi(chacha(b)) })
			questions = append(questions, e.compose(v, reversed, offeredGroups(v)))
		}
	}
	for _, a := range e.put(questions...) {
		if a.verdict == accepted {
			e.ordered[a.version] = factOf(uint16(a.Hello.Suite.ID) != a.suites[0])
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
