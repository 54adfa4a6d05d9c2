package probetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

func TestReplayFile(t *testing.T) {
	ReplayAll(t, sample{}, "testdata/transcripts/*.txt", func(t *testing.T, name string, r *probe.Result) {
		e, ok := probe.As[*sampleEvidence](r)
		require.True(t, ok)
		switch name {
		case "sample-anonymous.txt":
			require.Equal(t, probe.OutcomeOK, r.Outcome)
			require.Equal(t, []string{"one", "två", "three"}, e.Names)
			require.Equal(t, "1.3", e.TLS.Version)
		case "sample-leftover.txt":
			require.Equal(t, probe.OutcomeTLS, r.Outcome)
			require.Equal(t, "HI again\r\n", string(e.TLS.LeftoverPlaintext))
		case "sample-silent.txt":
			require.Equal(t, probe.OutcomeTimeout, r.Outcome)
			require.ErrorIs(t, r.Err, probe.ErrLimit)
		default:
			t.Fatal("unexpected file")
		}
	})
}

// A result's transcript, replayed, gives the result again.
func TestReplayOfAResult(t *testing.T) {
	tr := probe.Transcript{
		{Conn: 1, Dir: probe.DirOpen, Data: []byte("192.0.2.7:7007")},
		{Conn: 1, Dir: probe.DirSend, Data: []byte("a"), Label: "any"},
		{Conn: 1, Dir: probe.DirRecv, Data: []byte("b")},
		{Conn: 1, Dir: probe.DirEnd, Outcome: probe.OutcomeClosed},
	}
	p := probing(func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
		c, err := s.Open(ctx)
		if err != nil {
			return new(sampleEvidence), err
		}
		if err := c.Send([]byte("a")); err != nil {
			return new(sampleEvidence), err
		}
		line, err := c.ReadLine()
		return &sampleEvidence{Name: string(line)}, err
	})
	target, err := probe.ParseTarget("198.51.100.1:7007") // the port counts
	require.NoError(t, err)
	r := probe.Run(t.Context(), p, target, &probe.Options{Dial: Replay(tr)})
	require.Equal(t, probe.OutcomeClosed, r.Outcome)
	require.Equal(t, &sampleEvidence{Name: "b"}, r.Evidence)
	again := probe.Run(t.Context(), p, target, &probe.Options{Dial: Replay(r.Transcript)})
	require.Equal(t, r.Evidence, again.Evidence)
	require.Equal(t, r.Err, again.Err)
	require.Len(t, again.Transcript, len(tr))
}
