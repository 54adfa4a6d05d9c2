package finding

import (
	"slices"
	"strings"
)

// sets are the rules that judge by data of their own, by what their ids begin with, and which digests stand for the data.
var sets = []struct {
	prefix, kind, text string
	data               func(Digests) string
}{
	{"software.", "advisories", "other data on vulnerabilities and life cycles", func(d Digests) string { return d.Advisories }},
	{"policy.", "policy", "another policy", func(d Digests) string { return d.Policy }},
}

// A by says what a finding was judged by beside the result.
type by struct {
	kind, text string // of the cause
	data, with string // digests
}

// by says what the scan judges a rule by; the zero value if that is the result alone, or if the scan doesn't say.
func (t *telling) by(rule string) by {
	d := t.w.now.Digests
	if t.w.now.Scan == "" {
		return by{}
	}
	for _, s := range sets {
		if strings.HasPrefix(rule, s.prefix) {
			return by{s.kind, s.text, s.data(d), d.Fingerprints}
		}
	}
	if t.w.snap.isStranger(rule) {
		return by{"rules", "other rules, which aren't known here", d.Rules, d.Profile}
	}
	return by{}
}

// dataOf is the digest of the data that a scan judges a rule by, and whether there are such; empty for what is built in.
func dataOf(h Header, rule string) (digest string, ok bool) {
	for _, s := range sets {
		if strings.HasPrefix(rule, s.prefix) {
			return s.data(h.Digests), true
		}
	}
	return "", false
}

// dataBefore is what the scan before judged a rule by.
func (w *weighing) dataBefore(rule string) string {
	data, ok := dataOf(w.before, rule)
	if !ok && w.snap.isStranger(rule) {
		return w.before.Digests.Rules
	}
	return data
}

func (b by) String() string { return b.data + "@" + b.with }

// A lack says how what a finding was judged by compares with what the scan judges by.
type lack int

const (
	lackNone   lack = iota
	lackOther       // what is different about the finding may follow from the data alone
	lackAll         // the scan hasn't got what it was judged by
	lackUntold      // nobody here knows the rule, nor says by what it judged
)

func (t *telling) lacks(rule string, h *Held) lack {
	b, stranger := t.by(rule), t.w.snap.isStranger(rule)
	switch {
	case t.closed():
		return lackNone
	case stranger && (b == by{} || h.By == ""):
		return lackUntold
	case stranger && h.By != b.String():
		return lackAll
	case t.st.prior != nil, b == by{}, h.By == "", h.By == b.String():
		return lackNone // of two scans by known rules, both are judged by the same
	case b.data == "" && !strings.HasPrefix(h.By, "@"):
		return lackAll
	case strings.HasSuffix(h.By, "@"+b.with) && t.softwareChanged():
		return lackNone // the version is what matters
	}
	return lackOther
}

// lacking counts a difference that follows from other data, in the scan that is the first to have them.
func (t *telling) lacking(rule string) {
	if b := t.by(rule); b != (by{}) && (b.data != t.w.dataBefore(rule) || b.with != t.w.before.Digests.Fingerprints && b.with != t.w.before.Digests.Profile) {
		t.w.cause(b.kind, b.text, rule)
	}
}

// closed reports whether nobody listens any more, whatever that is judged by.
func (t *telling) closed() bool {
	return len(t.sight.parts) > 0 && !slices.ContainsFunc(t.sight.parts, func(p *part) bool { return !p.closed })
}

// softwareChanged reports whether the endpoint tells other software than before.
func (t *telling) softwareChanged() bool {
	return slices.ContainsFunc(t.merged(), func(f fact) bool {
		h := t.st.Facts[f.path]
		return strings.HasSuffix(f.path, pathSoftware) && (h == nil || !slices.Equal(h.Values, f.values))
	})
}
