package finding

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// Fields of evidence say by the struct tag "diff" what their change means:
//
//	identifying  the server is another one, or was changed: a host key, a version, a name
//	volatile     it changes by itself: clocks, challenges, random names that were echoed
//	key          within a list, what tells its members apart, so that each is a fact of its own
//
// The change of a field without a tag is of no interest by itself. Of a list without keys the first member counts.
const diffTag = "diff"

// A fact is what a scan learned under one path.
type fact struct {
	path   string // "ssh:/evidence/host_keys/ssh-ed25519/sha256"
	values []string
	whole  bool // nothing of it was lost: what isn't there is gone
	// from is what named a value of software, such as "greeting"; nil for other facts.
	from  map[string]string
	quiet bool // one of several addresses, which spoke before, didn't
}

// The paths of facts that are no fields of evidence.
const (
	pathProtocol  = "/protocol"
	pathAddresses = "/target/addr"
	pathSoftware  = "/software"
)

// meanings say what the change of a fact may mean, by a part of its path.
var meanings = []struct{ part, text string }{
	{pathProtocol, "another service took the port"},
	{pathAddresses, "the name points elsewhere: a move, or somebody who has got hold of it"},
	{pathSoftware, "an update, a downgrade, or another machine"},
	{"/host_keys/", "a reinstallation, or somebody in the middle"},
	{"/key_sha256", "a renewed certificate, or somebody in the middle"},
	{"/auth_m", "the ways to log in were configured anew"},
	{"/versions", "TLS was configured anew, or the library updated"},
	{"/dialects", "the server was configured anew, or updated"},
}

// Meaning says what the change of a fact may mean; empty if nothing is known of it.
func Meaning(path string) string {
	for _, m := range meanings {
		if strings.Contains(path, m.part) {
			return m.text
		}
	}
	return ""
}

// facts returns the identifying facts of a result that were learned. Evidence whose type isn't known has none.
func (w walker) facts(r *probe.Result) (list []fact) {
	if speaks := Speaks(r); speaks != "" {
		list = append(list, fact{path: pathProtocol, values: []string{speaks}, whole: true})
	}
	protocol := r.Protocol + ":"
	from := map[string]string{}
	for _, s := range r.Software {
		if name := strings.TrimSpace(s.Product + " " + s.Version); name != "" && from[name] == "" {
			from[name] = s.Source
		}
	}
	if len(from) > 0 {
		list = append(list, fact{path: protocol + pathSoftware, values: slices.Sorted(maps.Keys(from)), whole: len(r.Partial) == 0, from: from})
	}
	if r.Evidence == nil {
		return list
	}
	v := reflect.ValueOf(r.Evidence)
	if _, raw := r.Evidence.(*probe.RawEvidence); raw || v.Kind() != reflect.Pointer || v.IsNil() {
		return list
	}
	w.collect(v.Elem(), "/evidence", func(path string, values []string, several bool) {
		list = append(list, fact{path: protocol + path, values: values, whole: !several || !lostAt(r.Partial, path)})
	})
	return list
}

// lostAt reports whether something at a path may not have been learned.
func lostAt(partial []string, path string) bool {
	return slices.ContainsFunc(partial, func(p string) bool { return under(path, p) || under(p, path) })
}

func under(path, parent string) bool {
	rest, ok := strings.CutPrefix(path, parent)
	return ok && (rest == "" || rest[0] == '/')
}

// A field is one that leads to an identifying fact.
type field struct {
	index       []int
	name        string
	identifying bool
}

// fields are the interesting ones of a struct, and which one is the key.
type fields struct {
	list []field
	key  []int
}

// A walker finds identifying facts, and remembers where the types have them.
type walker map[reflect.Type]fields

func (w walker) fieldsOf(t reflect.Type) fields {
	if known, ok := w[t]; ok {
		return known
	}
	var fs fields
	w[t] = fs // for a type that holds itself
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		tag := f.Tag.Get(diffTag)
		switch {
		case !f.IsExported() || f.Anonymous || name == "-" || tag == "volatile":
		case tag == "key":
			fs.key = f.Index
		case tag == "identifying":
			fs.list = append(fs.list, field{f.Index, name, true})
		case w.leads(f.Type):
			fs.list = append(fs.list, field{f.Index, name, false})
		}
	}
	w[t] = fs
	return fs
}

// leads reports whether a type holds an identifying field.
func (w walker) leads(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && len(w.fieldsOf(t).list) > 0
}

// collect calls f for each identifying fact that was learned below v.
func (w walker) collect(v reflect.Value, path string, f func(path string, values []string, several bool)) {
	for _, field := range w.fieldsOf(v.Type()).list {
		value, at := v.FieldByIndex(field.index), path+"/"+field.name
		for value.Kind() == reflect.Pointer && !value.IsNil() {
			value = value.Elem()
		}
		switch {
		case value.Kind() == reflect.Pointer: // nil
		case field.identifying:
			if values := valuesOf(value); values != nil {
				f(at, values, value.Kind() == reflect.Slice)
			}
		case value.Kind() == reflect.Struct:
			w.collect(value, at, f)
		case value.Kind() == reflect.Slice:
			w.members(value, at, f)
		}
	}
}

func (w walker) members(list reflect.Value, path string, f func(path string, values []string, several bool)) {
	for i := range list.Len() {
		member := list.Index(i)
		for member.Kind() == reflect.Pointer && !member.IsNil() {
			member = member.Elem()
		}
		if member.Kind() != reflect.Struct {
			continue
		}
		key := w.fieldsOf(member.Type()).key
		switch {
		case key != nil:
			w.collect(member, fmt.Sprintf("%s/%v", path, member.FieldByIndex(key)), f)
		case i == 0:
			w.collect(member, path+"/0", f)
		}
	}
}

// valuesOf returns what a field holds, as words in order; nil if it wasn't learned.
func valuesOf(v reflect.Value) []string {
	if v.Kind() != reflect.Slice {
		if v.IsZero() {
			return nil
		}
		return []string{fmt.Sprint(v.Interface())}
	}
	if v.IsNil() {
		return nil
	}
	values := make([]string, 0, v.Len())
	for i := range v.Len() {
		values = append(values, fmt.Sprint(v.Index(i).Interface()))
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// address returns the fact which address was asked.
func address(a netip.Addr) fact {
	return fact{path: pathAddresses, values: []string{a.Unmap().String()}, whole: true}
}
