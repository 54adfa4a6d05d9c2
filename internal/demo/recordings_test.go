package demo

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

var update = flag.Bool("update", false, "record the conversations of the lab's servers that aren't held as recorded any more")

var levels = []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func proberOf(t *testing.T, protocol string) probe.Prober {
	t.Helper()
	for _, p := range handclasp.Probers() {
		if p.Spec().Protocol == protocol {
			return p
		}
	}
	require.Fail(t, "no prober", protocol)
	return nil
}

// Each recording is what its prober says and hears today. Those of the lab's servers are made by -update.
func TestRecordings(t *testing.T) {
	if *update {
		record(t)
		return
	}
	for _, level := range levels {
		files, err := filepath.Glob(filepath.Join("recordings", level.String(), "*.txt"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			s, err := new(Stage).read(file)
			require.NoError(t, err)
			require.Equal(t, level, s.recording.Level, file)
			require.NoError(t, departure(t, s.recording, s.Protocol), "%s: record it again: go test ./internal/demo -run TestRecordings -update", file)
			require.Equal(t, string(text), string(s.recording.Format()))
		}
	}
}

// departure says how a prober departs from a recording.
func departure(t *testing.T, r *replay.Recording, protocol string) error {
	player := r.Player()
	o := r.Options()
	o.Dial, o.Rand = player.Dial, player.Rand()
	probe.Run(t.Context(), proberOf(t, protocol), r.Target, o)
	return player.Err()
}

// record writes what is missing, and what isn't held as it was any more.
func record(t *testing.T) {
	servers, err := lab.Start(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, servers.Close()) }()
	for i, n := range servers.Neighbours() {
		for _, level := range levels {
			file := filepath.Join("recordings", level.String(), fmt.Sprintf("%02d-%s-%s.txt", i+1, n.Protocol, n.Name))
			if text, err := os.ReadFile(file); err == nil {
				old, err := replay.Parse(text)
				if err == nil && departure(t, old, n.Protocol) == nil {
					require.NoError(t, os.WriteFile(file, old.Format(), 0o644)) // with what evidence tells by now
					continue
				}
			}
			target := probe.Target{Network: probe.Network(n.Network), Addr: n.Addr, Name: "localhost"}
			r := probe.Run(t.Context(), proberOf(t, n.Protocol), target, &probe.Options{
				Level: level, ImplicitTLS: probe.FactOf(n.ImplicitTLS), RootCAs: servers.CA(),
			})
			require.NoError(t, r.Err)
			made := replay.Record(r, "internal/lab", time.Now().UTC().Format(time.DateOnly))
			made.ImplicitTLS = probe.FactOf(n.ImplicitTLS)
			made.Comments = []string{n.About}
			require.NoError(t, os.WriteFile(file, made.Format(), 0o644))
			t.Log("recorded", file)
		}
	}
}

// The conversations through the listeners are the recorded ones, whatever the order, and a second time.
func TestStage(t *testing.T) {
	for _, level := range levels {
		stage, err := Start(level)
		require.NoError(t, err)
		defer func() { require.NoError(t, stage.Close()) }()
		require.GreaterOrEqual(t, len(stage.Servers()), 12)
		for range 2 {
			for _, s := range stage.Servers() {
				r := run(t.Context(), stage, s, proberOf(t, s.Protocol))
				require.NoError(t, stage.Err())
				require.Equal(t, said(s.recording.Transcript), said(r.Transcript), s.Name)
				if len(r.Transcript) == 0 {
					continue // a client that speaks first says nothing at level greeting
				}
				want, err := replay.Reprobe(t.Context(), recorded(s, r.Evidence), proberOf(t, s.Protocol))
				require.NoError(t, err)
				require.Equal(t, want.Evidence, r.Evidence, s.Name)
				require.Equal(t, want.Err, r.Err)
			}
		}
	}
}

func run(ctx context.Context, stage *Stage, s *Server, p probe.Prober) *probe.Result {
	return probe.Run(ctx, s.Prober(p), s.Target, &probe.Options{
		Level: s.recording.Level, ImplicitTLS: s.ImplicitTLS, TLS: s.TLS, Dial: stage.Dial, Rand: stage.Rand(),
	})
}

// recorded is the recording as a stored result.
func recorded(s *Server, e probe.Evidence) *probe.Result {
	return &probe.Result{
		Protocol: s.Protocol, Target: s.recording.Target, Level: s.recording.Level, Transcript: s.recording.Transcript, Evidence: e,
	}
}

// said is what was sent and received on each connection.
func said(tr probe.Transcript) map[string]string {
	all := map[string]string{}
	for _, e := range tr {
		if e.Dir == probe.DirSend || e.Dir == probe.DirRecv {
			all[fmt.Sprint(e.Conn, " ", e.Dir)] += string(e.Data)
		}
	}
	return all
}

// A scan that says anything else is hung up on.
func TestStageIsStrict(t *testing.T) {
	stage, err := Start(probe.LevelHandshake)
	require.NoError(t, err)
	s := stage.Servers()[0]
	require.Equal(t, "ftp", s.Protocol)
	r := run(t.Context(), stage, s, proberOf(t, "smtp"))
	require.NotEqual(t, probe.OutcomeOK, r.Outcome)
	require.NoError(t, stage.Close())
	require.ErrorContains(t, stage.Err(), s.Name+", connection 1: ")

	_, err = stage.Dial(t.Context(), "tcp", "127.0.0.1:1")
	require.ErrorIs(t, err, probe.OutcomeInternal)
	_, err = stage.Rand().Read(make([]byte, 1000))
	for err == nil {
		_, err = stage.Rand().Read(make([]byte, 1000))
	}
	require.ErrorIs(t, err, probe.OutcomeInternal)
	require.True(t, bytes.Contains([]byte(stage.Err().Error()), []byte("random bytes")))
}
