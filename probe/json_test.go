package probe_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// What is appended is what package json would have written of a struct with the contract's fields.
func FuzzEventJSON(f *testing.F) {
	f.Add("220 ready\r\n", "AUTH TLS")
	f.Add("<b>&\u2028\x1b[31m\x7f\"\\", "\xff")
	f.Add("\xff\x00 \ufffd", "")
	f.Fuzz(func(t *testing.T, data, label string) {
		e := probe.Event{At: 1500 * time.Microsecond, Conn: 2, Dir: probe.DirRecv, Data: []byte(data), Label: label, Outcome: probe.OutcomeClosed}
		type reflected struct {
			AtMS    int64         `json:"at_ms"`
			Conn    int           `json:"conn"`
			Dir     probe.Dir     `json:"dir"`
			Text    string        `json:"text"`
			Lossy   bool          `json:"lossy,omitempty"`
			Base64  []byte        `json:"base64,omitempty"`
			Label   string        `json:"label,omitempty"`
			Outcome probe.Outcome `json:"outcome"`
		}
		j := reflected{AtMS: 1, Conn: 2, Dir: e.Dir, Label: label, Outcome: e.Outcome}
		if j.Text, j.Lossy = probe.UTF8(e.Data); j.Lossy {
			j.Base64 = e.Data
		}
		want, err := json.Marshal(j)
		require.NoError(t, err)
		got, err := json.Marshal(e)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
		var again probe.Event
		require.NoError(t, json.Unmarshal(got, &again))
		require.Equal(t, data, string(again.Data))
	})
}

func TestAppendJSON(t *testing.T) {
	r := &probe.Result{Protocol: "test", Evidence: &evidence{Lines: []string{}}, Err: probe.Errorf("read", probe.OutcomeClosed, "gone <%c>", 7)}
	plain, err := json.Marshal(r)
	require.NoError(t, err)
	require.True(t, json.Valid(plain))
	b, err := r.AppendJSON([]byte("> "), probe.Member{Name: "findings", Value: []int{1}})
	require.NoError(t, err)
	require.Contains(t, string(b), `,"software":[],"findings":[1],"transcript":[]}`)
	require.Equal(t, "> {", string(b[:3]))

	b, err = r.AppendJSON([]byte("> "), probe.Member{Name: "bad", Value: func() {}})
	require.Error(t, err)
	require.Equal(t, "> ", string(b))
	r.Evidence = unmarshallable{}
	b, err = r.AppendJSON([]byte("> "))
	require.ErrorContains(t, err, "evidence of test")
	require.Equal(t, "> ", string(b))
}

type unmarshallable struct{ F func() }

func (unmarshallable) Protocol() string { return "test" }
