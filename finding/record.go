package finding

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/handclasp/handclasp/probe"
)

// A Record is a result and what was found in it: the JSON object of the contract.
type Record struct {
	*probe.Result
	Findings []Finding
	// Scan is the id of the scan that the record is from, whose [Header] says how it was made; empty if nobody says.
	Scan string
	// Tag is what the list of targets says beside the endpoint's, such as zgrab2's third field; empty for nothing.
	Tag string
}

// NewRecord judges a result by rules.
func NewRecord(r *probe.Result, rules []Rule) Record {
	return Record{Result: r, Findings: Evaluate(r, rules)}
}

// Endpoint is where the record's findings were made, as people say it: the name, or the address if there is none, and the
// port.
func (r Record) Endpoint() string {
	if r.Target.Name == "" {
		return r.Target.Addr.String()
	}
	return fmt.Sprintf("%s:%d", r.Target.Name, r.Target.Addr.Port())
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
func (r Record) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// AppendJSON appends the record's JSON object to b.
func (r Record) AppendJSON(b []byte) ([]byte, error) {
	if r.Result == nil {
		return b, errors.New("a record has no result")
	}
	members := []probe.Member{{Name: "findings", Value: append([]Finding{}, r.Findings...)}}
	if r.Tag != "" {
		members = append(members, probe.Member{Name: "tag", Value: r.Tag})
	}
	if r.Scan != "" {
		members = append(members, probe.Member{Name: "scan", Value: r.Scan})
	}
	return r.Result.AppendJSON(b, members...)
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

// DecodeRecord parses a record and gives its evidence the type that the prober of its protocol states.
func DecodeRecord(data []byte, probers ...probe.Prober) (Record, error) {
	var r Record
	result, err := probe.Decode(data, probers...)
	if err != nil {
		return r, err
	}
	return r, r.decode(data, result)
}

func (r *Record) decode(data []byte, result *probe.Result) error {
	var j struct {
		Findings []Finding `json:"findings"`
		Scan     string    `json:"scan"`
		Tag      string    `json:"tag"`
	}
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("findings: %w", err)
	}
	for i, f := range j.Findings {
		if f.Severity < Info || f.Severity > Critical {
			return fmt.Errorf("findings: %q has no severity", f.ID)
		}
		f := &j.Findings[i]
		f.Basis, f.CWE, f.Items, f.References = append([]string{}, f.Basis...), append([]int{}, f.CWE...), append([]Item{}, f.Items...), append([]string{}, f.References...)
		f.Key = cmp.Or(f.Key, Key(f.ID, result.Target)) // of before there were keys
	}
	*r = Record{Result: result, Findings: append([]Finding{}, j.Findings...), Scan: j.Scan, Tag: j.Tag}
	return nil
}
