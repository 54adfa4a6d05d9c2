package handclasp_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// tagged calls f with the way to each field of a type that has a tag "diff".
func tagged(t reflect.Type, way []reflect.StructField, f func(way []reflect.StructField, tag string)) {
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Slice {
		return // further chains: the one that was negotiated counts
	}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || len(way) > 8 {
		return
	}
	for _, field := range reflect.VisibleFields(t) {
		next := append(way[:len(way):len(way)], field)
		if tag := field.Tag.Get("diff"); tag != "" {
			f(next, tag)
		} else if field.IsExported() {
			tagged(field.Type, next, f)
		}
	}
}

// fill sets the field at the end of a way to something, and makes what leads there.
func fill(v reflect.Value, way []reflect.StructField, something string) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice {
		if v.IsNil() {
			if v.Kind() == reflect.Pointer {
				v.Set(reflect.New(v.Type().Elem()))
			} else {
				v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			}
		}
		if v.Kind() == reflect.Slice {
			if len(way) == 0 {
				fill(v.Index(0), nil, something)
				return
			}
			v = v.Index(0)
		} else {
			v = v.Elem()
		}
	}
	if len(way) > 0 {
		fill(v.FieldByIndex(way[0].Index), way[1:], something)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(something)
	case reflect.Int:
		v.SetInt(int64(len(something)))
	default:
		panic("no test for a fact of kind " + v.Kind().String())
	}
}

// Each field that identifies a server gives its note when it changes, and each volatile one gives none.
func TestTaggedFacts(t *testing.T) {
	all := 0
	for _, p := range handclasp.Probers() {
		spec := p.Spec()
		record := func(way []reflect.StructField, something string) finding.Record {
			e := spec.Evidence()
			if way != nil && way[len(way)-1].Type != reflect.TypeFor[probe.Reply]() {
				fill(reflect.ValueOf(e), way, something)
			}
			r := &probe.Result{Protocol: spec.Protocol, Target: probe.Target{Addr: netip.MustParseAddrPort("192.0.2.1:1")}, Outcome: probe.OutcomeOK, Partial: []string{}, Evidence: e}
			return finding.NewRecord(r, nil)
		}
		tagged(reflect.TypeOf(spec.Evidence()), nil, func(way []reflect.StructField, tag string) {
			var path string
			for _, field := range way {
				name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				path += "/" + name
			}
			if tag != "identifying" {
				require.Contains(t, []string{"volatile", "key"}, tag, path)
				return
			}
			all++
			d := finding.Diff(entries(record(way, "old")), entries(record(way, "newer")), nil)
			require.Len(t, d.Notes, 1, "%s %s", spec.Protocol, path)
			require.Equal(t, finding.NoteFact, d.Notes[0].Kind)
			require.Empty(t, finding.Diff(entries(record(way, "old")), entries(record(way, "old")), nil).Notes, path)
			require.Empty(t, finding.Diff(entries(record(way, "old")), entries(record(nil, "")), nil).Notes, "not learned: %s", path)
		})
	}
	require.Greater(t, all, 30)
}
