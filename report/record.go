// Package report writes results: as a table for terminals and as one page for browsers, as CSV for spreadsheets, and as
// JSON lines for programs, which [Read] reads again. Package report/sarif writes for code scanning.
//
// Whatever a server said is hostile text, and each writer takes the harm out of it in the way that its form asks for.
package report

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// A Record is a result and what was found in it: the JSON object of the contract.
type Record struct {
	*probe.Result
	Findings []finding.Finding
}

// A Writer takes records one at a time, and writes what is left when it is closed. It doesn't close what it writes to.
// [JSONL] and [CSV] write each record as it comes; [HTML] writes when it is closed.
type Writer interface {
	Write(r Record) error
	Close() error
}

// New judges a result by rules.
func New(r *probe.Result, rules []finding.Rule) Record {
	return Record{Result: r, Findings: finding.Evaluate(r, rules)}
}

// Endpoint is where the record's findings were made, as people say it: the name where there is one, and the port.
func (r Record) Endpoint() string {
	if r.Target.Name == "" {
		return r.Target.Addr.String()
	}
	return fmt.Sprintf("%s:%d", r.Target.Name, r.Target.Addr.Port())
}

// Proofs returns of each finding, in their order, the evidence that its basis points at, as "greeting: 220 ready"; of a
// long basis the beginning. It is text that a server chose: see [Clean].
func (r Record) Proofs() [][]string {
	document := r.document()
	all := make([][]string, len(r.Findings))
	for i, f := range r.Findings {
		all[i] = proofs(document, f)
	}
	return all
}

// WithoutTranscript returns the record with an empty transcript. The result that it was made of is left as it is.
func (r Record) WithoutTranscript() Record {
	if r.Result != nil {
		cut := *r.Result
		cut.Transcript = nil
		r.Result = &cut
	}
	return r
}

// MarshalJSON implements [json.Marshaler]: the result's object, the findings before its transcript.
func (r Record) MarshalJSON() ([]byte, error) { return r.appendJSON(nil) }

func (r Record) appendJSON(b []byte) ([]byte, error) {
	if r.Result == nil {
		return b, errors.New("a record has no result")
	}
	return r.AppendJSON(b, probe.Member{Name: "findings", Value: append([]finding.Finding{}, r.Findings...)})
}

// UnmarshalJSON implements [json.Unmarshaler]. The evidence becomes [probe.RawEvidence], which [probe.As] gives its
// type; [Decode] does so at once.
func (r *Record) UnmarshalJSON(data []byte) error {
	result := new(probe.Result)
	if err := result.UnmarshalJSON(data); err != nil {
		return err
	}
	return r.decode(data, result)
}

// Decode parses a record and gives its evidence the type that the prober of its protocol states.
func Decode(data []byte, probers ...probe.Prober) (Record, error) {
	var r Record
	result, err := probe.Decode(data, probers...)
	if err != nil {
		return r, err
	}
	return r, r.decode(data, result)
}

func (r *Record) decode(data []byte, result *probe.Result) error {
	var j struct {
		Findings []finding.Finding `json:"findings"`
	}
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("findings: %w", err)
	}
	for i, f := range j.Findings {
		if f.Severity < finding.Info || f.Severity > finding.Critical {
			return fmt.Errorf("findings: %q has no severity", f.ID)
		}
		j.Findings[i].Basis, j.Findings[i].CWE = append([]string{}, f.Basis...), append([]int{}, f.CWE...)
	}
	*r = Record{Result: result, Findings: append([]finding.Finding{}, j.Findings...)}
	return nil
}
