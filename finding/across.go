package finding

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/handclasp/handclasp/probe"
)

// A Comparison is a rule that judges results in the light of each other: it fires on those that share a mark with another
// host, such as its host key.
type Comparison struct {
	Rule // its Check is nil
	// Known is how it is known that a shared mark means what the rule says; empty for [Seen].
	Known Known
	// Marks returns the values in a result that ought to be one host's alone, and whether they were learned: a result
	// that was learned and has none shares none.
	Marks func(r *probe.Result) (marks []Mark, learned bool)
}

func (c Comparison) known() Known { return cmp.Or(c.Known, Seen) }

// A Mark is a value that ought to be one host's alone, and where it stands.
type Mark struct {
	Value string `json:"value"`
	Basis string `json:"basis"` // the JSON pointer to it
}

// A Judge holds rules and the memory that comparisons need. Any number of goroutines may use it.
type Judge struct {
	rules       map[string][]*Rule // by their Protocol: most are of another than a result's
	comparisons []Comparison

	mu     sync.Mutex
	shared []holders // for each comparison
}

// NewJudge begins to judge the results of one scan.
func NewJudge(rules []Rule, comparisons []Comparison) *Judge {
	j := &Judge{rules: map[string][]*Rule{}, comparisons: comparisons, shared: make([]holders, len(comparisons))}
	for i := range rules {
		rule := &rules[i]
		j.rules[rule.Protocol] = append(j.rules[rule.Protocol], rule)
	}
	for i := range j.shared {
		j.shared[i] = holders{}
	}
	return j
}

// Learn takes note of a result for the comparisons. Once all results of a scan were given, Evaluate judges each in the
// light of all others.
func (j *Judge) Learn(r *probe.Result) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range j.comparisons {
		marks, _ := j.comparisons[i].Marks(r)
		j.shared[i].add(marks, hostOf(r.Target))
	}
}

// A Trace is what a result leaves in the memory of comparisons: for those who judge elsewhere than where the result is.
type Trace struct {
	Name  string            `json:"name,omitempty"`
	Addr  netip.AddrPort    `json:"addr"`
	Marks map[string][]Mark `json:"marks"` // by the comparisons' ids
}

// TraceOf returns what a result leaves; there are no marks if comparisons have nothing to do with it.
func TraceOf(r *probe.Result, comparisons []Comparison) Trace {
	t := Trace{Name: r.Target.Name, Addr: r.Target.Addr}
	for _, c := range comparisons {
		if marks, _ := c.Marks(r); len(marks) > 0 {
			if t.Marks == nil {
				t.Marks = map[string][]Mark{}
			}
			t.Marks[c.ID] = marks
		}
	}
	return t
}

// Meet takes note of a trace as Learn does of its result, and reports whether another host has a mark, too: only then Evaluate has
// findings of comparisons for that result.
func (j *Judge) Meet(t Trace) (shared bool) {
	h := host{t.Name, t.Addr}
	for i, c := range j.comparisons {
		marks := t.Marks[c.ID]
		j.shared[i].add(marks, h)
		shared = shared || slices.ContainsFunc(marks, func(m Mark) bool { return len(j.shared[i].others(m.Value, h)) > 0 })
	}
	return shared
}

// Evaluate returns the findings in r, as [Evaluate] does, by what was given to it and to Learn until now.
func (j *Judge) Evaluate(r *probe.Result) []Finding {
	found := []Finding{}
	protocol, tls := evidenceOf(r)
	kinds := [...]string{"", protocol, OverTLS}
	for i, kind := range kinds {
		if slices.Contains(kinds[:i], kind) || i == 2 && !tls { // those of a kind fire once
			continue
		}
		for _, rule := range j.rules[kind] {
			found = rule.judge(found, r)
		}
	}
	for i := range j.comparisons {
		c := &j.comparisons[i]
		if p := j.compare(i, r).Proof(); p != nil {
			found = append(found, c.finding(r, p))
		}
	}
	slices.SortStableFunc(found, Compare)
	return found
}

// compare takes note of a result and says what one of the comparisons says of it.
func (j *Judge) compare(i int, r *probe.Result) Answer {
	c := &j.comparisons[i]
	marks, learned := c.Marks(r)
	if len(marks) == 0 {
		return j.shared[i].answer(c.known(), nil, learned, host{})
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.shared[i].add(marks, hostOf(r.Target))
	return j.shared[i].answer(c.known(), marks, learned, hostOf(r.Target))
}

// MaxShared is how many distinct values a comparison remembers. Those that come later aren't compared.
const MaxShared = 1 << 16

// maxHolders is how many hosts are remembered by a mark: enough to name another one than that which is judged, and to ask
// whether they lost it.
const maxHolders = 8

// A host is what may have a mark.
type host struct {
	name string
	addr netip.AddrPort
}

func hostOf(t probe.Target) host { return host{t.Name, t.Addr} }

// same reports whether two are one: addresses of one name, or ports of one address.
func (h host) same(o host) bool {
	return h.addr.Addr() == o.addr.Addr() || h.name != "" && h.name == o.name
}

func (h host) String() string {
	if h.name == "" {
		return h.addr.String()
	}
	return fmt.Sprintf("%s (%s)", h.name, h.addr)
}

// holders are the hosts that have each mark, in the order in which they came.
type holders map[string][]host

func (all holders) add(marks []Mark, h host) {
	for _, m := range marks {
		list, known := all[m.Value]
		if !known && len(all) >= MaxShared || len(list) >= maxHolders || slices.ContainsFunc(list, h.same) {
			continue
		}
		all[m.Value] = append(list, h)
	}
}

// others returns who has a mark beside h.
func (all holders) others(mark string, h host) []host {
	return slices.DeleteFunc(slices.Clone(all[mark]), h.same)
}

func (all holders) answer(k Known, marks []Mark, learned bool, h host) Answer {
	if !learned {
		return NotLearned()
	}
	var items []Item
	also := ""
	for _, m := range marks {
		if others := all.others(m.Value, h); len(others) > 0 {
			also = cmp.Or(also, others[0].String())
			items = append(items, Item(m))
		}
	}
	return FiresOn(k, items).With("also on " + also)
}

// OddPort makes the rule "net.odd-port": a service on a port where its protocol doesn't live by default. The probers
// say where that is; a service is there if one of the rules, such as "ftp.exposed", fires.
func OddPort(probers []probe.Prober, exposed []Rule) Rule {
	type place struct {
		protocol string
		network  probe.Network
		port     uint16
	}
	usual, ours := map[place]bool{}, map[string]bool{}
	for _, p := range probers {
		spec := p.Spec()
		ours[spec.Protocol] = true
		for _, port := range spec.Ports {
			usual[place{spec.Protocol, cmp.Or(port.Network, probe.TCP), port.Number}] = true
		}
	}
	return Rule{
		ID: "net.odd-port", Title: "service on an unusual port", Severity: Info,
		Summary: "A service answers on a port that isn't its usual one, where inventories and firewalls may not look for it.",
		Remediation: "Find out who runs it and why there. If it is meant to be reached, list it in the inventory and let the firewall name it; " +
			"if it isn't, bind it to a private address or stop it.",
		References: []string{"RFC 6335 section 8", "CIS Controls v8 safeguard 4.8"},
		Check: func(r *probe.Result) Answer {
			t := r.Target
			if usual[place{r.Protocol, cmp.Or(t.Network, probe.TCP), t.Addr.Port()}] || t.Addr == (netip.AddrPort{}) {
				return NotSo()
			}
			for _, rule := range exposed {
				if p := rule.Check(r).Proof(); p != nil {
					return Fires(Seen, p.Basis...).Also("/target/addr").With(fmt.Sprintf("%s on %s %d", r.Protocol, cmp.Or(t.Network, probe.TCP), t.Addr.Port()))
				}
			}
			if name := Speaks(r); name != "" && !ours[name] {
				return NotSo() // another service took the port
			}
			return NotLearned()
		},
	}
}
