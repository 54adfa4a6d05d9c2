package finding_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

func TestRecordDocument(t *testing.T) {
	t.Parallel()
	r := finding.Record{
		Result:   &probe.Result{Protocol: "demo", Transcript: probe.Transcript{{Conn: 1, Dir: probe.DirRecv, Data: []byte("ready")}}},
		Findings: []finding.Finding{{ID: "demo.exposed", Severity: finding.Low, Basis: []string{"/evidence"}}},
	}
	written, err := r.Document()
	require.NoError(t, err)
	_, err = finding.Resolve(written, "/transcript/0")
	require.Error(t, err, "nothing points there")
	r.Findings[0].Basis = []string{"/transcript/0/text"}
	written, err = r.Document()
	require.NoError(t, err)
	text, err := finding.Resolve(written, "/transcript/0/text")
	require.NoError(t, err)
	require.Equal(t, json.RawMessage(`"ready"`), text)

	stored := r.From([]byte(`{"evidence":{"later":1}}`))
	document, err := stored.Document()
	require.NoError(t, err)
	require.Equal(t, `{"evidence":{"later":1}}`, string(document))
	other := *stored.Result
	stored.Result = &other
	document, err = stored.Document()
	require.NoError(t, err)
	require.Equal(t, string(written), string(document), "another result is another document")
}
