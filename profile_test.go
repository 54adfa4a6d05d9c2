package handclasp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/scan"
)

// A profile rates rules that there are, and otherwise than they are built in if it is to be of use.
func TestProfilesRateRules(t *testing.T) {
	built := map[string]finding.Severity{}
	for _, r := range handclasp.Rules() {
		built[r.ID] = r.Severity
	}
	for _, p := range finding.Profiles() {
		changed := 0
		for id, severity := range p.Severities {
			require.Contains(t, built, id, p.Name)
			if severity != built[id] {
				changed++
			}
		}
		require.Equal(t, p.Name == "internet", changed == 0, p.Name)
	}
}

// What a library's user asks for is done: severities, and accepted risks.
func TestScanRatedAndAccepted(t *testing.T) {
	recording := load("ftp/testdata/transcripts/vsftpd-3.0.3-anonymous.txt")
	profile, err := finding.ParseProfile("shadowserver")
	require.NoError(t, err)
	accept, err := finding.NewAcceptor([]finding.Accept{{Rule: "ftp.anonymous", Endpoint: "127.0.0.0/8", Reason: "a public mirror", By: "Jo"}})
	require.NoError(t, err)
	options := &handclasp.Options{Profile: profile, Accept: accept, Scan: scan.Options{Probe: *recording.Options()}}
	for r, err := range handclasp.Scan(t.Context(), []string{"ftp://" + recording.Target.Addr.String()}, options) {
		require.NoError(t, err)
		severities, accepted := map[string]finding.Severity{}, []string{}
		for _, f := range r.Findings {
			if severities[f.ID] = f.Severity; f.IsAccepted() {
				accepted = append(accepted, f.ID)
			}
		}
		require.Equal(t, finding.Info, severities["ftp.exposed"])
		require.Equal(t, finding.Medium, severities["ftp.anonymous"])
		require.Equal(t, []string{"ftp.anonymous"}, accepted)
	}
	require.Equal(t, []finding.Use{finding.UseApplied}, accept.Uses())
}
