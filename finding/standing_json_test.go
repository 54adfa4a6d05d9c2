package finding_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// A standing is written as package json writes it.
func TestAppendStanding(t *testing.T) {
	at := time.Date(2026, 11, 28, 2, 0, 0, 1200, time.UTC)
	held := func(change func(h *finding.Held)) finding.Standing {
		h := &finding.Held{Severity: finding.High, Known: finding.Seen, First: at, Hits: 3}
		change(h)
		return finding.Standing{First: at, Level: probe.LevelAnonymous, Open: map[string]*finding.Held{"test.open": h, "a<b": h}}
	}
	for name, st := range map[string]finding.Standing{
		"empty":  {},
		"closed": {First: at, Answered: at, Learned: at, Up: true, Scope: finding.Retired, Protocol: "ftp", Heard: []string{"192.0.2.7", "::1"}, Open: map[string]*finding.Held{}},
		"facts": {Facts: map[string]*finding.History{
			"b": {}, "a": {Values: []string{}, Seen: map[string]time.Time{"<é\x01\xff\"\n": at, "": {}}, Pool: true, From: map[string]string{"x 1": "greeting"}},
		}},
		"plain": held(func(*finding.Held) {}),
		"nobody": held(func(h *finding.Held) {
			h.Items, h.Basis, h.With = map[string]*finding.HeldItem{}, []string{}, []finding.Endpoint{}
		}),
		"whole": held(func(h *finding.Held) {
			h.Items = map[string]*finding.HeldItem{"oak": {Basis: "/evidence/boards/0", Hits: 1<<64 - 1, Misses: 2, Told: true}, "elm": {}}
			h.With, h.Detail, h.Basis, h.By, h.Reason = []finding.Endpoint{{Host: "a.example", Port: 1}}, "\t&", []string{"/evidence/door"}, "x", "busy"
			h.Accepted = []finding.Acceptance{{Reason: "a mirror", By: "Jo"}}
			h.Confirmed, h.Last, h.Misses, h.Unknown = at, at.Local(), 1, 4
		}),
	} {
		want, err := json.Marshal(&st)
		require.NoError(t, err)
		got, err := st.AppendJSON([]byte("before "))
		require.NoError(t, err)
		require.Equal(t, "before "+string(want), string(got), name)
	}
	bad := held(func(h *finding.Held) { h.Severity = 0 })
	got, err := bad.AppendJSON([]byte("before"))
	require.Error(t, err)
	require.Equal(t, "before", string(got))
}
