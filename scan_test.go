package handclasp_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
	"github.com/handclasp/handclasp/ssh"
)

// A scan of one server, which is a recorded one; without Dial the options would ask a real one.
func ExampleScan() {
	recording := load("ftp/testdata/transcripts/vsftpd-3.0.3-anonymous.txt")
	options := &handclasp.Options{Scan: scan.Options{Probe: *recording.Options()}}
	for r, err := range handclasp.Scan(context.Background(), []string{"ftp://" + recording.Target.Addr.String()}, options) {
		if err != nil {
			fmt.Println("can't be scanned:", err)
			continue
		}
		fmt.Println(r.Target, r.Outcome, r.Software[0].Product, r.Software[0].Version)
		for _, f := range r.Findings {
			fmt.Println(f.Severity, f.ID)
		}
	}
	// Output:
	// 127.0.0.1:24949 ok vsftpd 3.0.3
	// medium ftp.anonymous
	// medium ftp.anonymous-listing
	// medium ftp.exposed
	// low ftp.tls-missing
	// info net.odd-port
}

// Each piece of the pipeline can be another.
func TestScanWithPiecesOfOnesOwn(t *testing.T) {
	recording := load("ftp/testdata/transcripts/vsftpd-3.0.3-anonymous.txt")
	journal := new(scan.Journal)
	options := &handclasp.Options{
		Rules:       slices.DeleteFunc(handclasp.Rules(), func(r finding.Rule) bool { return r.ID != "ftp.exposed" }),
		Comparisons: []finding.Comparison{},
		Advise: func(r *probe.Result) []finding.Finding {
			require.NotEmpty(t, r.Software, "named before it is judged")
			return []finding.Finding{{ID: "house.old", Severity: finding.Critical}}
		},
		Inputs: scan.Args([]string{"no target:x"}),
		Scan:   scan.Options{Probe: *recording.Options(), Journal: journal},
	}
	var ids, bad []string
	for r, err := range handclasp.Scan(t.Context(), []string{"ftp://" + recording.Target.Addr.String()}, options) {
		if err != nil {
			bad = append(bad, err.Error())
			continue
		}
		for _, f := range r.Findings {
			ids = append(ids, f.ID)
		}
	}
	require.Equal(t, []string{"house.old", "ftp.exposed"}, ids)
	require.Len(t, bad, 1)
	require.EqualValues(t, 1, journal.Progress().Done)
	require.EqualValues(t, 2, journal.Progress().Findings)
}

// Breaking off ends what is under way.
func TestScanBreaksOff(t *testing.T) {
	for _, err := range handclasp.Scan(t.Context(), []string{"127.0.0.1/30:1"}, nil) {
		require.NoError(t, err)
		break
	}
}

// A policy is judged by beside the rules.
func TestJudgeByPolicy(t *testing.T) {
	policy := finding.Policy{Name: "house", Statements: []finding.Statement{{Of: finding.ListSSHKex, Forbid: []string{"*-sha1"}}}}
	judge := handclasp.NewJudge(&handclasp.Options{Rules: []finding.Rule{}, Policies: []finding.Policy{policy}})
	r := judge.Record(&probe.Result{Protocol: "ssh", Evidence: &ssh.Evidence{Algorithms: &ssh.Algorithms{Kex: []string{"diffie-hellman-group1-sha1"}}}})
	require.Len(t, r.Findings, 1)
	require.Equal(t, "policy.house", r.Findings[0].ID)
}
