package probe_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

const storedResult = `{"schema":"handclasp.result/1","protocol":"\u0066tp","target":{"network":"tcp","addr":"192.0.2.7:21","name":""},` +
	`"started":"2026-01-02T03:04:05.678Z","elapsed_ms":41,"level":"handshake","outcome":"closed","error":{"op":"read","message":"EOF"},` +
	`"evidence":{"greeting":null},"software":[],"seen":["a"],"note":"n","later":{"a":[1]},"transcript":[]}`

func TestDecodeMembers(t *testing.T) {
	t.Parallel()
	var seen []string
	var note string
	r, err := probe.DecodeMembers([]byte(storedResult), []probe.Member{{Name: "seen", Value: &seen}, {Name: "note", Value: &note}, {Name: "absent", Value: &note}})
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, seen)
	require.Equal(t, "n", note)
	var again probe.Result
	require.NoError(t, json.Unmarshal([]byte(storedResult), &again))
	require.Equal(t, r, &again)
	require.Equal(t, "ftp", r.Protocol)
	require.EqualError(t, r.Err, "read: EOF")
	require.Equal(t, &probe.RawEvidence{Name: "ftp", JSON: json.RawMessage(`{"greeting":null}`)}, r.Evidence)
}

// Whatever package json refuses is refused, in members that nobody asks for, too.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for i := range storedResult {
		_, err := probe.Decode([]byte(storedResult[:i]))
		require.Error(t, err, storedResult[:i])
		broken := storedResult[:i] + "\x01" + storedResult[i:]
		_, err = probe.Decode([]byte(broken))
		require.Error(t, err, broken)
	}
}
