package probetest

import (
	"encoding/json"
	"fmt"
	"reflect"

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
