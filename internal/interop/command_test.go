package interop_test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
)

// The command, as a user builds and calls it, shows what the library shows.
func TestCommand(t *testing.T) {
	command := filepath.Join(t.TempDir(), "handclasp")
	out, err := exec.Command("go", "build", "-o", command, "../../cmd/handclasp").CombinedOutput()
	require.NoError(t, err, string(out))

	for _, want := range ftpFacts {
		t.Run(want.server+" "+want.variant, func(t *testing.T) {
			server := want.start(t)
			url := "ftp://" + server.Addr.String()
			if want.implicit {
				url = "ftps://" + server.Addr.String()
			}
			line, status := runCommand(t, command, "scan", url, "--plain", "--format", "jsonl", "--level", "anonymous", "--transcript")
			require.Equal(t, 0, status)
			require.Equal(t, 1, strings.Count(line, "\n"), "one object a line")

			r, err := probe.Decode([]byte(line), handclasp.Probers()...)
			require.NoError(t, err)
			require.Equal(t, server.Addr, r.Target.Addr)
			require.Equal(t, probe.LevelAnonymous, r.Level)
			require.NotEmpty(t, r.Transcript)
			e, ok := r.Evidence.(*ftp.Evidence)
			require.True(t, ok)
			require.Equal(t, want.authTLS, e.AuthTLS)
			require.Equal(t, want.cleartext, e.CleartextLogin)
			require.Equal(t, want.anonymous, e.Anonymous.Login)
			requireFTPListing(t, e.Anonymous.Listing, want.listing, want.writable)

			var record finding.Record
			require.NoError(t, record.UnmarshalJSON([]byte(line)))
			require.ElementsMatch(t, strings.Fields(want.findings+" "+want.beyond), ftpIDs(record.Findings))
			require.Equal(t, finding.Evaluate(r, handclasp.Rules()), record.Findings, "the stored result gives the same findings")
			for _, f := range record.Findings {
				for _, pointer := range f.Basis {
					_, err := finding.Resolve([]byte(line), pointer)
					require.NoError(t, err, f.ID)
				}
			}

			_, status = runCommand(t, command, "scan", url, "--fail-on", "medium")
			require.Equal(t, 1, status, "ftp.exposed is medium")
		})
	}
}

// ftpIDs returns the ids of FTP's findings without their prefix.
func ftpIDs(found []finding.Finding) []string {
	ids := []string{}
	for _, f := range found {
		if id, ok := strings.CutPrefix(f.ID, "ftp."); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

func runCommand(t *testing.T, command string, args ...string) (stdout string, status int) {
	t.Helper()
	cmd := exec.Command(command, append(args, "--timeout", patience.Total.String())...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), exit.ExitCode()
	}
	require.NoError(t, err, stderr.String())
	require.Empty(t, stderr.String())
	return string(out), 0
}
