package finding

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/handclasp/handclasp/internal/service"
	"github.com/handclasp/handclasp/probe"
)

// Known says how a finding is known. Decoding takes the words of before version 0.1, "wire" and "advertised", as well.
type Known string

// The ways to know.
const (
	Seen     Known = "seen"     // in the conversation
	Claimed  Known = "claimed"  // by the server; it wasn't tried
	Inferred Known = "inferred" // from a version, which a distribution may have patched
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *Known) UnmarshalText(text []byte) error {
	switch *k = Known(text); *k {
	case "wire":
		*k = Seen
	case "advertised":
		*k = Claimed
	}
	return nil
}

// An Answer is what a rule says of a result, one of three: it fires, with proof ([Fires]); it isn't so ([NotSo]); or the
// result doesn't tell ([NotLearned], the zero value). A definite no of what a rule presupposes is "not so": if anonymous
// visitors are refused there is no listing that they see.
type Answer struct {
	proof *Proof
	notSo bool
}

// NotLearned says that the result doesn't tell.
func NotLearned() Answer { return Answer{} }

// NotSo says that what the rule asks for isn't there.
func NotSo() Answer { return Answer{notSo: true} }

// Fires says that the rule holds, as the pointers show: JSON pointers (RFC 6901) into the result, at least one.
func Fires(k Known, basis ...string) Answer { return Answer{proof: &Proof{Known: k, Basis: basis}} }

// FiresOn says that the rule holds for each of the items, the first of which are the basis and stand in the detail. Without
// items it isn't so. Of items of one value the first counts.
func FiresOn(k Known, items []Item) Answer {
	if len(items) == 0 {
		return NotSo()
	}
	p := new(Proof)
	p.Known = k
	known := make(map[string]bool, len(items))
	p.Items = make([]Item, 0, len(items))
	first := min(len(items), maxBasis)
	p.Basis = make([]string, 0, first)
	names := make([]string, 0, first)
	for _, item := range items {
		if known[item.Value] {
			continue
		}
		known[item.Value] = true
		p.Items = append(p.Items, item)
		if len(names) < maxBasis {
			p.Basis, names = append(p.Basis, item.Basis), append(names, item.Value)
		}
	}
	p.Detail = strings.Join(names, ", ")
	if more := len(p.Items) - len(names); more > 0 {
		p.Detail += fmt.Sprintf(" and %d more", more)
	}
	return Answer{proof: p}
}

// maxBasis is how many items a proof points at, which prove enough.
const maxBasis = 10

// Proof returns the proof if the rule fires, else nil.
func (a Answer) Proof() *Proof { return a.proof }

// Learned reports whether the result tells: the rule fires, or it isn't so.
func (a Answer) Learned() bool { return a.proof != nil || a.notSo }

// With sets the detail of an answer that fires.
func (a Answer) With(detail string) Answer {
	if a.proof != nil {
		a.proof.Detail = detail
	}
	return a
}

// About sets the items of an answer that fires.
func (a Answer) About(items ...Item) Answer {
	if a.proof != nil {
		a.proof.Items = items
	}
	return a
}

// Also adds pointers to the basis of an answer that fires, in front of it.
func (a Answer) Also(basis ...string) Answer {
	if a.proof != nil {
		a.proof.Basis = append(basis, a.proof.Basis...)
	}
	return a
}

// Rated gives an answer that fires a severity of its own; see [Rule.Varies].
func (a Answer) Rated(s Severity) Answer {
	if a.proof != nil {
		a.proof.Severity = s
	}
	return a
}

// Advised gives an answer that fires what is known of the software.
func (a Answer) Advised(advice Advice) Answer {
	if a.proof != nil {
		a.proof.Advice = &advice
	}
	return a
}

// When returns a if the fact is want, not so if it is the other one, and not learned if it isn't known.
func When(fact, want probe.Fact, a Answer) Answer {
	switch fact {
	case want:
		return a
	case probe.Unknown:
		return NotLearned()
	}
	return NotSo()
}

// A Proof says why a rule fires.
type Proof struct {
	Known Known
	// Basis holds JSON pointers (RFC 6901) into the result, such as "/evidence/greeting"; at least one.
	Basis []string
	// Items are the things that the finding is about, all of them; nil for a rule that is about the endpoint itself.
	Items []Item
	// Detail is a short phrase with the particulars, such as "expired 2024-03-01"; may be empty.
	Detail string
	// Severity replaces the rule's if that lets it; see [Rule.Varies]. The zero value keeps the rule's.
	Severity Severity
	// Advice is what is known of the software that the finding is about; nil for a finding about something else.
	Advice *Advice
}

// An Item is one of the things that a finding is about: an open module, a share, a weak algorithm.
type Item struct {
	Value string `json:"value"` // what it is, such as the module's name; the same in every result
	Basis string `json:"basis"` // the JSON pointer to it in this result
}

// Items makes items of the members of a list at a pointer that pick takes.
func Items(list []string, pointer string, pick func(string) bool) (items []Item) {
	for i, value := range list {
		if pick(value) {
			items = append(items, Item{value, pointer + "/" + strconv.Itoa(i)})
		}
	}
	return items
}

// On makes a Check of a function over one protocol's evidence. A result that shows another protocol ([Speaks]) says that it isn't
// so; one without evidence doesn't tell. That a conversation wasn't the protocol's proves nothing: busy servers, and what stands
// before them, speak in prose.
func On[E probe.Evidence](check func(e E) Answer) func(*probe.Result) Answer {
	return func(r *probe.Result) Answer {
		e, ok := probe.As[E](r)
		switch {
		case r.Outcome == probe.OutcomeNotProtocol && Speaks(r) != "", !ok && r.Protocol != e.Protocol() && Speaks(r) != "":
			return NotSo()
		case !ok:
			return NotLearned()
		}
		return check(e)
	}
}

// Speaks returns the protocol that the result shows to be spoken at the endpoint; empty if it shows none, as silence and TLS
// around something unknown do.
func Speaks(r *probe.Result) string {
	if r.Evidence == nil {
		return ""
	}
	name, named := told(r, probe.NamedEvidence.ServiceName, "service")
	switch {
	case service.Tells(name): // however it ended: a service that has a name isn't the protocol that was expected
		return name
	case named:
		return ""
	case r.Outcome != probe.OutcomeOK:
		return greetsAs(r)
	}
	return r.Protocol
}

// greetsAs returns the protocol whose greeting no other one has, if there was such a greeting: SSH's identification (RFC 4253
// section 4.2), rsync's, or that of a service that has a name. A word in a greeting proves nothing.
func greetsAs(r *probe.Result) string {
	e, ok := r.Evidence.(probe.BannerEvidence)
	if !ok {
		return ""
	}
	for _, b := range e.Banners() {
		switch {
		case b.Kind == "ssh.banner" && b.Text != "", strings.HasPrefix(b.Text, "SSH-2.0-"):
			return "ssh"
		case strings.HasPrefix(b.Text, "@RSYNCD: "):
			return "rsync"
		case r.Outcome == probe.OutcomeNotProtocol && b.Source == "greeting":
			if name := service.Name([]byte(b.Text)); service.Tells(name) {
				return name
			}
		}
	}
	return ""
}

// told returns what evidence says through an interface that protocols share, or, if a stored result's evidence has
// lost its type, the JSON field by which that interface is known. It reports false if the evidence has neither.
func told[I probe.Evidence, V any](r *probe.Result, ask func(I) V, field string) (value V, ok bool) {
	switch e := r.Evidence.(type) {
	case I:
		return ask(e), true
	case *probe.RawEvidence:
		return stored[V](e, field)
	}
	return value, false
}

// stored is apart from told, whose every call would allocate the value that is decoded here.
func stored[V any](e *probe.RawEvidence, field string) (value V, ok bool) {
	var fields map[string]json.RawMessage
	ok = json.Unmarshal(e.JSON, &fields) == nil && fields[field] != nil && json.Unmarshal(fields[field], &value) == nil
	return value, ok
}
