package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// An offering is what is known of a list that a server offers. The zero value knows nothing.
type offering struct {
	items []Item // those that were seen
	bits  []int  // their sizes, for a list of sizes
	whole bool   // there are no others
	// refused reports whether one is known not to be offered, though not all is known; nil for nobody knows.
	refused func(name string) bool
	// absence is the pointer to what shows that one isn't offered.
	absence func(name string) string
}

// lacks reports whether a name is known not to be offered.
func (o offering) lacks(name string) bool { return o.whole || o.refused != nil && o.refused(name) }

// A statement is one that is ready to judge by.
type statement struct {
	Statement
	closed bool     // its list may hold known names alone
	bad    []string // those among them that it doesn't let pass
}

func prepare(s Statement) statement {
	names := s.Of.names()
	p := statement{Statement: s, closed: names != nil}
	for _, name := range names {
		if s.deviates(name) {
			p.bad = append(p.bad, name)
		}
	}
	return p
}

// deviates reports whether one that is offered mustn't be.
func (s Statement) deviates(name string) bool {
	return matches(s.Forbid, name) || s.Allow != nil && !matches(s.Allow, name)
}

// judge returns the deviations, and whether there can be no other.
func (s statement) judge(o offering) (deviations []Item, known bool) {
	known = o.whole || s.AtLeast == 0 && s.Forbid == nil && s.Allow == nil ||
		s.closed && !slices.ContainsFunc(s.bad, func(name string) bool { return !o.lacks(name) && !has(o.items, name) })
	for i, item := range o.items {
		if s.deviates(item.Value) || s.AtLeast > 0 && o.bits[i] < s.AtLeast {
			deviations = append(deviations, Item{s.Of.shown(item.Value), item.Basis})
		}
	}
	for _, name := range s.Require {
		switch {
		case has(o.items, name):
		case o.lacks(name):
			deviations = append(deviations, Item{"no " + s.Of.shown(name), o.absence(name)})
		default:
			known = false
		}
	}
	return deviations, known
}

func has(items []Item, pattern string) bool {
	return slices.ContainsFunc(items, func(i Item) bool { return match(pattern, i.Value) })
}

func (l ListName) shown(name string) string {
	if l == ListTLSVersions {
		return versionText(name)
	}
	return name
}

// judgeBy judges a result by all statements.
func judgeBy(statements []statement, r *probe.Result) Answer {
	var items []Item
	var told []string
	known, rated := true, Severity(0)
	for _, s := range statements {
		o, there := offered(s.Of, r)
		if there == probe.No {
			continue
		}
		deviations, all := s.judge(o)
		known = known && all
		if len(deviations) == 0 {
			continue
		}
		items, rated = append(items, deviations...), max(rated, s.Severity)
		told = append(told, particular(deviations, s.Source))
	}
	switch {
	case len(items) > 0:
		return FiresOn(Seen, items).With(strings.Join(told, "; ")).Rated(rated)
	case known:
		return NotSo()
	}
	return NotLearned()
}

// particular words the deviations from one statement.
func particular(items []Item, source string) string {
	var names []string
	for _, item := range items {
		if !slices.Contains(names, item.Value) {
			names = append(names, item.Value)
		}
	}
	more := ""
	if left := len(names) - maxBasis; left > 0 {
		names, more = names[:maxBasis], fmt.Sprintf(" and %d more", left)
	}
	text := strings.Join(names, ", ") + more
	if source != "" {
		text += " (" + source + ")"
	}
	return text
}

// offered returns what a server offers, and whether it speaks the protocol that has such a list: Unknown if nobody knows.
func offered(l ListName, r *probe.Result) (offering, probe.Fact) {
	if strings.HasPrefix(string(l), "ssh.") {
		return offeredBySSH(l, r)
	}
	return offeredByTLS(l, r)
}

// sshLists is the part of a server's KEXINIT that policies speak of.
type sshLists struct {
	Kex                   []string `json:"kex"`
	HostKey               []string `json:"host_key"`
	CiphersClientToServer []string `json:"ciphers_client_to_server"`
	CiphersServerToClient []string `json:"ciphers_server_to_client"`
	MACsClientToServer    []string `json:"macs_client_to_server"`
	MACsServerToClient    []string `json:"macs_server_to_client"`
}

func offeredBySSH(l ListName, r *probe.Result) (offering, probe.Fact) {
	lists, spoken := told(r, func(e probe.AlgorithmEvidence) *sshLists {
		return &sshLists{
			e.AlgorithmList("kex"), e.AlgorithmList("host_key"), e.AlgorithmList("ciphers_client_to_server"),
			e.AlgorithmList("ciphers_server_to_client"), e.AlgorithmList("macs_client_to_server"), e.AlgorithmList("macs_server_to_client"),
		}
	}, "algorithms")
	switch {
	case !spoken && Speaks(r) != "":
		return offering{}, probe.No
	case !spoken || lists == nil:
		return offering{}, probe.Unknown
	}
	var fields []string
	var all [][]string
	switch l {
	case ListSSHKex:
		fields, all = []string{"kex"}, [][]string{lists.Kex}
	case ListSSHHostKey:
		fields, all = []string{"host_key"}, [][]string{lists.HostKey}
	case ListSSHCiphers:
		fields = []string{"ciphers_client_to_server", "ciphers_server_to_client"}
		all = [][]string{lists.CiphersClientToServer, lists.CiphersServerToClient}
	case ListSSHMACs:
		fields = []string{"macs_client_to_server", "macs_server_to_client"}
		all = [][]string{lists.MACsClientToServer, lists.MACsServerToClient}
	}
	const at = "/evidence/algorithms/"
	o := offering{whole: true, absence: func(string) string { return at + fields[0] }}
	for i, list := range all {
		o.whole = o.whole && list != nil
		o.items = append(o.items, Items(list, at+fields[i], func(name string) bool { return !sshSignal(name) })...)
	}
	return o, probe.Yes
}

// sshSignal reports whether a name among the key exchanges is no algorithm (RFC 8308 §2.1, OpenSSH's PROTOCOL §1.10).
func sshSignal(name string) bool {
	return strings.HasPrefix(name, "ext-info-") || strings.HasPrefix(name, "kex-strict-")
}

func offeredByTLS(l ListName, r *probe.Result) (offering, probe.Fact) {
	t, _ := told(r, probe.TLSEvidence.TLSHandshake, "tls")
	if t == nil {
		return offering{}, cmp.Or(withoutTLS(r), probe.Unknown)
	}
	switch l {
	case ListTLSVersions:
		return versionsOf(t), probe.Yes
	case ListTLSSuites:
		return suitesOf(t), probe.Yes
	case ListTLSGroups:
		return groupsOf(t), probe.Yes
	}
	return dhOf(t), probe.Yes
}
