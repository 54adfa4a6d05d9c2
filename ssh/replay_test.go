package ssh_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/ssh"
)

var (
	_ probe.BannerEvidence = (*ssh.Evidence)(nil)
	_ detect.Recogniser    = ssh.Prober{}
)

const transcripts = "testdata/transcripts/"

func evidence(t *testing.T, r *probe.Result) *ssh.Evidence {
	t.Helper()
	e, ok := probe.As[*ssh.Evidence](r)
	require.True(t, ok)
	return e
}

// stored requires that a result's evidence survives being stored.
func stored(t *testing.T, r *probe.Result) {
	t.Helper()
	require.NotEqual(t, probe.OutcomeInternal, r.Outcome)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	decoded, err := probe.Decode(text, ssh.Prober{})
	require.NoError(t, err)
	require.Equal(t, r.Evidence, decoded.Evidence)
}

// Every conversation replays strictly and at each split, the encrypted part included.
func TestReplay(t *testing.T) {
	probetest.ReplayAll(t, ssh.Prober{}, transcripts+"*.txt", func(t *testing.T, _ string, r *probe.Result) { stored(t, r) })
}

// Those with many host keys, or large groups, replay whole: at each split they would take minutes.
func TestReplayLong(t *testing.T) {
	paths, err := filepath.Glob(transcripts + "long/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			recording, err := replay.Parse(text)
			require.NoError(t, err)
			player := recording.Player()
			r := probe.Run(t.Context(), ssh.Prober{}, recording.Target, &probe.Options{Level: recording.Level, Dial: player.Dial, Rand: player.Rand()})
			require.NoError(t, r.Err)
			require.NoError(t, player.Err())
			stored(t, r)
			e := evidence(t, r)
			require.NotEmpty(t, e.HostKeys)
			require.Subset(t, []string{"publickey", "password", "keyboard-interactive"}, e.AuthMethods)
			require.NotEmpty(t, e.AuthMethods)
		})
	}
}

func TestConversations(t *testing.T) {
	for _, test := range []struct {
		file    string
		outcome probe.Outcome
		check   func(t *testing.T, e *ssh.Evidence)
	}{
		{"handwritten-version-1", probe.OutcomeOK, func(t *testing.T, e *ssh.Evidence) {
			require.Equal(t, "SSH-1.5-OpenSSH-1.2.3", e.Identification)
			require.Equal(t, "1.5", e.ProtocolVersion)
			require.Equal(t, "OpenSSH-1.2.3", e.Software)
			require.Nil(t, e.Algorithms)
		}},
		{"handwritten-version-1.99", probe.OutcomeOK, func(t *testing.T, e *ssh.Evidence) {
			require.Equal(t, "1.99", e.ProtocolVersion)
			require.Equal(t, []probe.Banner{{Kind: "ssh.banner", Source: "identification", Text: "Cisco-1.25"}}, e.Banners())
		}},
		{"handwritten-lines-before", probe.OutcomeOK, func(t *testing.T, e *ssh.Evidence) {
			require.Equal(t, []string{"Welcome to the lab.", "caf\uFFFD", ""}, e.GreetingLines)
			require.Equal(t, "SSH-2.0-OpenSSH_9.9 Debian-1", e.Identification)
			require.Equal(t, "OpenSSH_9.9", e.Software)
			require.Equal(t, "Debian-1", e.Comment)
			require.Equal(t, "OpenSSH_9.9 Debian-1", e.Banners()[0].Text)
		}},
		{"handwritten-not-allowed", probe.OutcomeBusy, func(t *testing.T, e *ssh.Evidence) {
			require.Equal(t, []string{"Not allowed at this time"}, e.GreetingLines)
			require.Empty(t, e.Identification)
			require.Equal(t, probe.Unknown, e.StrictKex)
			require.Nil(t, e.Banners())
		}},
		{"handwritten-ftp", probe.OutcomeNotProtocol, func(t *testing.T, e *ssh.Evidence) {
			require.Equal(t, []string{"220 ftp.example.org ready"}, e.GreetingLines)
		}},
		{"handwritten-no-version", probe.OutcomeMalformed, func(t *testing.T, e *ssh.Evidence) {
			require.Equal(t, "SSH-", e.Identification)
			require.Empty(t, e.ProtocolVersion)
		}},
		{"handwritten-tarpit", probe.OutcomeTimeout, func(t *testing.T, e *ssh.Evidence) {
			require.Equal(t, []string{"8g2h", "x9"}, e.GreetingLines)
		}},
		{"handwritten-cut-off", probe.OutcomeClosed, func(t *testing.T, e *ssh.Evidence) {
			require.Equal(t, []string{"SSH-2.0-Open"}, e.GreetingLines)
			require.Empty(t, e.Identification)
		}},
		{"handwritten-sftp-software", probe.OutcomeOK, func(t *testing.T, e *ssh.Evidence) {
			require.Equal(t, "sftp", e.TransferHint)
		}},
		{"openssh-server-9.2p1-nothing-in-common", probe.OutcomeOK, func(t *testing.T, e *ssh.Evidence) {
			require.Equal(t, probe.Yes, e.StrictKex)
			require.Equal(t, "15c060b3699117c849d12f5a6c9c9790", e.HASSHServer)
			require.Equal(t, []ssh.MissingHostKey{{Type: "ssh-ed25519", Reason: ssh.ReasonNoCommon}}, e.HostKeysMissing)
			require.Empty(t, e.HostKeys)
		}},
		{"tinysshd-20230101-open-to-anybody", probe.OutcomeOK, func(t *testing.T, e *ssh.Evidence) {
			require.Equal(t, probe.Yes, e.NoneAccepted)
			require.Empty(t, e.AuthMethods)
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			text, err := os.ReadFile(transcripts + test.file + ".txt")
			require.NoError(t, err)
			recording, err := replay.Parse(text)
			require.NoError(t, err)
			r := probe.Run(t.Context(), ssh.Prober{}, recording.Target, recording.Options())
			require.Equal(t, test.outcome, r.Outcome, "%v", r.Err)
			test.check(t, evidence(t, r))
		})
	}
}

// What real servers said, as others recorded it: their lists by the fingerprint that Wireshark's dissector makes of them.
func TestCaptures(t *testing.T) {
	for file, want := range map[string]struct {
		identification, hassh string
		lines                 int
	}{
		"cisco-1.25":                     {"SSH-2.0-Cisco-1.25", "d73cf5f865c49d7bbcc1a7971f2495b9", 0},
		"openssh-9.2p1-debian-2-deb12u5": {"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u5", "425d29fe50d8e4f5e37efb6e24bcf660", 35},
		"paramiko-1.15.2":                {"SSH-2.0-paramiko_1.15.2", "d72f74b08466652d162ca02ad197b9ad", 0},
		"openssh-10.2":                   {"SSH-2.0-OpenSSH_10.2", "f6ac1ecedabc5a6096a573cdbfcfd8a2", 0},
	} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(transcripts + "captures/" + file + ".txt")
			require.NoError(t, err)
			recording, err := replay.Parse(text)
			require.NoError(t, err)
			player := recording.Player()
			r := probe.Run(t.Context(), ssh.Prober{}, recording.Target, &probe.Options{Dial: player.Dial, Rand: player.Rand()})
			require.NoError(t, player.Err())
			e := evidence(t, r)
			require.Equal(t, want.identification, e.Identification)
			require.Equal(t, want.hassh, e.HASSHServer)
			require.Len(t, e.GreetingLines, want.lines)
			require.Equal(t, probe.OutcomeClosed, r.Outcome)
			require.Equal(t, []string{"/evidence/host_keys"}, r.Partial)
			require.Nil(t, e.HostKeys)
		})
	}
}
