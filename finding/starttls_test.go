package finding_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

type mailEvidence struct {
	Injection probe.Fact  `json:"starttls_injection"`
	NTLM      *probe.NTLM `json:"ntlm"`
}

func (*mailEvidence) Protocol() string                { return "test" }
func (e *mailEvidence) STARTTLSInjection() probe.Fact { return e.Injection }
func (e *mailEvidence) NTLMChallenge() *probe.NTLM    { return e.NTLM }

// judge evaluates e as it is and as stored evidence whose type isn't known, and resolves the proofs.
func judge(t *testing.T, e probe.Evidence, rules []finding.Rule) []finding.Finding {
	t.Helper()
	r := &probe.Result{Protocol: "test", Evidence: e}
	found := finding.Evaluate(r, rules)
	doc, err := json.Marshal(r)
	require.NoError(t, err)
	raw := new(probe.Result)
	require.NoError(t, json.Unmarshal(doc, raw))
	require.Equal(t, found, finding.Evaluate(raw, rules))
	for _, f := range found {
		require.NotEmpty(t, f.Basis)
		for _, pointer := range f.Basis {
			_, err := finding.Resolve(doc, pointer)
			require.NoError(t, err)
		}
	}
	return found
}

func TestSTARTTLSRules(t *testing.T) {
	found := judge(t, &mailEvidence{Injection: probe.Yes}, finding.STARTTLS)
	require.Len(t, found, 1)
	require.Equal(t, "starttls.injection", found[0].ID)
	require.Empty(t, judge(t, &mailEvidence{Injection: probe.No}, finding.STARTTLS))
	require.Empty(t, judge(t, &mailEvidence{}, finding.STARTTLS), "not learned")
	require.Empty(t, judge(t, &evidence{}, finding.STARTTLS), "another protocol")
	require.Empty(t, finding.Evaluate(new(probe.Result), finding.STARTTLS), "no evidence")
}
