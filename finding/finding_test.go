package finding_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

type evidence struct {
	Door string     `json:"door"`
	TLS  *probe.TLS `json:"tls"`
}

func (*evidence) Protocol() string           { return "test" }
func (e *evidence) TLSHandshake() *probe.TLS { return e.TLS }

func rule(id string, s finding.Severity, p *finding.Proof) finding.Rule {
	return finding.Rule{ID: id, Title: id, Severity: s, CWE: []int{200}, Check: func(*probe.Result) *finding.Proof { return p }}
}

func TestEvaluate(t *testing.T) {
	r := &probe.Result{Evidence: &evidence{Door: "open"}}
	worse := finding.Seen("/evidence/door")
	worse.Severity = finding.High
	found := finding.Evaluate(r, []finding.Rule{
		rule("b", finding.Low, finding.Claimed("/evidence/door").With("wide")),
		rule("silent", finding.Critical, nil),
		rule("a", finding.Low, finding.Seen("/evidence/door")),
		rule("c", finding.Low, worse),
	})
	require.Equal(t, []finding.Finding{
		{ID: "c", Title: "c", Severity: finding.High, Known: finding.Wire, Basis: []string{"/evidence/door"}, CWE: []int{200}},
		{ID: "a", Title: "a", Severity: finding.Low, Known: finding.Wire, Basis: []string{"/evidence/door"}, CWE: []int{200}},
		{ID: "b", Title: "b", Severity: finding.Low, Known: finding.Advertised, Basis: []string{"/evidence/door"}, Detail: "wide", CWE: []int{200}},
	}, found)

	data, err := json.Marshal(finding.Evaluate(r, nil))
	require.NoError(t, err)
	require.Equal(t, "[]", string(data))
	data, err = json.Marshal(found[0])
	require.NoError(t, err)
	require.JSONEq(t, `{"id":"c","title":"c","severity":"high","known":"wire","basis":["/evidence/door"],"detail":"","cwe":[200]}`, string(data))
	var again finding.Finding
	require.NoError(t, json.Unmarshal(data, &again))
	require.Equal(t, found[0], again)
}

func TestOn(t *testing.T) {
	check := finding.On(func(e *evidence) *finding.Proof {
		if e.Door == "open" {
			return finding.Seen("/evidence/door")
		}
		return nil
	})
	require.NotNil(t, check(&probe.Result{Evidence: &evidence{Door: "open"}}))
	require.NotNil(t, check(&probe.Result{Evidence: &probe.RawEvidence{Name: "test", JSON: []byte(`{"door":"open"}`)}}))
	require.Nil(t, check(&probe.Result{Evidence: &evidence{}}))
	require.Nil(t, check(&probe.Result{}))
	require.Nil(t, check(&probe.Result{Evidence: &probe.RawEvidence{Name: "other", JSON: []byte(`{"door":"open"}`)}}))
}

func TestSeverity(t *testing.T) {
	for _, s := range []finding.Severity{finding.Info, finding.Low, finding.Medium, finding.High, finding.Critical} {
		text, err := s.MarshalText()
		require.NoError(t, err)
		var again finding.Severity
		require.NoError(t, again.UnmarshalText(text))
		require.Equal(t, s, again)
	}
	_, err := finding.ParseSeverity("terrible")
	require.EqualError(t, err, `unknown severity "terrible": use info, low, medium, high or critical`)
	_, err = finding.Severity(0).MarshalText()
	require.Error(t, err)
	require.Greater(t, finding.High, finding.Medium)
}

func TestResolve(t *testing.T) {
	doc := []byte(`{"a/b":{"c~d":[1,{"e":null}]},"":"empty"}`)
	for pointer, want := range map[string]string{
		"": string(doc), "/a~1b/c~0d/0": "1", "/a~1b/c~0d/1": `{"e":null}`, "/a~1b/c~0d/1/e": "null", "/": `"empty"`,
	} {
		got, err := finding.Resolve(doc, pointer)
		require.NoError(t, err, pointer)
		require.JSONEq(t, want, string(got))
	}
	for _, pointer := range []string{"a", "/missing", "/a~1b/c~0d/2", "/a~1b/c~0d/-1", "/a~1b/c~0d/+1", "/a~1b/c~0d/01", "/a~1b/c~0d/x", "/a~1b/c~0d/0/deep"} {
		_, err := finding.Resolve(doc, pointer)
		require.ErrorContains(t, err, pointer)
	}
}
