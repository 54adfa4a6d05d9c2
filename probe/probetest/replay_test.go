package probetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
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
			require.ErrorAs(t, r.Err, new(*probe.LimitError))
		default:
			t.Fatal("unexpected file")
		}
	})
}

// What was captured from a server replays the same: through a file, with TLS, and however it ended.
func TestReplayOfACapture(t *testing.T) {
	t.Parallel()
	servers := append(Hostile(), Affirmative("HI there\r\n", "OK\r\n")...)
	servers = append(servers, Server{Name: "a good one", Serve: affirm("HI there\r\n", "OK\r\n",
		behindTLS(Server{Serve: affirm("", ".\r\n", hangUp)}).Serve)})
	limits := suiteLimits
	limits.Total *= 10 // a session that notices the end of its time by itself doesn't record where
	for _, server := range servers {
		t.Run(server.Name, func(t *testing.T) {
			t.Parallel()
			target := probe.Target{Network: probe.TCP, Addr: Listen(t, server), Name: "hostile.example"}
			live := probe.Run(t.Context(), sample{}, target, &probe.Options{Level: probe.LevelAnonymous, Limits: limits})
			rec, err := replay.Parse(replay.Record(live, server.Name, "now").Format())
			require.NoError(t, err)
			o := rec.Options()
			o.Limits = limits
			again := probe.Run(t.Context(), sample{}, rec.Target, o)
			require.Equal(t, live.Outcome, again.Outcome, "%v, %v", live.Err, again.Err)
			require.Equal(t, live.Evidence, again.Evidence)
			if server.Name == "a good one" {
				require.NoError(t, live.Err)
				require.Equal(t, probe.Yes, live.Evidence.(*sampleEvidence).TLS.NameMatches)
			}
			if live.Err != nil {
				require.Equal(t, opOf(live.Err), opOf(again.Err))
			}
		})
	}
}
