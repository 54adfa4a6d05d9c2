// Package redact takes out of results what tells whose they are: names, addresses, shares, listings and whatever isn't known
// to be harmless.
//
// Nothing that a server chose is kept because of where it stands. A string is replaced word by word, each word by a pseudonym
// that is the same for the same word and key; the fields in [spoken], which hold the protocols' own words, keep those that are
// in words.txt. A field that is new, and in no list, is replaced as a whole. Bytes are dropped, evidence of unknown types too.
package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Options say what is left.
type Options struct {
	Key []byte // of the pseudonyms; whoever has it can find out whether a name is one
	// Transcripts keeps conversations, redacted as text; what is no text is dropped. They can't be replayed.
	Transcripts bool
}

// A Redactor redacts the entries of a file. It is used by one goroutine at a time.
type Redactor struct {
	o      Options
	fields map[string]bool // names that pointers may have in them
	// names are the words that were replaced in the record at hand because of where they stood, and whole the strings.
	names, whole map[string]bool
}

// New returns a redactor. The probers' evidence has the fields that a finding may point at.
func New(probers []probe.Prober, o Options) *Redactor {
	return &Redactor{o: o, fields: fieldNames(probers), names: map[string]bool{}, whole: map[string]bool{}}
}

// Entry redacts an entry. Its evidence and lists are overwritten.
func (r *Redactor) Entry(e finding.Entry) finding.Entry {
	clear(r.names)
	clear(r.whole)
	switch {
	case e.Header != nil:
		r.struc(e.Header)
	case e.Footer != nil:
		r.struc(e.Footer)
	case e.Result != nil:
		e.Record = r.record(e.Record)
	}
	return e
}

func (r *Redactor) record(record finding.Record) finding.Record {
	result := *record.Result
	record.Result = &result
	result.Target = probe.Target{Network: closed(r, result.Target.Network), Addr: r.addrPort(result.Target.Addr), Name: r.name(result.Target.Name)}
	if _, raw := result.Evidence.(*probe.RawEvidence); raw || result.Evidence == nil {
		result.Evidence = nil
	} else {
		r.struc(result.Evidence)
	}
	result.Protocol, result.Outcome = r.spoken(result.Protocol), closed(r, result.Outcome)
	for i := range result.Software {
		r.struc(&result.Software[i])
	}
	for i, p := range result.Partial {
		result.Partial[i] = r.pointer(p)
	}
	if result.Err != nil {
		result.Err = r.failure(result.Err, result.Outcome)
	}
	record.Tag, record.Scan = r.name(record.Tag), r.name(record.Scan)
	for i := range record.Findings {
		r.finding(&record.Findings[i], result.Target)
	}
	result.Transcript = r.transcript(result.Transcript)
	return record
}

func (r *Redactor) failure(err error, o probe.Outcome) error {
	e := &probe.Error{Err: err}
	errors.As(err, &e)
	if e.Err == nil {
		return &probe.Error{Op: r.said(e.Op), Outcome: o}
	}
	return probe.Errorf(r.said(e.Op), o, "%s", r.said(e.Err.Error()))
}

func (r *Redactor) finding(f *finding.Finding, t probe.Target) {
	// What the rule says is the same wherever it fires.
	f.Key = finding.Key(f.ID, t)
	f.Known, f.Baseline, f.Detail = closed(r, f.Known), closed(r, f.Baseline), r.said(f.Detail)
	f.Basis, f.Items, f.Accepted = slices.Clone(f.Basis), slices.Clone(f.Items), slices.Clone(f.Accepted) // which other records may share
	for i := range f.Basis {
		f.Basis[i] = r.pointer(f.Basis[i])
	}
	for i := range f.Items {
		f.Items[i] = finding.Item{Value: r.item(f.Items[i].Value), Basis: r.pointer(f.Items[i].Basis)}
	}
	for i := range f.Accepted {
		a := &f.Accepted[i]
		a.Until, a.Reason, a.By = r.spoken(a.Until), r.name(a.Reason), r.name(a.By)
		a.Items = slices.Clone(a.Items)
		for j := range a.Items {
			a.Items[j] = r.item(a.Items[j])
		}
	}
}

// item redacts a thing that a finding is about: a name, or an algorithm.
func (r *Redactor) item(value string) string {
	if r.whole[value] {
		return r.name(value)
	}
	return r.said(value)
}

func (r *Redactor) transcript(all probe.Transcript) probe.Transcript {
	if !r.o.Transcripts {
		return nil
	}
	for i := range all {
		e := &all[i]
		switch {
		case e.Dir == probe.DirOpen:
			e.Data = []byte(r.name(string(e.Data)))
		case isText(e.Data):
			e.Data = []byte(r.said(string(e.Data)))
		default:
			e.Data = nil
		}
		e.Dir, e.Outcome, e.Label = closed(r, e.Dir), closed(r, e.Outcome), r.said(e.Label)
		if e.TLS != nil {
			r.struc(e.TLS)
		}
	}
	return all
}

// pointer keeps a JSON pointer whose parts are fields' names and numbers, and of another the beginning.
func (r *Redactor) pointer(p string) string {
	kept := ""
	for _, part := range strings.Split(strings.TrimPrefix(p, "/"), "/") {
		if strings.Trim(part, "0123456789") != "" && !r.fields[part] {
			break
		}
		kept += "/" + part
	}
	return kept
}

// closed keeps a value of a closed set, whose words are all in the vocabulary.
func closed[T ~string](r *Redactor, value T) T {
	if r.spoken(string(value)) != string(value) {
		return ""
	}
	return value
}

// word is the pseudonym of a word: "n" and eight letters and digits.
func (r *Redactor) word(w string) string {
	return "n" + strings.ToLower(r.hash("word", strings.ToLower(w))[:8])
}

func (r *Redactor) hash(kind, text string) string {
	return base32.StdEncoding.EncodeToString(r.sum(kind, text))
}

func (r *Redactor) sum(kind, text string) []byte {
	h := hmac.New(sha256.New, r.o.Key)
	h.Write([]byte(kind + "\x00" + text))
	return h.Sum(nil)
}

// addr is the pseudonym of an address: one of 240.0.0.0/4 or 2001:db8::/32. Those of one /24, or /64, stay together.
func (r *Redactor) addr(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.IsUnspecified() { // which says: the same
		return a
	}
	if a.Is4() {
		b := a.As4()
		network, host := r.sum("network", string(b[:3])), r.sum("host", string(b[:3]))
		return netip.AddrFrom4([4]byte{0xf0 | network[0]&0x0f, network[1], network[2], b[3] ^ host[0]})
	}
	b := a.As16()
	network, host := r.sum("network", string(b[:8])), r.sum("host", string(b[:]))
	copy(b[:], []byte{0x20, 0x01, 0x0d, 0xb8})
	copy(b[4:8], network)
	copy(b[8:], host)
	return netip.AddrFrom16(b)
}

func (r *Redactor) addrPort(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(r.addr(a.Addr()), a.Port())
}
