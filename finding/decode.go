package finding

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/internal/rawjson"
	"github.com/handclasp/handclasp/probe"
)

// A Decoder parses the entries of a file, one after the other. What their findings point to is shared by those that say the same,
// and isn't to be changed: a rule says the same of most endpoints. It is used by one goroutine at a time.
type Decoder struct {
	// Probers state the types of evidence. That of a protocol which none speaks becomes [probe.RawEvidence].
	Probers []probe.Prober

	known map[string]Finding // by its JSON object behind the key, which is left out
	list  []Finding          // the last record's
}

// maxKnown is how many findings a Decoder remembers before it begins anew, and maxKnownSize how long they are at most.
const (
	maxKnown     = 1024
	maxKnownSize = 4 << 10
)

// record parses a record.
func (d *Decoder) record(data []byte) (Record, error) {
	var r Record
	result, err := probe.DecodeMembers(data, []probe.Member{
		{Name: "findings", Value: func(value []byte) (err error) {
			r.Findings, err = d.findings(value)
			return err
		}},
		{Name: "scan", Value: &r.Scan}, {Name: "tag", Value: &r.Tag},
	}, d.Probers...)
	if err != nil {
		return Record{}, err
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Severity < Info || f.Severity > Critical {
			return Record{}, fmt.Errorf("findings: %q has no severity", f.ID)
		}
		f.Key = cmp.Or(f.Key, Key(f.ID, result.Target)) // of before there were keys
	}
	r.Result, r.Findings = result, known(r.Findings)
	return r, nil
}

// findings parses an array of findings.
func (d *Decoder) findings(array []byte) ([]Finding, error) {
	d.list = d.list[:0]
	for object, err := range rawjson.Elements(array) {
		f, ok := d.remembered(object)
		if err != nil || !ok {
			return decodeFindings(array)
		}
		d.list = append(d.list, f)
	}
	return slices.Clone(d.list), nil
}

func decodeFindings(array []byte) (list []Finding, err error) {
	err = json.Unmarshal(array, &list)
	for i := range list {
		list[i].complete()
	}
	return list, err
}

// complete makes empty lists of those that an older version didn't store.
func (f *Finding) complete() {
	f.Basis, f.CWE, f.Items, f.References = known(f.Basis), known(f.CWE), known(f.Items), known(f.References)
}

// remembered parses a finding, if it begins with a key and says nothing that stands in the way of remembering it.
func (d *Decoder) remembered(object []byte) (f Finding, ok bool) {
	key, rest, ok := cutKey(object)
	if !ok {
		return f, false
	}
	if f, ok = d.known[string(rest)]; !ok {
		if f, ok = decodeKeyless(rest); !ok {
			return f, false
		}
		if len(d.known) >= maxKnown {
			clear(d.known)
		}
		if d.known == nil {
			d.known = map[string]Finding{}
		}
		if len(rest) <= maxKnownSize {
			d.known[string(rest)] = f
		}
	}
	f.Key = key
	return f, true
}

// cutKey returns the key that stands in front of a finding, and what stands behind it.
func cutKey(object []byte) (key string, rest []byte, ok bool) {
	value, ok := bytes.CutPrefix(object, []byte(`{"key":`))
	if !ok {
		return "", nil, false
	}
	text, rest, _ := bytes.Cut(value, []byte{','})
	if key, ok = rawjson.Text(text); !ok || len(rest) == 0 || rest[0] != '"' {
		return "", nil, false
	}
	return key, rest, true
}

// decodeKeyless parses a finding whose beginning was cut off up to its second member. It has no other key.
func decodeKeyless(rest []byte) (f Finding, ok bool) {
	object := append([]byte{'{'}, rest...)
	if json.Unmarshal(object, &f) != nil {
		return f, false
	}
	for m, err := range rawjson.Members(object) {
		if name, bad := m.Name(); err != nil || bad != nil || strings.EqualFold(name, "key") {
			return f, false
		}
	}
	f.complete()
	// Who appends to a list is not to write into another's.
	f.Basis, f.Items, f.CWE, f.CVE = slices.Clip(f.Basis), slices.Clip(f.Items), slices.Clip(f.CWE), slices.Clip(f.CVE)
	f.References, f.Accepted = slices.Clip(f.References), slices.Clip(f.Accepted)
	return f, true
}
