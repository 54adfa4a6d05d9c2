package redact

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

func probers() []probe.Prober { return append(handclasp.Probers(), detect.Detector{}) }

// A filler fills all fields of a value, each string and each byte with something that nobody else has.
type filler struct {
	n      int
	leaks  []string
	opened map[reflect.Type]int
}

func (f *filler) text() string {
	f.n++
	leak := fmt.Sprintf("leak%dzz", f.n)
	f.leaks = append(f.leaks, leak)
	return leak
}

func (f *filler) fill(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(f.addr()))
		return
	case netip.AddrPort:
		v.Set(reflect.ValueOf(netip.AddrPortFrom(f.addr(), 873)))
		return
	case []byte:
		v.SetBytes([]byte(f.text()))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(f.text())
	case reflect.Pointer:
		if f.opened[v.Type()] > 1 {
			return
		}
		f.opened[v.Type()]++
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
		f.opened[v.Type()]--
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key)
		f.fill(value)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				f.fill(v.Field(i))
			}
		}
	}
}

func (f *filler) addr() netip.Addr {
	f.n++
	a := netip.AddrFrom4([4]byte{10, 9, byte(f.n >> 8), byte(f.n)})
	f.leaks = append(f.leaks, a.String())
	return a
}

// Whatever a type's fields hold is gone, those that somebody adds tomorrow too.
func TestEveryFieldOfEveryType(t *testing.T) {
	for _, p := range probers() {
		f := &filler{opened: map[reflect.Type]int{}}
		evidence := p.Spec().Evidence()
		f.fill(reflect.ValueOf(evidence).Elem())
		result := &probe.Result{Protocol: p.Spec().Protocol, Evidence: evidence, Outcome: probe.OutcomeMalformed, Started: time.Now()}
		f.fill(reflect.ValueOf(&result.Target).Elem())
		f.fill(reflect.ValueOf(&result.Software).Elem())
		f.fill(reflect.ValueOf(&result.Partial).Elem())
		f.fill(reflect.ValueOf(&result.Transcript).Elem())
		result.Err = probe.Errorf(f.text(), probe.OutcomeMalformed, "%s", f.text())
		record := finding.Record{Result: result, Tag: f.text(), Scan: f.text(), Findings: []finding.Finding{{Severity: finding.High, ID: "house.rule"}}}
		found := &record.Findings[0]
		for _, pointer := range []any{&found.Key, &found.Basis, &found.Items, &found.Detail, &found.Accepted, &found.Baseline, &found.Known} {
			f.fill(reflect.ValueOf(pointer).Elem())
		}
		require.Greater(t, len(f.leaks), 20, p.Spec().Protocol)
		clean(t, f.leaks, New(probers(), Options{Key: []byte("k"), Transcripts: true}), finding.Entry{Record: record})
	}
	for _, e := range []finding.Entry{{Header: new(finding.Header)}, {Footer: new(finding.Footer)}} {
		f := &filler{opened: map[reflect.Type]int{}}
		if e.Header != nil {
			f.fill(reflect.ValueOf(e.Header).Elem())
			e.Header.Level = probe.LevelAnonymous
		} else {
			f.fill(reflect.ValueOf(e.Footer).Elem())
		}
		clean(t, f.leaks, New(probers(), Options{Key: []byte("k")}), e)
	}
}

func clean(t *testing.T, leaks []string, r *Redactor, e finding.Entry) {
	t.Helper()
	data, err := json.Marshal(r.Entry(e))
	require.NoError(t, err)
	for _, leak := range leaks {
		if at := strings.Index(string(data), leak); at >= 0 {
			t.Errorf("%s is left: %s", leak, data[max(0, at-80):at+len(leak)])
		}
	}
	_, err = finding.DecodeEntry(data, probers()...)
	require.NoError(t, err, "it is read again")
}

// recorded are the results of all recordings.
func recorded(t *testing.T, each func(file string, r finding.Record)) {
	files, err := filepath.Glob("../../*/testdata/transcripts/*.txt")
	require.NoError(t, err)
	n := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		recording, err := replay.Parse(text)
		require.NoError(t, err, file)
		for _, p := range handclasp.Probers() {
			if p.Spec().Protocol == filepath.Base(filepath.Dir(filepath.Dir(filepath.Dir(file)))) {
				n++
				each(file, handclasp.NewJudge(&handclasp.Options{}).Record(probe.Run(t.Context(), p, recording.Target, recording.Options())))
			}
		}
	}
	require.Greater(t, n, 100)
}

// What stands in recorded results where names stand is nowhere any more, and the rest still says what was found.
func TestRecordedResults(t *testing.T) {
	d := finding.Decoder{Probers: probers()}
	recorded(t, func(file string, record finding.Record) {
		names := namesIn(record)
		data, err := json.Marshal(record)
		require.NoError(t, err)
		copied, err := d.Decode(data)
		require.NoError(t, err)
		other, err := d.Decode(data)
		require.NoError(t, err)
		before, err := json.Marshal(other)
		require.NoError(t, err)
		r := New(probers(), Options{Key: []byte("k"), Transcripts: true})
		redacted := r.Entry(copied)
		after, err := json.Marshal(other)
		require.NoError(t, err)
		require.Equal(t, string(before), string(after), "what another result shares with it stays")
		for _, text := range textsIn(t, redacted) {
			for _, name := range names {
				if strings.Contains(strings.ToLower(text), name) && New(nil, Options{}).spoken(name) != name {
					t.Errorf("%s: %q is in %q", file, name, text)
				}
			}
		}
		require.Len(t, redacted.Findings, len(record.Findings), file)
		ids := func(all []finding.Finding) (ids []string) {
			for _, f := range all {
				if f.ID != "key.weak" { // keys are gone
					ids = append(ids, f.ID)
				}
			}
			slices.Sort(ids)
			return ids
		}
		again := handclasp.NewJudge(&handclasp.Options{}).Record(redacted.Result)
		require.Equal(t, ids(record.Findings), ids(again.Findings), "%s: judged anew", file)
	})
}

// namesIn are the strings of evidence that aren't a protocol's words, in lower case.
func namesIn(record finding.Record) (names []string) {
	add := func(text string) {
		if text = strings.ToLower(strings.TrimSpace(text)); len(text) > 3 && text != "localhost" && strings.Trim(text, "0123456789.:-") != "" {
			names = append(names, text)
		}
	}
	add(record.Target.Name)
	add(record.Target.Addr.Addr().String())
	var walk func(v reflect.Value, keep bool)
	walk = func(v reflect.Value, keep bool) {
		switch v.Kind() {
		case reflect.String:
			if !keep && v.Type() == reflect.TypeFor[string]() {
				add(v.String())
			}
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				walk(v.Elem(), keep)
			}
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i), keep)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.IsExported() {
					walk(v.Field(i), spoken[v.Type().String()+"."+f.Name])
				}
			}
		}
	}
	walk(reflect.ValueOf(record.Evidence), false)
	return names
}

// textsIn are the values of an entry's JSON, but for what rules say of themselves.
func textsIn(t *testing.T, e finding.Entry) (texts []string) {
	data, err := json.Marshal(e)
	require.NoError(t, err)
	var tree any
	require.NoError(t, json.Unmarshal(data, &tree))
	var walk func(key string, v any)
	walk = func(key string, v any) {
		switch v := v.(type) {
		case string:
			texts = append(texts, v)
		case []any:
			for _, item := range v {
				walk(key, item)
			}
		case map[string]any:
			for k, item := range v {
				if k != "title" && k != "remediation" && k != "references" && k != "id" {
					walk(k, item)
				}
			}
		}
	}
	walk("", tree)
	return texts
}
