package finding

import (
	"errors"
	"fmt"
	"strings"

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

	stored   []byte        // the object that storedOf was decoded from
	storedOf *probe.Result // another one in its place has a document of its own
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
	if r.Result != nil && r.Transcript != nil {
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
	members := append(make([]probe.Member, 0, 3), probe.Member{Name: "findings", Value: findings(r.Findings)})
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
func (r *Record) UnmarshalJSON(data []byte) (err error) {
	*r, err = DecodeRecord(data)
	return err
}

// DecodeRecord parses a record and gives its evidence the type that the prober of its protocol states.
func DecodeRecord(data []byte, probers ...probe.Prober) (Record, error) {
	d := Decoder{Probers: probers}
	return d.record(data)
}

// known makes an empty list of one that an older version didn't store.
func known[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// From returns the record with the JSON object that it was decoded from, which isn't to be changed any more.
func (r Record) From(document []byte) Record {
	r.stored, r.storedOf = document, r.Result
	return r
}

// Document returns the JSON object that the findings point into: the one that [Record.From] was told, or else as the record is written,
// without its transcript if no finding points there. It isn't to be changed.
func (r Record) Document() ([]byte, error) {
	if r.stored != nil && r.storedOf == r.Result {
		return r.stored, nil
	}
	for _, f := range r.Findings {
		for _, pointer := range f.Basis {
			if strings.HasPrefix(pointer, "/transcript") {
				return r.AppendJSON(nil)
			}
		}
	}
	return r.WithoutTranscript().AppendJSON(nil)
}
