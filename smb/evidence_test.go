package smb_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/scan"
	"github.com/handclasp/handclasp/smb"
)

var (
	_ probe.BannerEvidence = (*smb.Evidence)(nil)
	_ probe.NTLMEvidence   = (*smb.Evidence)(nil)
	_ scan.SchemeProber    = smb.Prober{}
)

// play plays a file once.
func play(t testing.TB, name string) *probe.Result {
	t.Helper()
	text, err := os.ReadFile(transcripts + name + ".txt")
	require.NoError(t, err)
	rec, err := replay.Parse(text)
	require.NoError(t, err)
	player := rec.Player()
	r := probe.Run(context.Background(), smb.Prober{}, rec.Target, &probe.Options{Level: rec.Level, Dial: player.Dial, Rand: player.Rand()})
	require.NoError(t, player.Err())
	return r
}

// Evidence that a program made without an address to probe is nil, and tells nothing.
func TestNoEvidence(t *testing.T) {
	var none *smb.Evidence
	require.Equal(t, "smb", none.Protocol())
	require.Nil(t, none.NTLMChallenge())
	require.Empty(t, none.Banners())
	require.Empty(t, none.Headline())
}

func TestBanners(t *testing.T) {
	require.Equal(t, []probe.Banner{
		{Kind: "smb.native_lm", Source: "smb1/native_lm", Text: "Samba 4.17.12-Debian"},
		{Kind: "smb.native_os", Source: "smb1/native_os", Text: "Windows 6.1"},
		{Kind: "smb.mechanisms", Source: "auth_mechanisms", Text: "NTLM"},
		{Kind: "smb.dialect", Source: "preferred_dialect", Text: "3.1.1"},
	}, evidence(t, play(t, "samba-4.17.12-nt1-guest-direct")).Banners())
	require.Equal(t, []probe.Banner{
		{Kind: "smb.ipc_comment", Source: "shares", Text: "IPC Service (Samba 4.17.12-Debian)"},
		{Kind: "smb.mechanisms", Source: "auth_mechanisms", Text: "KRB5\nNTLM"},
	}, (&smb.Evidence{AuthMechanisms: []string{"KRB5", "NTLM"}, Shares: []smb.Share{{Name: "IPC$", Comment: "IPC Service (Samba 4.17.12-Debian)"}}}).Banners())
}

// Lists that stored evidence doesn't have weren't learned, and are null when it is stored again.
func TestEmptyEvidence(t *testing.T) {
	stored, err := json.Marshal(&probe.Result{Protocol: "smb", Evidence: &probe.RawEvidence{Name: "smb", JSON: []byte("{}")}})
	require.NoError(t, err)
	r, err := probe.Decode(stored, smb.Prober{})
	require.NoError(t, err)
	text, err := json.Marshal(r.Evidence)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields))
	for _, list := range []string{
		"session_requests", "dialects", "dialects_refused", "matrix", "capabilities", "auth_mechanisms", "ciphers", "compression",
		"signing_algorithms", "shares",
	} {
		require.Contains(t, fields, list)
		require.Nil(t, fields[list], list)
	}
	require.Nil(t, fields["smb1"].(map[string]any)["dialects"])
}

// What was asked and has nothing is told from what wasn't asked.
func TestListsThatWereAsked(t *testing.T) {
	e := evidence(t, play(t, "samba-4.17.12-up-to-2.1-direct"))
	require.Equal(t, []string{}, e.Ciphers, "the server has none")
	require.Nil(t, e.Matrix[4].Capabilities, "of a dialect that it doesn't speak")
	require.Nil(t, e.Shares, "below the level")
	e = evidence(t, play(t, "samba-4.17.12-smb1-only-direct"))
	require.Nil(t, e.Dialects, "it hangs up on SMB 2")
	require.Nil(t, e.DialectsRefused)
	e = evidence(t, play(t, "samba-4.17.12-default-direct"))
	require.Equal(t, []string{}, e.DialectsRefused)
	require.Equal(t, []string{}, e.SMB1.Dialects)
}
