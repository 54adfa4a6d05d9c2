package probetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// checkEvidence returns what is wrong with a result's evidence.
func checkEvidence(p probe.Prober, r *probe.Result) (faults []string) {
	if isNil(r.Evidence) {
		return []string{fmt.Sprintf("Probe returned no evidence (outcome %s, error %v): make it first, call Session.Keep, and return it beside every error", r.Outcome, r.Err)}
	}
	spec := p.Spec()
	if got := r.Evidence.Protocol(); got != spec.Protocol {
		faults = append(faults, fmt.Sprintf("the evidence says protocol %q, the Spec %q: they must agree", got, spec.Protocol))
	}
	if heardNothing(r) {
		for _, path := range emptyLists(reflect.ValueOf(r.Evidence), "evidence", 0) {
			faults = append(faults, fmt.Sprintf("%s is [] though nothing was heard: leave it nil until the server was asked and has none", path))
		}
	}
	brief := *r
	brief.Transcript = nil // it may be long, and is the session's
	text, err := json.Marshal(&brief)
	if err != nil {
		return append(faults, fmt.Sprintf("the evidence doesn't marshal: %v", err))
	}
	decoded, err := probe.Decode(text, p)
	if err != nil {
		return append(faults, fmt.Sprintf("the evidence's JSON doesn't decode: %v", err))
	}
	got := decoded.Evidence
	if raw, ok := got.(*probe.RawEvidence); ok { // the Spec has no Evidence func
		again := reflect.New(reflect.TypeOf(r.Evidence).Elem())
		if err := json.Unmarshal(raw.JSON, again.Interface()); err != nil {
			return append(faults, fmt.Sprintf("the evidence's JSON doesn't decode: %v", err))
		}
		got = again.Interface().(probe.Evidence)
	}
	if !reflect.DeepEqual(r.Evidence, got) {
		faults = append(faults, "the evidence isn't the same after JSON and probe.Decode (text that isn't UTF-8? a time that isn't UTC? a field without a tag?):\n"+difference(r.Evidence, got))
	}
	return faults
}

func isNil(e probe.Evidence) bool {
	v := reflect.ValueOf(e)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// heardNothing reports whether no byte of a server's was read.
func heardNothing(r *probe.Result) bool {
	for _, e := range r.Transcript {
		if e.Dir == probe.DirRecv || e.Dir == probe.DirTLS {
			return false
		}
	}
	return true
}

// emptyLists returns the paths of lists that marshal as [].
func emptyLists(v reflect.Value, path string, depth int) (paths []string) {
	const deepest = 16 // evidence is no tree
	if depth > deepest || !v.IsValid() {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return emptyLists(v.Elem(), path, depth+1)
	case reflect.Slice:
		if !v.IsNil() && v.Len() == 0 && v.Type().Elem().Kind() != reflect.Uint8 {
			return []string{path}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				paths = append(paths, emptyLists(v.Field(i), path+"."+cmp.Or(name, f.Name), depth+1)...)
			}
		}
	}
	return paths
}
