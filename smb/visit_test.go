package smb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
)

// The whole prober, over TCP, finds what a server gives to nobody, and says so.
func TestVisit(t *testing.T) {
	server, err := lab.OpenFiles(t.Context())
	require.NoError(t, err)
	defer server.Close()
	r := probe.Run(t.Context(), smb.Prober{}, probe.Target{Addr: server.Addr}, &probe.Options{Level: probe.LevelAnonymous})
	require.NoError(t, r.Err)
	e := evidence(t, r)
	require.Equal(t, probe.Yes, e.NullSession)
	require.Equal(t, probe.Unknown, e.Guest)
	require.Equal(t, []smb.Share{{"public", "disk", "For everybody"}, {"backup", "disk", "Nightly"}, {"IPC$", "ipc", "Remote IPC"}}, e.Shares)
	var ids []string
	for _, f := range finding.Evaluate(r, smb.Rules) {
		ids = append(ids, f.ID)
	}
	require.Subset(t, ids, []string{"smb.null-session", "smb.shares-listed"})
	require.NotContains(t, ids, "smb.guest")
}

// A server that lets nobody in says so, at the same level.
func TestVisitRefused(t *testing.T) {
	server, err := lab.OldFiles(t.Context())
	require.NoError(t, err)
	defer server.Close()
	r := probe.Run(t.Context(), smb.Prober{}, probe.Target{Addr: server.Addr}, &probe.Options{Level: probe.LevelAnonymous})
	require.NoError(t, r.Err)
	e := evidence(t, r)
	require.Equal(t, probe.No, e.NullSession)
	require.Equal(t, "STATUS_ACCESS_DENIED", e.Anonymous.Status)
	require.Empty(t, e.Shares)
}

// A server that takes only ciphers that the library doesn't have says that there is none in common. That is no obstacle:
// a session without a user isn't encrypted.
func TestVisitWithoutCommonCipher(t *testing.T) {
	files := with(windows10(), func(s *fakesmb.Server) {
		s.Ciphers, s.Visit = []uint16{4}, &fakesmb.Visit{Shares: []fakesmb.Share{{Name: "public"}}}
	})
	server, err := lab.Serve(t.Context(), lab.Neighbour{}, files.Handle)
	require.NoError(t, err)
	defer server.Close()
	r := probe.Run(t.Context(), smb.Prober{}, probe.Target{Addr: server.Addr}, &probe.Options{Level: probe.LevelAnonymous})
	require.NoError(t, r.Err)
	e := evidence(t, r)
	require.Equal(t, []string{"AES-256-GCM"}, e.Ciphers)
	require.Equal(t, probe.Yes, e.NullSession)
	require.Len(t, e.Shares, 1)
}
