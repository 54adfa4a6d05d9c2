package finding_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

func TestNTLMRules(t *testing.T) {
	found := judge(t, &mailEvidence{NTLM: &probe.NTLM{DNSComputer: "mx01.corp.example.com", TargetName: "CORP"}}, finding.NTLM)
	require.Len(t, found, 1)
	require.Equal(t, "ntlm.info", found[0].ID)
	require.Equal(t, "mx01.corp.example.com", found[0].Detail)
	require.Equal(t, []string{"/evidence/ntlm/dns_computer", "/evidence/ntlm/target_name"}, found[0].Basis)

	require.Empty(t, judge(t, &mailEvidence{NTLM: &probe.NTLM{OSVersion: "Windows 6.1 build 0"}}, finding.NTLM), "no names in it")
	require.Empty(t, judge(t, &mailEvidence{}, finding.NTLM), "not learned")
	require.Empty(t, judge(t, &evidence{}, finding.NTLM), "another protocol")
	require.Empty(t, finding.Evaluate(new(probe.Result), finding.NTLM), "no evidence")
}
