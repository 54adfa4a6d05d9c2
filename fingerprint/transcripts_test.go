package fingerprint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/smtp"
)

// What real servers said, by the name of the recording without its version. Where the version is told, it is that of
// the recording.
var recorded = map[string]struct {
	product string
	version bool
}{
	"vsftpd":    {"vsftpd", true},
	"proftpd":   {"ProFTPD", false},
	"pure-ftpd": {"Pure-FTPd", false},
	"postfix":   {"Postfix", false},
	"exim":      {"Exim", true},
	"opensmtpd": {"OpenSMTPD", false},
	"inn2":      {"INN", true},
	"leafnode":  {"Leafnode", true},
	"sn":        {"sn", true},
}

// silent are those that hang up before they name themselves.
var silent = []string{"opensmtpd-6.8.0p2-implicit-tls", "inn2-2.7.1-refusing", "inn2-2.7.1-unavailable"}

func TestRecordedServers(t *testing.T) {
	for _, p := range []probe.Prober{ftp.Prober{}, smtp.Prober{}, nntp.Prober{}} {
		files, err := filepath.Glob("../" + p.Spec().Protocol + "/testdata/transcripts/*.txt")
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".txt")
			server, version := split(name)
			if server == "" {
				continue // handwritten
			}
			want, ok := recorded[server]
			require.True(t, ok, "what is %s?", server)
			got := fingerprint.Builtin().Software(replay(t, p, file))
			if isSilent(name) {
				require.Empty(t, got, name)
				continue
			}
			require.Len(t, got, 1, name)
			require.Equal(t, want.product, got[0].Product, name)
			require.Equal(t, "greeting", got[0].Source, name)
			if want.version {
				require.Equal(t, version, got[0].Version, name)
			} else {
				require.Empty(t, got[0].Version, name)
			}
		}
	}
}

// split splits "pure-ftpd-1.0.50-anonymous" into the server and its version; a recording that nobody made has none.
func split(name string) (server, version string) {
	fields := strings.Split(name, "-")
	if fields[0] == "handwritten" {
		return "", ""
	}
	for i, f := range fields {
		if i > 0 && f[0] >= '0' && f[0] <= '9' {
			version, _, _ = strings.Cut(f, "+")
			return strings.Join(fields[:i], "-"), version
		}
	}
	return "", ""
}

func isSilent(name string) bool {
	for _, s := range silent {
		if strings.HasPrefix(name, s) {
			return true
		}
	}
	return false
}

func replay(t testing.TB, p probe.Prober, file string) *probe.Result {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	recording, err := probetest.Parse(text)
	require.NoError(t, err)
	return probe.Run(t.Context(), p, recording.Target, recording.Options())
}
