package finding_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

func TestProfile(t *testing.T) {
	worse := finding.Fires(finding.Seen, "/evidence/door").Rated(finding.High)
	varies := rule("a", finding.Low, worse)
	varies.Varies = []finding.Severity{finding.Low, finding.High}
	rules := []finding.Rule{varies, rule("b", finding.Medium, worse)}
	r := &probe.Result{Evidence: &evidence{Door: "open"}}

	severities := func(p finding.Profile) map[string]finding.Severity {
		got := map[string]finding.Severity{}
		for _, f := range finding.Evaluate(r, p.Rate(rules)) {
			got[f.ID] = f.Severity
		}
		return got
	}
	require.Equal(t, map[string]finding.Severity{"a": finding.High, "b": finding.Medium}, severities(finding.Profile{}))
	p := finding.Profile{Severities: map[string]finding.Severity{"a": finding.Low, "b": finding.Info}}
	require.Equal(t, map[string]finding.Severity{"a": finding.Low, "b": finding.Info}, severities(p), "what is rated anew no longer varies")
	require.Equal(t, map[string]finding.Severity{"a": finding.High, "b": finding.Medium}, severities(finding.Profile{}), "the rules are left as they are")

	compared := p.RateComparisons([]finding.Comparison{{Rule: rules[0]}})
	require.Equal(t, finding.Low, compared[0].Severity)
	require.Nil(t, compared[0].Varies)
}

func TestParseProfile(t *testing.T) {
	for _, p := range finding.Profiles() {
		again, err := finding.ParseProfile(p.Name)
		require.NoError(t, err)
		require.Equal(t, p, again)
	}
	_, err := finding.ParseProfile("extranet")
	require.EqualError(t, err, `unknown profile "extranet": use internet, internal or shadowserver`)
}
