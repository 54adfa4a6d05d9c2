package monitor_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/probe"
)

// fill gives every field below v a value that is of number n's own, and that JSON keeps.
func fill(v reflect.Value, n int) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(begun.Add(time.Duration(n) * time.Second)))
		return
	case netip.AddrPort:
		v.Set(reflect.ValueOf(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), 7)))
		return
	case finding.Severity:
		v.Set(reflect.ValueOf(finding.Severity(1 + n%4)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+n%2, 1+n%2))
		for i := range v.Len() {
			fill(v.Index(i), n+i)
		}
	case reflect.String:
		v.SetString(fmt.Sprint("<", v.Type(), n, ">"))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Uint16:
		v.SetUint(uint64(n))
	case reflect.Float64:
		v.SetFloat(float64(n) / 100)
	case reflect.Bool:
		v.SetBool(n%2 == 0)
	default:
		panic(v.Type())
	}
}

// leaves calls f for each field below v that is no struct.
func leaves(v reflect.Value, path string, f func(reflect.Value, string)) {
	if _, time := v.Interface().(time.Time); v.Kind() == reflect.Struct && !time && v.Type() != reflect.TypeFor[netip.AddrPort]() {
		for i := range v.NumField() {
			leaves(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
		return
	}
	f(v, path)
}

// What a change says is told in full, whatever it has in common with others: each field by itself, in Go and in the view.
func TestEveryFieldIsTold(t *testing.T) {
	var changes []finding.Change
	differ := func(path string) { // in this field from the first
		c := finding.Change{}
		fill(reflect.ValueOf(&c).Elem(), 1)
		c.Status = finding.Changed
		leaves(reflect.ValueOf(&c).Elem(), "", func(v reflect.Value, at string) {
			if at == path {
				fill(v, 2)
			}
		})
		changes = append(changes, c)
	}
	differ("")
	leaves(reflect.ValueOf(&changes[0]).Elem(), "", func(_ reflect.Value, at string) {
		if at != ".Status" {
			differ(at)
		}
	})
	for _, s := range []finding.Status{finding.New, finding.Resolved} {
		c := changes[0]
		c.Status = s
		changes = append(changes, c)
	}
	path := filepath.Join(t.TempDir(), "fleet.db")
	s := openAt(t, path, options)
	for _, one := range []string{"together", "alone"} {
		lists := [][]finding.Change{changes}
		if one == "alone" {
			lists = slices.Collect(slices.Chunk(changes, 1))
		}
		for i, list := range lists {
			require.NoError(t, s.Tell(t.Context(), fmt.Sprint(one, i), begun, list, nil))
		}
	}
	want := slices.Concat(changes, changes)
	var told []finding.Change
	var events []monitor.Event
	for e, err := range s.Events(t.Context(), 0) {
		require.NoError(t, err)
		if e.Change != nil {
			require.Equal(t, string(e.Change.Status), e.Kind)
			require.Equal(t, e.Change.Endpoint, e.Endpoint)
			require.Equal(t, begun, e.At)
			told = append(told, *e.Change)
		}
		events = append(events, e)
	}
	require.Len(t, told, len(want))
	for i := range want {
		require.Equal(t, want[i], told[i])
	}
	require.NoError(t, s.Close())
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	rows, err := db.Query(`SELECT event_json FROM history ORDER BY event`)
	require.NoError(t, err)
	defer rows.Close()
	for _, e := range events {
		require.True(t, rows.Next())
		var body []byte
		var seen monitor.Event
		require.NoError(t, rows.Scan(&body))
		require.NoError(t, json.Unmarshal(body, &seen))
		require.Equal(t, e, seen)
	}
	require.False(t, rows.Next())
}

// Events wait until they are taken, in whatever order that happens.
func TestTakenInAnyOrder(t *testing.T) {
	s := open(t, options)
	waiting := map[int64]bool{}
	rnd := rand.New(rand.NewPCG(1, 2))
	for scan := range 8 {
		notes := make([]finding.Note, 1+rnd.IntN(20))
		for i := range notes {
			notes[i] = finding.Note{Kind: finding.NoteFact, Text: "a note"}
		}
		first := int64(len(waiting)) // with those taken, which stay as false
		require.NoError(t, s.Tell(t.Context(), fmt.Sprint(scan), begun.AddDate(0, 0, scan), nil, notes))
		for i := range len(notes) + 1 {
			waiting[first+int64(i)+1] = true
		}
		for range 4 {
			var ids []int64
			for range rnd.IntN(6) {
				ids = append(ids, 1+rnd.Int64N(int64(len(waiting))))
			}
			if rnd.IntN(3) == 0 {
				require.NoError(t, s.Failed(t.Context(), errors.New("no mail"), ids...))
				continue
			}
			require.NoError(t, s.Ack(t.Context(), ids...))
			for _, id := range ids {
				waiting[id] = false
			}
		}
		after := rnd.Int64N(int64(len(waiting)))
		var want, seen []int64
		for id := int64(1); id <= int64(len(waiting)); id++ {
			if waiting[id] && id > after {
				want = append(want, id)
			}
		}
		for e, err := range s.Events(t.Context(), after) {
			require.NoError(t, err)
			seen = append(seen, e.ID)
		}
		require.Equal(t, want, seen)
		status, err := s.Status(t.Context())
		require.NoError(t, err)
		all := 0
		for _, waits := range waiting {
			if waits {
				all++
			}
		}
		require.Equal(t, all, status.Undelivered)
	}
}

// Events of a file of the second version, where each was a row of its own, are told as they would have been.
func TestMigrationOfEvents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	require.NoError(t, monitor.SecondVersion(db))
	var want []monitor.Event
	for i, e := range []monitor.Event{
		{Kind: "new", Endpoint: finding.Endpoint{Host: "192.0.2.1", Network: probe.TCP, Port: 7}, Change: &finding.Change{Status: finding.New, Finding: finding.Finding{ID: "test.open", Severity: finding.Low}}},
		{Kind: "fact", Endpoint: finding.Endpoint{Host: "192.0.2.2", Network: probe.TCP, Port: 7}, Note: &finding.Note{Kind: finding.NoteFact, Text: "a note"}},
		{Kind: "scan", Summary: &monitor.Scan{ID: "night-0"}},
	} {
		e.Scan, e.At = "night-0", begun
		body, err := json.Marshal(e)
		require.NoError(t, err)
		_, err = db.Exec(`INSERT INTO event (scan, at, kind, body) VALUES (?, ?, ?, ?)`, e.Scan, "2026-01-01T02:00:00.000Z", e.Kind, body)
		require.NoError(t, err)
		e.ID = int64(i + 1)
		want = append(want, e)
	}
	_, err = db.Exec(`INSERT INTO undelivered VALUES (2, 3, 'no mail'), (3, 0, '')`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	s := openAt(t, path, options)
	require.Equal(t, want[1:], undelivered(t, s))
	for key, n := range map[string]int{"test.open": 0, "192.0.2.2": 1} {
		for e, err := range s.History(t.Context(), key) {
			require.NoError(t, err)
			require.Equal(t, want[n], e)
		}
	}
	require.NotEmpty(t, night(t, s, 1, at("open", "k")))
	for e, err := range s.History(t.Context(), "192.0.2.1") {
		require.NoError(t, err)
		want = append(want, e)
	}
	require.Equal(t, []int64{1, 4}, []int64{want[3].ID, want[4].ID}, "ids go on")
}
