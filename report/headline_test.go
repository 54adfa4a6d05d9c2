package report_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/netbios"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/smb"
	"github.com/handclasp/handclasp/ssh"
)

var (
	_ report.Headliner = (*netbios.Evidence)(nil)
	_ report.Headliner = (*smb.Evidence)(nil)
	_ report.Headliner = (*ssh.Evidence)(nil)
)

// Of every protocol's conversations: whoever said anything of the protocol has a headline, and evidence that is stored without a
// transcript tells what became of the endpoint all the same.
func TestEvidenceTellsWhetherTheServerSpoke(t *testing.T) {
	for _, p := range handclasp.Probers() {
		files, err := filepath.Glob("../" + p.Spec().Protocol + "/testdata/transcripts/*.txt")
		require.NoError(t, err)
		require.NotEmpty(t, files, p.Spec().Protocol)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			recording, err := replay.Parse(text)
			require.NoError(t, err)
			synctest.Test(t, func(t *testing.T) { // rsync's prober leaves time between its connections
				r := probe.Run(t.Context(), p, recording.Target, recording.Options())
				record := finding.Record{Result: r}
				require.Equal(t, report.StateOf(record), report.StateOf(record.WithoutTranscript()), "%s: %v", file, r.Err)
				garbage := r.Outcome == probe.OutcomeNotProtocol || r.Outcome == probe.OutcomeMalformed
				if e, ok := r.Evidence.(report.Headliner); ok && !garbage {
					spoke := slices.ContainsFunc(r.Transcript, func(e probe.Event) bool { return e.Dir == probe.DirRecv })
					require.Equal(t, spoke, e.Headline() != "", "%s: %v", file, r.Err)
				}
			})
		}
	}
}

func TestHeadlines(t *testing.T) {
	line := func(e probe.Evidence) string {
		var b strings.Builder
		table := report.NewTable(&b, report.TableOptions{Width: 90})
		r := result("192.0.2.7:21", "", nil)
		r.Evidence = e
		require.NoError(t, table.Write(finding.Record{Result: r}, report.Host{}))
		require.NoError(t, table.Close())
		return strings.Split(b.String(), "\n")[1]
	}
	require.Contains(t, line(&smb.Evidence{PreferredDialect: "3.1.1", NTLM: &probe.NTLM{DNSComputer: "filer.example.net\x1b"}}), ` SMB 3.1.1 · filer.example.net\x1b `)
	require.Contains(t, line(&smb.Evidence{PreferredDialect: "2.1", NTLM: &probe.NTLM{NetBIOSComputer: "FILER"}}), " SMB 2.1 · FILER ")
	require.Contains(t, line(&smb.Evidence{SMB1: smb.SMB1{Dialect: "NT LM 0.12", ServerName: "FILER"}}), " SMB 1: NT LM 0.12 · FILER ")
	require.Contains(t, line(&smb.Evidence{NegotiateStatus: "STATUS_NOT_SUPPORTED"}), " STATUS_NOT_SUPPORTED ")
	require.Contains(t, line(&smb.Evidence{SessionRequests: []smb.SessionRequest{{Reply: "negative", Error: "called name not present"}, {}}}),
		" negative session response: called name not present ")
	require.Contains(t, line(&netbios.Evidence{Computer: "FILER", Workgroup: "EXAMPLE"}), " FILER · EXAMPLE ")
	require.Contains(t, line(&netbios.Evidence{Session: "positive"}), " positive session response ")
	require.Contains(t, line(&ssh.Evidence{GreetingLines: []string{"Too many users"}}), " Too many users ")
	require.Contains(t, line(&probe.RawEvidence{Name: "ssh", JSON: []byte(`{"identification":"SSH-2.0-x"}`)}), " SSH-2.0-x ")
	for _, none := range []report.Headliner{(*smb.Evidence)(nil), (*netbios.Evidence)(nil), (*ssh.Evidence)(nil)} {
		require.Empty(t, none.Headline())
	}
}
