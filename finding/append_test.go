package finding_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// appended is a finding as a record has it.
func appended(t *testing.T, f finding.Finding) (string, error) {
	t.Helper()
	r := finding.Record{Result: &probe.Result{Evidence: &evidence{}}, Findings: []finding.Finding{f, f}}
	line, err := r.AppendJSON(nil)
	if err != nil {
		return "", err
	}
	var members struct{ Findings json.RawMessage }
	require.NoError(t, json.Unmarshal(line, &members))
	return string(members.Findings), nil
}

// marshalled is what package json makes of it.
func marshalled(f finding.Finding) (string, error) {
	b, err := json.Marshal([]finding.Finding{f, f})
	return string(b), err
}

func requireAppended(t *testing.T, f finding.Finding) {
	t.Helper()
	want, wrong := marshalled(f)
	got, err := appended(t, f)
	require.Equal(t, wrong == nil, err == nil, "%v, %v", wrong, err)
	require.Equal(t, want, got)
}

// fillAll sets all that a value holds to something that isn't zero.
func fillAll(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int:
		v.SetInt(3)
	case reflect.Float64:
		v.SetFloat(6.3)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillAll(v.Elem(), text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fillAll(v.Index(i), text)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 11, 27, 1, 2, 3, 0, time.UTC)))
			return
		}
		for i := range v.NumField() {
			fillAll(v.Field(i), text)
		}
	}
}

// Each member that a finding has, by itself and with all others, is appended as package json writes it.
func TestFindingsAreAppendedAsPackageJSONWritesThem(t *testing.T) {
	requireAppended(t, finding.Finding{Severity: finding.Low})
	var all finding.Finding
	fillAll(reflect.ValueOf(&all).Elem(), "<a> & \"b\"")
	requireAppended(t, all)
	for i := range reflect.TypeFor[finding.Finding]().NumField() {
		one := finding.Finding{Severity: finding.Low}
		field := reflect.ValueOf(&one).Elem().Field(i)
		fillAll(field, "x")
		requireAppended(t, one)
		if field.Kind() == reflect.Slice {
			field.Set(reflect.MakeSlice(field.Type(), 0, 0))
			requireAppended(t, one)
		}
	}
	requireAppended(t, finding.Finding{}) // no severity
	requireAppended(t, finding.Finding{Severity: finding.Low, Score: math.NaN()})
}

func FuzzFindingJSON(f *testing.F) {
	f.Add("220 ready\r\n", 6.3, 0.00094)
	f.Add("<b>&\u2028\x1b[31m\x7f\"\\\xff", 1e-7, 1e21)
	f.Add("\t\ufffd", -1e-6, math.Inf(1))
	f.Fuzz(func(t *testing.T, text string, score, epss float64) {
		requireAppended(t, finding.Finding{
			Key: text, ID: text, Title: text, Severity: finding.High, Known: finding.Known(text), Basis: []string{text, ""},
			Items: []finding.Item{{Value: text, Basis: text}}, Detail: text, CVE: []string{text}, CVSS: text, Score: score, KEV: text, EPSS: epss,
			Remediation: text, References: []string{text}, Baseline: finding.Status(text),
		})
	})
}
