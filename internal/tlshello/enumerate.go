package tlshello

import (
	"errors"
	"io"
	"slices"
)

// Config says what to ask.
type Config struct {
	Mode Mode
	// ServerName is the name asked for; empty for none. An address is none (RFC 6066 §3).
	ServerName string
	// Rand is where the random bytes of hellos come from. They are drawn before the questions are asked, in their order.
	Rand io.Reader
}

// Ask puts questions to the server, each on a new connection that it leads to where TLS begins, and returns their
// answers in the same order. The questions depend on each other in nothing, so that they may be asked side by side; there
// are at most 9. An answer that is nil, or not there, says that nothing was learned. An error ends the enumeration; the
// answers beside it count.
type Ask func([]*Question) ([]*Answer, error)

// maxQuestions bounds an enumeration: more than twice the suites that OpenSSL 3 has in five versions, and less than what
// a server could be made up to accept.
const maxQuestions = 1024

// maxWeakQuestions is what ModeWeak promises.
const maxWeakQuestions = 15

var errTooMany = errors.New("the server accepts more suites than there are real servers for")

// Enumerate finds out what a server accepts. The offers are never nil; beside an error they hold what was learned before
// it. They count a hang-up as a refusal only if the server went on answering afterwards.
func Enumerate(c Config, ask Ask) (*Offers, error) {
	e := &enumeration{
		composer: composer{name: c.ServerName, rand: c.Rand}, ask: ask, o: &Offers{Mode: c.Mode},
		first: map[Version]*Answer{}, chains: map[Version]*suiteChain{}, ordered: map[Version]Fact{},
		groups: map[Version]*groupChain{},
	}
	switch c.Mode {
	case ModeFull:
		e.full()
	case ModeWeak:
		e.versions()
		e.weak()
		e.fallback()
	default:
		e.versions()
	}
	e.reassure()
	e.conclude()
	return e.o, e.err
}

// An enumeration is one under way.
type enumeration struct {
	composer
	ask Ask
	o   *Offers
	err error

	first     map[Version]*Answer // what was accepted of the first hello of a version
	chains    map[Version]*suiteChain
	ordered   map[Version]Fact
	groups    map[Version]*groupChain
	spent     int      // questions of those that are for the order
	retracted []func() // undo what was concluded from hang-ups since the last sign of life
}

// asked is a question with its answer.
type asked struct {
	*Question
	*Answer
	verdict
}

// put asks what was composed. After an error it asks nothing, and everything is unclear.
func (e *enumeration) put(questions ...*Question) []asked {
	all := make([]asked, len(questions))
	for i, q := range questions {
		all[i].Question = q
	}
	if e.err == nil && e.o.Connections+len(questions) > maxQuestions {
		e.err = errTooMany
	}
	if e.err != nil || len(questions) == 0 {
		return all
	}
	e.o.Connections += len(questions)
	var answers []*Answer
	answers, e.err = e.ask(questions)
	for i, a := range answers[:min(len(answers), len(all))] {
		if a == nil {
			continue
		}
		all[i].Answer, all[i].verdict = a, questions[i].verdict(a)
		e.learn(all[i])
	}
	if slices.ContainsFunc(all, func(a asked) bool { return a.verdict == accepted || a.verdict == refused }) {
		e.retracted = nil // of the batches before; this one's come later
	}
	return all
}

// compose makes a question; nil beside the enumeration's error.
func (e *enumeration) compose(v Version, suites []Suite, groups []Group, signals ...uint16) (q *Question) {
	if e.err == nil {
		q, e.err = e.question(v, suites, groups, signals...)
	}
	return q
}

// learn takes over what any answer may tell beside its verdict.
func (e *enumeration) learn(a asked) {
	if a.verdict != accepted || a.Hello == nil {
		return
	}
	if len(a.Chain) > 0 && !slices.ContainsFunc(e.o.Chains, func(c [][]byte) bool { return string(c[0]) == string(a.Chain[0]) }) {
		e.o.Chains = append(e.o.Chains, a.Chain)
	}
	if x := a.Exchange; x != nil && x.Prime != nil {
		hash := primeHash(x.Prime)
		if !slices.ContainsFunc(e.o.DH, func(g DHGroup) bool { return g.PrimeSHA256 == hash }) {
			e.o.DH = append(e.o.DH, DHGroup{
				Bits: x.Prime.BitLen(), GeneratorBits: x.Generator.BitLen(), PrimeSHA256: hash, Shared: SharedPrime(x.Prime),
				Version: a.version.String(), Suite: a.Hello.Suite.Name,
			})
		}
	}
}

// judge notes a verdict as a fact.
func (e *enumeration) judge(v verdict, fact *Fact) {
	switch v {
	case accepted:
		*fact = Yes
	case refused:
		*fact = No
	case hungUp:
		*fact = No
		e.retract(func() { *fact = Unknown })
	}
}

func (e *enumeration) retract(f func()) { e.retracted = append(e.retracted, f) }

// versionNoted notes the answer to the first hello of a version.
func (e *enumeration) versionNoted(a asked) {
	e.judge(a.verdict, e.o.version(a.version))
	if a.verdict == accepted {
		e.first[a.version] = a.Answer
	}
}

// versions asks for each version.
func (e *enumeration) versions() {
	questions := []*Question{e.compose2()}
	for _, v := range versions {
		questions = append(questions, e.compose(v, usual(v), offeredGroups(v)))
	}
	for _, a := range e.put(questions...) {
		if a.Question != nil {
			e.versionNoted(a)
		}
	}
}

func (e *enumeration) compose2() (q *Question) {
	if e.err == nil {
		q, e.err = e.question2()
	}
	return q
}

// weak asks for each weak class by the highest version that has it, since a server's list of suites is for all versions;
// export suites by the lowest, since TLS 1.1 forbids them (RFC 4346 §A.5).
func (e *enumeration) weak() {
	o := e.o
	o.Weak = new(WeakOffers)
	pending := e.classesApart()
	for first := true; first || len(pending) > 0; first = false {
		var questions []*Question
		for _, classes := range pending {
			questions = append(questions, e.classQuestion(classes))
		}
		if first && o.TLS13 == Yes {
			questions = append(questions, e.compose(TLS13, usual(TLS13), postQuantumGroups))
		}
		answers := e.put(questions...)
		var left [][]namedClass
		for i, classes := range pending {
			if rest := e.judgeClasses(classes, answers[i]); len(rest) > 0 {
				left = append(left, rest)
			}
		}
		if len(questions) > len(pending) {
			last := answers[len(pending)]
			if e.judge(last.verdict, &o.PostQuantum); last.verdict == accepted {
				o.PostQuantumGroup = last.Hello.Group.String()
			}
		}
		pending = left
	}
}

// classesApart returns the classes that are asked for together. Those that no server with TLS 1.3 has unless it is told to share a
// question there, which leaves one for a sign of life.
func (e *enumeration) classesApart() (apart [][]namedClass) {
	if e.o.newest(TLS13) == 0 {
		return nil
	}
	var rare []namedClass
	for _, class := range e.o.Weak.classes() {
		if e.o.TLS13 == Yes && (class.name == "null" || class.name == "rc4" || class.name == "block64") {
			rare = append(rare, class)
		} else {
			apart = append(apart, []namedClass{class})
		}
	}
	if rare != nil {
		apart = append(apart, rare)
	}
	return apart
}

func (e *enumeration) classQuestion(classes []namedClass) *Question {
	v := e.o.newest(TLS13)
	if classes[0].name == "export" {
		v = e.o.oldest()
	}
	suites := suitesOf(v, func(s Suite) bool { return slices.ContainsFunc(classes, func(c namedClass) bool { return c.has(s) }) })
	return e.compose(v, suites[:min(len(suites), maxSuites)], offeredGroups(v))
}

// judgeClasses notes the answer to a question for classes, and returns those of which it says nothing since another was chosen.
func (e *enumeration) judgeClasses(classes []namedClass, a asked) (left []namedClass) {
	for _, class := range classes {
		switch {
		case a.verdict != accepted:
			e.judge(a.verdict, &class.Accepted)
		case class.has(a.Hello.Suite):
			*class.Class = Class{Yes, a.version.String(), a.Hello.Suite.Name}
		default:
			left = append(left, class)
		}
	}
	return left
}

// fallback asks for the second highest version as a client does that failed with the highest (RFC 7507 §4).
func (e *enumeration) fallback() {
	v := e.o.newest(e.o.newest(TLS13 + 1))
	if v == 0 {
		return
	}
	for _, a := range e.put(e.compose(v, usual(v), offeredGroups(v), fallbackSCSV)) {
		switch {
		case a.Answer == nil:
		case a.verdict == accepted:
			e.o.FallbackSCSV = No
		case a.Alert != nil && a.Alert.Description == alertInappropriateFallback:
			e.o.FallbackSCSV = Yes
		case a.verdict == hungUp: // as Dovecot does, which sends no alerts; without the signal this version was accepted
			e.o.FallbackSCSV = Yes
			e.retract(func() { e.o.FallbackSCSV = Unknown })
		}
	}
}

// reassure makes sure, if the last answers were hang-ups, that the server is still there: else they may be a limit on
// connections. It asks what was accepted before. A server that accepts each weak class leaves no question for that.
func (e *enumeration) reassure() {
	spent := e.o.Mode == ModeWeak && e.o.Connections >= maxWeakQuestions
	if v := e.o.newest(TLS13 + 1); v != 0 && len(e.retracted) > 0 && !spent {
		e.put(e.compose(v, usual(v), offeredGroups(v)))
	}
	for _, f := range e.retracted {
		f()
	}
}
