package finding

import (
	"cmp"
	"encoding/json"
	"errors"
	"iter"
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// A Status says what became of a finding between two scans.
type Status string

// The statuses.
const (
	New Status = "new"
	// Resolved means that the endpoint was asked as far as before and the finding isn't there any more, or that the host
	// refuses the connection: nobody is there to have it.
	Resolved Status = "resolved"
	// Unknown means that it wasn't learned: the endpoint wasn't asked this time, couldn't be reached, or left the
	// conversation before what proved the finding.
	Unknown   Status = "unknown"
	Unchanged Status = "unchanged"
)

// A Change is one finding of one endpoint, and what became of it.
type Change struct {
	Status   Status       `json:"status"`
	Protocol string       `json:"protocol"`
	Target   probe.Target `json:"target"`
	Finding  Finding      `json:"finding"` // the newer scan's, where that has it
	// Reason says why the status is unknown; empty otherwise.
	Reason string `json:"reason"`
}

// Diff compares two scans, by endpoint (protocol, network, address, port and name) and rule. Changes come in the order
// of [Status] above, the most severe first. Where a scan holds an endpoint several times, its last result counts,
// unless that couldn't reach it and another could.
//
// It holds the findings of both, and of the older the endpoints that had any.
func Diff(older, newer iter.Seq[Record]) []Change {
	b := NewBaseline()
	for j := range older {
		b.Add(j)
	}
	seen := map[endpoint]*newest{}
	for j := range newer {
		k := endpointOf(j.Result)
		if n := seen[k]; n == nil || j.Result.Outcome == probe.OutcomeOK || n.outcome != probe.OutcomeOK {
			seen[k] = &newest{j.Result.Outcome, b.compare(j)}
		}
	}
	changes := []Change{}
	for _, n := range seen {
		changes = append(changes, n.changes...)
	}
	for k, old := range b.known {
		if seen[k] == nil {
			for _, f := range old.findings {
				changes = append(changes, k.change(Unknown, f.Finding, "not scanned this time"))
			}
		}
	}
	slices.SortFunc(changes, compareChanges)
	return changes
}

// newest is what the newer scan says of an endpoint.
type newest struct {
	outcome probe.Outcome
	changes []Change
}

var statusOrder = []Status{New, Resolved, Unknown, Unchanged}

func compareChanges(a, b Change) int {
	return cmp.Or(
		cmp.Compare(slices.Index(statusOrder, a.Status), slices.Index(statusOrder, b.Status)),
		cmp.Compare(b.Finding.Severity, a.Finding.Severity),
		a.Target.Addr.Compare(b.Target.Addr),
		cmp.Compare(a.Target.Network, b.Target.Network),
		cmp.Compare(a.Target.Name, b.Target.Name),
		cmp.Compare(a.Protocol, b.Protocol),
		cmp.Compare(a.Finding.ID, b.Finding.ID),
	)
}

// An endpoint is what two scans have in common.
type endpoint struct {
	protocol string
	target   probe.Target
}

func endpointOf(r *probe.Result) endpoint {
	t := r.Target
	t.Network = cmp.Or(t.Network, probe.TCP)
	return endpoint{r.Protocol, t}
}

func (e endpoint) change(s Status, f Finding, reason string) Change {
	return Change{Status: s, Protocol: e.protocol, Target: e.target, Finding: f, Reason: reason}
}

// A Baseline holds the findings of a scan, for later ones to be compared with.
type Baseline struct {
	known map[endpoint]*remembered
}

// remembered is what a baseline keeps of an endpoint.
type remembered struct {
	level    probe.Level
	reached  bool
	findings map[string]provenFinding // by rule
}

// A provenFinding is a finding and the pointers of its basis that led to facts.
type provenFinding struct {
	Finding
	facts []string
}

// NewBaseline returns a baseline without findings.
func NewBaseline() *Baseline { return &Baseline{known: map[endpoint]*remembered{}} }

// Add takes one result of the older scan.
func (b *Baseline) Add(j Record) {
	k := endpointOf(j.Result)
	reached := j.Result.Outcome == probe.OutcomeOK
	if old := b.known[k]; old != nil && old.reached && !reached {
		return
	}
	delete(b.known, k)
	if len(j.Findings) == 0 {
		return
	}
	r := &remembered{level: j.Result.Level, reached: reached, findings: map[string]provenFinding{}}
	document := documentOf(j.Result)
	for _, f := range j.Findings {
		p := provenFinding{Finding: f}
		for _, pointer := range f.Basis {
			if v, err := Resolve(document, pointer); err == nil && isFact(v) {
				p.facts = append(p.facts, pointer)
			}
		}
		r.findings[f.ID] = p
	}
	b.known[k] = r
}

// documentOf returns what pointers lead into. Where it can't be made, they lead nowhere.
func documentOf(r *probe.Result) []byte {
	brief := *r
	brief.Transcript = nil
	document, _ := json.Marshal(&brief)
	return document
}

func isFact(v json.RawMessage) bool { return string(v) == `"yes"` || string(v) == `"no"` }

// New returns those findings of a result that the baseline doesn't hold, in their order; never nil.
func (b *Baseline) New(j Record) []Finding {
	list := []Finding{}
	old := b.known[endpointOf(j.Result)]
	for _, f := range j.Findings {
		if !old.has(f.ID) {
			list = append(list, f)
		}
	}
	return list
}

func (r *remembered) has(rule string) bool {
	if r == nil {
		return false
	}
	_, known := r.findings[rule]
	return known
}

// compare returns the changes of one endpoint.
func (b *Baseline) compare(j Record) (changes []Change) {
	k := endpointOf(j.Result)
	old := b.known[k]
	is := map[string]bool{}
	for _, f := range j.Findings {
		is[f.ID] = true
		status := New
		if old.has(f.ID) {
			status = Unchanged
		}
		changes = append(changes, k.change(status, f, ""))
	}
	if old == nil {
		return changes
	}
	var document []byte
	for id, f := range old.findings {
		if is[id] {
			continue
		}
		if document == nil {
			document = documentOf(j.Result)
		}
		if reason := unsettled(old, f, j, document); reason != "" {
			changes = append(changes, k.change(Unknown, f.Finding, reason))
		} else {
			changes = append(changes, k.change(Resolved, f.Finding, ""))
		}
	}
	return changes
}

// unsettled says why a result that lacks a finding doesn't show that it is gone; empty where it does.
func unsettled(old *remembered, f provenFinding, j Record, document []byte) string {
	r := j.Result
	var e *probe.Error
	dialling := errors.As(r.Err, &e) && e.Op == "dial"
	switch {
	case r.Outcome == probe.OutcomeRefused && len(j.Findings) == 0:
		return "" // the host itself says that nobody listens
	case r.Outcome != probe.OutcomeOK && dialling:
		return "not reached this time: " + string(r.Outcome)
	case r.Outcome != probe.OutcomeOK:
		return "the probe ended early this time: " + string(r.Outcome)
	case r.Level < old.level:
		return "asked at level " + r.Level.String() + " this time"
	}
	for _, pointer := range f.facts {
		if v, err := Resolve(document, pointer); err == nil && string(v) == `""` {
			return "not learned this time: " + pointer
		}
	}
	return ""
}
