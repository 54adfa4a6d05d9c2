// Package finding judges results: a [Rule] is data and one pure function, a [Finding] is what it says of a result,
// with pointers to the evidence that proves it.
//
// Rules live beside the protocol that they judge, as plain slices: ftp.Rules and so on. Callers filter, re-rate and
// add rules as they do with any slice. Judging needs no network, clock or randomness: a stored result gives the same
// findings for ever.
package finding

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// Known says how a finding is known.
type Known string

// The ways to know.
const (
	Wire       Known = "wire"       // seen in the conversation
	Advertised Known = "advertised" // the server claims it; it wasn't tried
	Inferred   Known = "inferred"   // follows from a version, which a distribution may have patched
)

// A Rule judges one thing.
type Rule struct {
	ID       string // permanent, such as "ftp.anonymous"
	Title    string
	Severity Severity
	Summary  string // one sentence: what it means
	// Remediation names the setting for the common servers.
	Remediation string
	CWE         []int // Common Weakness Enumeration numbers; may be empty
	References  []string
	// Check returns the proof that the rule holds for r, and nil where it doesn't or where the evidence doesn't say.
	// It only reads r. Most checks are made by [On] or [OnTLS].
	Check func(r *probe.Result) *Proof
}

// A Proof says why a rule fires.
type Proof struct {
	Known Known
	// Basis holds JSON pointers (RFC 6901) into the result, such as "/evidence/greeting"; at least one.
	Basis []string
	// Detail is a short phrase with the particulars, such as "expired 2024-03-01"; may be empty.
	Detail string
	// Severity replaces the rule's where the evidence makes it worse or better; the zero value keeps the rule's.
	Severity Severity
}

// A Finding is a rule that fired on a result.
type Finding struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	Known    Known    `json:"known"`
	Basis    []string `json:"basis"` // JSON pointers into the result
	Detail   string   `json:"detail"`
	CWE      []int    `json:"cwe"`
}

// Evaluate returns the findings of the rules that fire on r, the most severe first, then by ID. It never returns nil.
func Evaluate(r *probe.Result, rules []Rule) []Finding {
	found := []Finding{}
	for _, rule := range rules {
		p := rule.Check(r)
		if p == nil {
			continue
		}
		f := Finding{
			ID: rule.ID, Title: rule.Title, Severity: rule.Severity, Known: p.Known,
			Basis: p.Basis, Detail: p.Detail, CWE: append([]int{}, rule.CWE...),
		}
		if p.Severity != 0 {
			f.Severity = p.Severity
		}
		found = append(found, f)
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.ID, b.ID))
	})
	return found
}

// On makes a Check of a function over one protocol's evidence. It doesn't fire on results of another protocol, nor
// without evidence.
func On[E probe.Evidence](check func(e E) *Proof) func(*probe.Result) *Proof {
	return func(r *probe.Result) *Proof {
		e, ok := probe.As[E](r)
		if !ok {
			return nil
		}
		return check(e)
	}
}

// told returns what evidence says through an interface that protocols share, or, where a stored result's evidence has
// lost its type, the JSON field by which that interface is known.
func told[I probe.Evidence, V any](r *probe.Result, ask func(I) V, field string) (value V) {
	switch e := r.Evidence.(type) {
	case I:
		return ask(e)
	case *probe.RawEvidence:
		var fields map[string]json.RawMessage
		var found V
		if json.Unmarshal(e.JSON, &fields) == nil && json.Unmarshal(fields[field], &found) == nil {
			return found
		}
	}
	return value
}

// Seen is a proof by what was seen at the pointers.
func Seen(basis ...string) *Proof { return &Proof{Known: Wire, Basis: basis} }

// Claimed is a proof by what the server claims at the pointers.
func Claimed(basis ...string) *Proof { return &Proof{Known: Advertised, Basis: basis} }

// With returns p with its detail set.
func (p *Proof) With(detail string) *Proof {
	p.Detail = detail
	return p
}
