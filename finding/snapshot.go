package finding

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/handclasp/handclasp/internal/texts"
	"github.com/handclasp/handclasp/probe"
)

// A Snapshot is what one scan learned of each endpoint: what the rules answer, and the facts that identify it. It doesn't
// hold the results, and its memory grows with the endpoints and with what is different among them. Results, headers
// and footers are added in any order; those of several shards make one scan.
type Snapshot struct {
	rules       []Rule // the comparisons' behind the others, and then those of stored findings that nobody knows
	base        int    // the first comparison's
	foreign     int    // the first unknown one's
	comparisons []Comparison
	number      map[string]int
	shared      []holders
	walker      walker
	packer      packer
	by          string    // names the rules and comparisons
	rated       bool      // severities are the rules', and not those that are stored
	earlier     *Snapshot // what is the same in it is kept once; nil for none

	places   *texts.Set // the endpoints, as their AppendBinary writes them
	sights   []kept     // of each place; empty for one that isn't among this scan's
	count    int        // of those that are
	waits    bool       // some have no vantage yet, since their header wasn't met
	headers  map[string][]*Header
	footers  map[string][]*Footer
	unnamed  bool // some results name no scan
	from, to time.Time
}

// NewSnapshot returns an empty snapshot that judges by rules and comparisons.
func NewSnapshot(rules []Rule, comparisons []Comparison) *Snapshot {
	s := &Snapshot{
		rules: slices.Clone(rules), base: len(rules), comparisons: comparisons, number: map[string]int{}, walker: walker{}, packer: packer{words: new(texts.Set)},
		places: new(texts.Set), headers: map[string][]*Header{}, footers: map[string][]*Footer{},
	}
	for _, c := range comparisons {
		s.rules = append(s.rules, c.Rule)
		s.shared = append(s.shared, holders{})
	}
	s.foreign = len(s.rules)
	for i, r := range s.rules {
		s.number[r.ID] = i
		s.by += r.ID + " "
	}
	return s
}

// next returns an empty snapshot that shares what s keeps once.
func (s *Snapshot) next() *Snapshot {
	n := NewSnapshot(s.rules[:s.base], s.comparisons)
	n.packer, n.walker, n.rules, n.number, n.earlier, n.places, n.rated = s.packer, s.walker, slices.Clone(s.rules), maps.Clone(s.number), s, s.places, s.rated
	return n
}

// A sighting is what a scan learned of an endpoint: a part for each address of its name and each protocol.
type sighting struct{ parts []*part }

// A part is what one result says.
type part struct {
	addr     netip.AddrPort
	name     string
	protocol string
	speaks   string
	level    probe.Level
	outcome  probe.Outcome
	answered bool   // somebody spoke
	closed   bool   // the host says that nobody listens
	old      bool   // stored by a version that doesn't tell what was missed
	answers  string // one of the letters below for each rule but those of comparisons
	fires    []*verdict
	facts    []*fact
	lost     []string
	marks    []marked // of each comparison
}

type marked struct {
	marks   []Mark
	learned bool
}

// The letters.
const (
	answerUnknown  = '?'
	answerNo       = 'n'
	answerWeakNo   = 'w' // not so, by a result that doesn't tell what was missed
	answerFires    = 'f'
	answerRetold   = 'F' // fires by the rules of now, and isn't among the stored findings
	answerWithdrew = 'W' // is among the stored findings, and doesn't fire by the rules of now
)

// A verdict is a rule that fires.
type verdict struct {
	rule    int
	rated   Severity // as stored, if it was
	own     Severity // as the rule of today rates it; zero if nobody here knows the rule
	finding Finding  // without what the rule says of every endpoint
}

// Add takes an entry.
func (s *Snapshot) Add(e Entry) {
	switch {
	case e.Header != nil:
		s.headers[e.Header.Scan] = append(s.headers[e.Header.Scan], e.Header)
		return
	case e.Footer != nil:
		s.footers[e.Footer.Scan] = append(s.footers[e.Footer.Scan], e.Footer)
		return
	case e.Result == nil:
		return
	}
	s.unnamed = s.unnamed || e.Scan == ""
	if s.from.IsZero() || e.Started.Before(s.from) {
		s.from = e.Started
	}
	if e.Started.After(s.to) {
		s.to = e.Started
	}
	p := s.part(e.Record)
	vantage := ""
	if e.Scan != "" {
		if headers := s.headers[e.Scan]; headers != nil {
			vantage = headers[0].Vantage
		} else {
			vantage, s.waits = noHeader+e.Scan, true // until it comes
		}
	}
	s.see(EndpointOf(e.Target, vantage), p)
}

// noHeader stands before the id of a scan whose header wasn't met yet, in place of the vantage that it tells.
const noHeader = "\x00"

func (s *Snapshot) see(at Endpoint, p *part) { s.keep(at, s.pack(p), p) }

func (s *Snapshot) pack(p *part) string { return s.packer.pack(p, s.rules, s.by) }

// keep adds a part, packed, to what was seen of an endpoint.
func (s *Snapshot) keep(at Endpoint, packed string, p *part) {
	n, _ := s.places.Add(s.key(at))
	if n >= len(s.sights) {
		s.sights = slices.Grow(s.sights, n+1-len(s.sights))[:n+1]
	}
	if s.sights[n] == "" {
		s.count++
	}
	rest, again := kept(""), false
	for other := range s.sights[n].parts {
		known := s.unpack(other)
		// Of two results of one address the later counts, unless it tells less.
		if known.addr == p.addr && known.protocol == p.protocol {
			again = true
			if p.answered || !known.answered {
				other = packed
			}
		}
		rest = rest.add(other)
	}
	if !again {
		rest = rest.add(packed)
	}
	if s.earlier != nil && s.earlier.seen(n) == rest {
		rest = s.earlier.seen(n)
	}
	s.sights[n] = rest
}

func (s *Snapshot) key(at Endpoint) string {
	b, _ := at.AppendBinary(nil) // never fails
	return string(b)
}

// at returns the endpoint of a place.
func (s *Snapshot) at(place int) Endpoint { return endpointFrom(s.places.Text(place)) }

// seen returns what was seen at a place; empty for nothing.
func (s *Snapshot) seen(place int) kept {
	if place >= len(s.sights) {
		return ""
	}
	return s.sights[place]
}

// of returns what was seen of an endpoint, and whether it was asked.
func (s *Snapshot) of(at Endpoint) (k kept, asked bool) {
	n, known := s.places.Find(s.key(at))
	if !known {
		return "", false
	}
	k = s.seen(n)
	return k, k != ""
}

func (s *Snapshot) unpack(packed string) *part { return unpack(s.packer.words, packed) }

// sight returns what was seen of an endpoint; nil if it wasn't asked.
func (s *Snapshot) sight(at Endpoint) *sighting {
	k, asked := s.of(at)
	if !asked {
		return nil
	}
	sight := new(sighting)
	for packed := range k.parts {
		sight.parts = append(sight.parts, s.unpack(packed))
	}
	return sight
}

// only returns the part that was seen of an endpoint; nil if there are several, or none.
func (s *Snapshot) only(at Endpoint) (p *part) {
	k, _ := s.of(at)
	for packed := range k.parts {
		if p != nil {
			return nil
		}
		p = s.unpack(packed)
	}
	return p
}

// digest stands for all that the scan learned of an endpoint, and of others as far as comparisons tell them of it.
func (s *Snapshot) digest(at Endpoint) (d Digest) {
	var sums []string
	k, _ := s.of(at)
	for packed := range k.parts {
		sum := packed[:len(d)]
		if hasMarks(packed) {
			p := s.unpack(packed)
			for i, m := range p.marks {
				for _, mark := range m.marks {
					sum += fmt.Sprint(i, s.shared[i].others(mark.Value, host{p.name, p.addr}))
				}
			}
		}
		sums = append(sums, sum)
	}
	slices.Sort(sums)
	sum := sha256.Sum256([]byte(strings.Join(sums, "")))
	copy(d[:], sum[:])
	return d
}

// finish gives endpoints the vantage of headers that came behind them.
func (s *Snapshot) finish() {
	if !s.waits {
		return
	}
	s.waits = false
	for n, sight := range s.sights {
		if sight == "" {
			continue
		}
		at := s.at(n)
		scan, waits := strings.CutPrefix(at.Vantage, noHeader)
		if !waits {
			continue
		}
		s.sights[n] = ""
		s.count--
		at.Vantage = ""
		if headers := s.headers[scan]; headers != nil {
			at.Vantage = headers[0].Vantage
		}
		for packed := range sight.parts {
			s.keep(at, packed, s.unpack(packed))
		}
	}
}

func (s *Snapshot) part(r Record) *part {
	p := &part{
		addr: r.Target.Addr, name: r.Target.Name, protocol: r.Protocol, speaks: Speaks(r.Result), level: r.Level,
		outcome: r.Outcome, lost: r.Partial, old: r.Partial == nil,
	}
	stored := make(map[string]*Finding, len(r.Findings))
	for i := range r.Findings {
		stored[r.Findings[i].ID] = &r.Findings[i]
	}
	answers := make([]byte, s.base)
	for i, rule := range s.rules[:s.base] {
		a := rule.Check(r.Result)
		was := stored[rule.ID]
		switch {
		case a.proof != nil:
			own := rule.severity(a.proof)
			v := &verdict{i, own, own, Finding{Known: a.proof.Known, Basis: a.proof.Basis, Items: a.proof.Items, Detail: a.proof.Detail}}
			answers[i] = answerRetold
			if was != nil {
				answers[i], v.finding.Accepted = answerFires, was.Accepted
				if !s.rated {
					v.rated = was.Severity
				}
			}
			p.fires = append(p.fires, v)
		case was != nil:
			answers[i] = answerWithdrew
		case !a.notSo:
			answers[i] = answerUnknown
		case p.old:
			answers[i] = answerWeakNo
		default:
			answers[i] = answerNo
		}
	}
	for _, f := range r.Findings {
		i, known := s.number[f.ID]
		switch {
		case known && i >= s.base && i < s.foreign:
			p.fires = append(p.fires, &verdict{rule: i, rated: f.Severity, finding: Finding{Accepted: f.Accepted}}) // else judged below
		case !known || i >= s.foreign:
			p.fires = append(p.fires, &verdict{rule: s.stranger(f), rated: f.Severity, finding: f})
		}
	}
	for _, f := range s.walker.facts(r.Result) {
		p.facts = append(p.facts, &f)
	}
	p.answered = r.Outcome.Answered() && r.Outcome != probe.OutcomeForbidden || r.Outcome == probe.OutcomeBusy ||
		r.Outcome == probe.OutcomeDenied || r.Outcome == probe.OutcomeLimit || len(p.fires)+len(p.facts) > 0
	p.closed = r.Outcome == probe.OutcomeRefused && !p.answered
	if p.closed {
		for i := range answers {
			answers[i] = answerNo
		}
	}
	p.answers = string(answers)
	for i, c := range s.comparisons {
		marks, learned := c.Marks(r.Result)
		if len(marks) > 0 || learned {
			if p.marks == nil {
				p.marks = make([]marked, len(s.comparisons))
			}
			p.marks[i] = marked{marks, learned}
			s.shared[i].add(marks, hostOf(r.Target))
		}
	}
	return p
}

// stranger numbers the rule of a stored finding that isn't known here.
func (s *Snapshot) stranger(f Finding) int {
	i, known := s.number[f.ID]
	if !known {
		i = len(s.rules)
		s.number[f.ID] = i
		s.rules = append(s.rules, Rule{ID: f.ID, Title: f.Title, Severity: f.Severity, CWE: f.CWE, CVE: f.CVE, CVSS: f.CVSS,
			Remediation: f.Remediation, References: f.References})
	}
	return i
}

// isStranger reports whether nobody here knows the rule.
func (s *Snapshot) isStranger(rule string) bool {
	i, known := s.number[rule]
	return !known || i >= s.foreign
}

// sorted yields the endpoints in order.
func (s *Snapshot) sorted(yield func(Endpoint) bool) {
	type place struct {
		addr netip.Addr
		n    int
	}
	list := make([]place, 0, s.count)
	for n, k := range s.sights {
		if k != "" {
			list = append(list, place{s.at(n).addr(), n})
		}
	}
	slices.SortFunc(list, func(a, b place) int {
		if c := a.addr.Compare(b.addr); c != 0 {
			return c
		}
		return compareNames(s.at(a.n), s.at(b.n))
	})
	for _, p := range list {
		if !yield(s.at(p.n)) {
			return
		}
	}
}

// Len returns how many endpoints the scan has.
func (s *Snapshot) Len() int { return s.count }
