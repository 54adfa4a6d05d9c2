package smb

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/probe/replay"
)

// Conversations of the whole prober at level anonymous.
const anonymousTranscripts = "testdata/transcripts/anonymous/"

func TestAnonymousReplays(t *testing.T) {
	listed := AnonymousSession{
		NegotiateStatus: "STATUS_SUCCESS", Status: "STATUS_SUCCESS", Flags: []string{}, TreeStatus: "STATUS_SUCCESS", ListStatus: "ERROR_SUCCESS",
	}
	denied, restricted := listed, listed
	denied.Status, denied.TreeStatus, denied.ListStatus = "STATUS_ACCESS_DENIED", "", ""
	restricted.TreeStatus, restricted.ListStatus = "STATUS_ACCESS_DENIED", ""
	open, pub := Share{"open", "disk", ""}, Share{"pub", "disk", "Public files"}
	ipc := Share{"IPC$", "ipc", "IPC Service (Samba 4.17.12-Debian)"}
	for name, want := range map[string]struct {
		null    probe.Fact
		session AnonymousSession
		shares  []Share
	}{
		"samba-4.17.12-default":    {probe.Yes, listed, []Share{pub, ipc}},
		"samba-4.17.12-nt1-guest":  {probe.Yes, listed, []Share{open, pub, ipc}},
		"samba-4.17.12-up-to-2.1":  {probe.Yes, listed, []Share{pub, ipc}},
		"samba-4.17.12-strict":     {probe.No, denied, []Share{}},
		"samba-4.17.12-restricted": {probe.No, restricted, []Share{}},
	} {
		t.Run(name, func(t *testing.T) {
			var r *probe.Result
			if name == "samba-4.17.12-default" {
				r = probetest.ReplayFile(t, Prober{}, anonymousTranscripts+name+".txt")
			} else { // once will do
				rec := recording(t, anonymousTranscripts+name+".txt")
				player := rec.Player()
				r = probe.Run(t.Context(), Prober{}, rec.Target, &probe.Options{Level: rec.Level, Dial: player.Dial, Rand: player.Rand()})
				require.NoError(t, player.Err())
			}
			require.NoError(t, r.Err)
			e := evidenceOf(t, r)
			require.Equal(t, &want.session, e.Anonymous)
			require.Equal(t, want.null, e.NullSession)
			require.Equal(t, probe.Unknown, e.Guest)
			require.Equal(t, want.shares, e.Shares)
		})
	}
}

// The session stands every hostile server, and every recorded one told wrong in every way.
func TestAnonymousConform(t *testing.T) {
	path := filepath.Join(t.TempDir(), "visit.txt")
	require.NoError(t, os.WriteFile(path, recordedVisits(t)["samba-4.17.12-default.txt"].Format(), 0o600))
	probetest.ConformWith(t, visitor{"3.1.1"}, probetest.Conformance{Recordings: path})
}

func recording(t testing.TB, file string) *replay.Recording {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	rec, err := replay.Parse(text)
	require.NoError(t, err)
	return rec
}

// recordedVisits returns the sessions without a user that recordings end with, of servers that prefer 3.1.1.
func recordedVisits(t testing.TB) map[string]*replay.Recording {
	t.Helper()
	files, err := filepath.Glob(anonymousTranscripts + "*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	visits := map[string]*replay.Recording{}
	for _, file := range files {
		rec := recording(t, file)
		login := slices.IndexFunc(rec.Transcript, func(e probe.Event) bool { return e.Label == "SESSION_SETUP anonymous" })
		require.GreaterOrEqual(t, login, 0, file)
		conn, visit := rec.Transcript[login].Conn, probe.Transcript(nil)
		for i, e := range rec.Transcript {
			if e.Dir == probe.DirRand && i < login {
				visit = probe.Transcript{e} // the last before it
			}
			if e.Conn == conn && e.Dir != probe.DirRand {
				e.Conn = 1
				visit = append(visit, e)
			}
		}
		rec.Transcript = visit
		if strings.Contains(string(rec.Format()), "NEGOTIATE 3.1.1\n") {
			visits[filepath.Base(file)] = rec
		}
	}
	return visits
}
