// Package findingtest holds rules to their three answers: they fire, with proof that is there; they say that it isn't so; they
// say that it wasn't learned.
package findingtest

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// A Case is evidence by the answer that one rule must give to it, with at least one of each.
type Case[E probe.Evidence] struct {
	Fires      []E
	NotSo      []E
	NotLearned []E // beside no evidence, which is always tried
	// Known and Detail are those of each proof, and Severity if it isn't the rule's. Items are the values of the items.
	Known    finding.Known
	Detail   string
	Severity finding.Severity
	Items    []string
}

// Rules judges each case as a result that result makes of it, typed and as it is stored, and fails for a rule that has no case
// of its own or lacks one of the answers.
func Rules[E probe.Evidence](t *testing.T, rules []finding.Rule, result func(e E) *probe.Result, cases map[string][]Case[E]) {
	t.Helper()
	tried := map[string]bool{}
	for _, rule := range rules {
		t.Run(rule.ID, func(t *testing.T) {
			tried[rule.ID] = true
			complete(t, rule)
			h := harness[E]{t, rule, result}
			var fires, notSo bool
			for _, c := range cases[rule.ID] {
				h.fire(c)
				for _, e := range c.NotSo {
					h.answers(result(e), finding.NotSo())
				}
				for _, e := range c.NotLearned {
					h.answers(result(e), finding.NotLearned())
				}
				fires, notSo = fires || len(c.Fires) > 0, notSo || len(c.NotSo) > 0
			}
			if !fires || !notSo {
				t.Error("want evidence on which the rule fires, and evidence by which it isn't so")
			}
			h.elsewhere()
		})
	}
	for id := range cases {
		if !tried[id] {
			t.Errorf("no rule is called %q", id)
		}
	}
}

type harness[E probe.Evidence] struct {
	t      *testing.T
	rule   finding.Rule
	result func(e E) *probe.Result
}

func (h harness[E]) fire(c Case[E]) {
	h.t.Helper()
	for _, e := range c.Fires {
		r := h.result(e)
		a := h.rule.Check(r)
		p := a.Proof()
		if p == nil {
			h.t.Errorf("doesn't fire: %+v", e)
			continue
		}
		h.answers(r, a)
		document, err := json.Marshal(r)
		if err != nil {
			h.t.Fatal(err)
		}
		pointers := p.Basis
		var items []string
		for _, item := range p.Items {
			pointers, items = append(pointers, item.Basis), append(items, item.Value)
		}
		if len(p.Basis) == 0 {
			h.t.Errorf("no proof: %+v", e)
		}
		for _, pointer := range pointers {
			value, err := finding.Resolve(document, pointer)
			switch {
			case err != nil:
				h.t.Error(err)
			case string(value) == `""` || string(value) == "null" || string(value) == "[]":
				h.t.Errorf("%s proves nothing: %s", pointer, value)
			}
		}
		if p.Known != c.Known || p.Detail != c.Detail || p.Severity != c.Severity {
			h.t.Errorf("known %q, detail %q, severity %d; want %q, %q, %d", p.Known, p.Detail, p.Severity, c.Known, c.Detail, c.Severity)
		}
		if len(items)+len(c.Items) > 0 && !reflect.DeepEqual(items, c.Items) {
			h.t.Errorf("items %q, want %q", items, c.Items)
		}
	}
}

// answers wants an answer of a result, and of what is stored of it.
func (h harness[E]) answers(r *probe.Result, want finding.Answer) {
	h.t.Helper()
	document, err := json.Marshal(r)
	if err != nil {
		h.t.Fatal(err)
	}
	stored := new(probe.Result)
	if err := json.Unmarshal(document, stored); err != nil {
		h.t.Fatal(err)
	}
	for _, r := range []*probe.Result{r, stored} {
		if got := h.rule.Check(r); !reflect.DeepEqual(got, want) {
			h.t.Errorf("answers %s, want %s: %s", describe(got), describe(want), document)
		}
	}
}

// elsewhere tries what no rule of a protocol can have learned anything from, and a port at which another one is spoken.
func (h harness[E]) elsewhere() {
	h.t.Helper()
	var none E
	h.answers(&probe.Result{Protocol: none.Protocol()}, finding.NotLearned())
	h.answers(&probe.Result{Protocol: none.Protocol(), Outcome: probe.OutcomeRefused}, finding.NotLearned())
	other := &probe.RawEvidence{Name: "other", JSON: []byte("{}")}
	h.answers(&probe.Result{Protocol: "other", Outcome: probe.OutcomeOK, Evidence: other}, finding.NotSo())
	h.answers(&probe.Result{Protocol: "other", Outcome: probe.OutcomeBusy, Evidence: other}, finding.NotLearned())
}

func describe(a finding.Answer) string {
	switch p := a.Proof(); {
	case p != nil:
		return "that it fires (" + p.Detail + ")"
	case a.Learned():
		return "that it isn't so"
	}
	return "that it wasn't learned"
}

func complete(t *testing.T, r finding.Rule) {
	t.Helper()
	for field, empty := range map[string]bool{
		"Title": r.Title == "", "Severity": r.Severity == 0, "Summary": r.Summary == "", "Remediation": r.Remediation == "",
		"References": len(r.References) == 0, "Check": r.Check == nil,
		"Varies, which begins with Severity": len(r.Varies) > 0 && r.Varies[0] != r.Severity,
	} {
		if empty {
			t.Errorf("the rule has no %s", field)
		}
	}
}
