package replay_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

func TestReprobe(t *testing.T) {
	text, err := os.ReadFile("../../ftp/testdata/transcripts/vsftpd-3.0.3-anonymous.txt")
	require.NoError(t, err)
	recording, err := replay.Parse(text)
	require.NoError(t, err)
	stored := probe.Run(t.Context(), ftp.Prober{}, recording.Target, recording.Options())
	require.NoError(t, stored.Err)
	stored.Started, stored.Elapsed = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), time.Minute

	// An older version may have made other evidence of it.
	older := *stored
	older.Evidence, older.Outcome, older.Err = nil, probe.OutcomeInternal, errors.New("not understood")
	again, err := replay.Reprobe(t.Context(), &older, nntp.Prober{}, ftp.Prober{})
	require.NoError(t, err)
	require.Equal(t, stored, again)

	older.Level = probe.LevelHandshake
	_, err = replay.Reprobe(t.Context(), &older, ftp.Prober{}, nntp.Prober{})
	require.ErrorContains(t, err, `"PASV\r\n" was recorded`, "it asks less than was asked then")
	older.Level = probe.LevelAnonymous
	_, err = replay.Reprobe(t.Context(), &older)
	require.ErrorContains(t, err, "no prober speaks ftp")
	older.Transcript = nil
	_, err = replay.Reprobe(t.Context(), &older, ftp.Prober{})
	require.ErrorIs(t, err, replay.ErrNoTranscript)
}

// A stored result may be anybody's file.
func FuzzReprobe(f *testing.F) {
	text, err := os.ReadFile("../../ftp/testdata/transcripts/vsftpd-3.0.3-anonymous.txt")
	require.NoError(f, err)
	recording, err := replay.Parse(text)
	require.NoError(f, err)
	stored, err := json.Marshal(probe.Run(f.Context(), ftp.Prober{}, recording.Target, recording.Options()))
	require.NoError(f, err)
	f.Add(stored)
	f.Add([]byte(`{"schema":"handclasp.result/1","protocol":"ftp","target":{"network":"udp","addr":"192.0.2.7:21","name":""},` +
		`"started":"2026-01-02T03:04:05.678Z","level":"handshake","outcome":"ok","transcript":[` +
		`{"conn":1,"dir":"open","text":""},{"conn":-1,"dir":"tls"},{"conn":1,"dir":"recv","text":"220 \r\n"},{"dir":"rand"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r probe.Result
		if json.Unmarshal(b, &r) != nil {
			return
		}
		again, err := replay.Reprobe(t.Context(), &r, ftp.Prober{})
		if err == nil {
			require.Equal(t, r.Transcript, again.Transcript)
			require.Equal(t, r.Target, again.Target)
		}
	})
}
