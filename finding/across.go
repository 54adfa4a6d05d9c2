package finding

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// A Comparison is a rule that judges each result in the light of those before it, such as one host key on several
// hosts. It fires on the result that makes it true, and on those behind; what was judged before stays as it was.
type Comparison struct {
	Rule // its Check is nil
	// Begin returns a check with a memory of its own, for the results of one scan. It is called by one goroutine at a
	// time, and keeps no more than it says in its documentation, however many results there are.
	Begin func() func(r *probe.Result) Answer
}

// A Judge holds rules and the memory that comparisons need. It is used by one goroutine at a time.
type Judge struct {
	rules []Rule
}

// NewJudge begins to judge the results of one scan.
func NewJudge(rules []Rule, comparisons []Comparison) *Judge {
	all := slices.Clone(rules)
	for _, c := range comparisons {
		rule := c.Rule
		rule.Check = c.Begin()
		all = append(all, rule)
	}
	return &Judge{all}
}

// Evaluate returns the findings in r, as [Evaluate] does.
func (j *Judge) Evaluate(r *probe.Result) []Finding { return Evaluate(r, j.rules) }

// MaxShared is how many distinct values a comparison by [SharedBy] remembers. Those that come later aren't compared.
const MaxShared = 1 << 16

// A Mark is a value that ought to be one host's alone, and where it stands.
type Mark struct {
	Value string
	Basis string // the JSON pointer to it
}

// SharedBy makes the Begin of a comparison that fires where a result has a mark that a result of another host had.
// Addresses of one name are one host. It remembers at most [MaxShared] marks, with the first host of each.
func SharedBy(marks func(r *probe.Result) []Mark) func() func(*probe.Result) Answer {
	return func() func(*probe.Result) Answer {
		first := map[string]probe.Target{}
		return func(r *probe.Result) Answer {
			var items []Item
			var also probe.Target
			for _, m := range marks(r) {
				owner, known := first[m.Value]
				switch {
				case !known && len(first) < MaxShared:
					first[m.Value] = r.Target
				case known && !sameHost(owner, r.Target):
					if items == nil {
						also = owner
					}
					items = append(items, Item(m))
				}
			}
			return FiresOn(Seen, items).With("also on " + hostName(also))
		}
	}
}

func sameHost(a, b probe.Target) bool {
	return a.Addr.Addr() == b.Addr.Addr() || a.Name != "" && a.Name == b.Name
}

func hostName(t probe.Target) string {
	if t.Name == "" {
		return t.Addr.String()
	}
	return fmt.Sprintf("%s (%s)", t.Name, t.Addr)
}

// OddPort makes the rule "net.odd-port": a service on a port where its protocol doesn't live by default. The probers
// say where that is; a service is there where one of the rules, such as "ftp.exposed", fires.
func OddPort(probers []probe.Prober, exposed []Rule) Rule {
	type place struct {
		protocol string
		network  probe.Network
		port     uint16
	}
	usual := map[place]bool{}
	for _, p := range probers {
		spec := p.Spec()
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
			return NotLearned()
		},
	}
}
