package probetest

import (
	"encoding"
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
	for _, path := range nullLists(reflect.ValueOf(r.Evidence), "evidence", 0) {
		faults = append(faults, fmt.Sprintf("%s is null in JSON: make it an empty list when the evidence is made, so that none is []", path))
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

// nullLists returns the paths of lists and maps that marshal as null.
func nullLists(v reflect.Value, path string, depth int) (paths []string) {
	const deepest, first = 16, 4 // evidence is no tree, and list elements are alike
	if depth > deepest || !v.IsValid() {
		return nil
	}
	if depth > 0 && v.CanInterface() {
		switch v.Interface().(type) {
		case json.Marshaler, encoding.TextMarshaler:
			return nil
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return nullLists(v.Elem(), path, depth+1)
		}
	case reflect.Slice, reflect.Map:
		if v.IsNil() {
			return []string{path}
		}
		for i := 0; v.Kind() == reflect.Slice && i < min(v.Len(), first); i++ {
			paths = append(paths, nullLists(v.Index(i), fmt.Sprintf("%s[%d]", path, i), depth+1)...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.IsExported() || name == "-" || strings.Contains(options, "omitempty") {
				continue
			}
			if name == "" {
				name = f.Name
			}
			paths = append(paths, nullLists(v.Field(i), path+"."+name, depth+1)...)
		}
	}
	return paths
}
