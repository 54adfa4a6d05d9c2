package detect_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/internal/service"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// A server that greets in a protocol that is spoken has no other name, whatever it says first on a connection.
func TestRecordedServersHaveNoOtherName(t *testing.T) {
	for _, p := range handclasp.Probers() {
		if r, ok := p.(detect.Recogniser); !ok || r.Recognise(nil) == probe.Possible {
			continue
		}
		files, err := filepath.Glob(filepath.Join("..", p.Spec().Protocol, "testdata/transcripts/*.txt"))
		require.NoError(t, err)
		require.NotEmpty(t, files, p.Spec().Protocol)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			recording, err := replay.Parse(text)
			require.NoError(t, err, file)
			synctest.Test(t, func(t *testing.T) {
				if probe.Run(t.Context(), p, recording.Target, recording.Options()).Outcome == probe.OutcomeNotProtocol {
					return // one that turns out to be another
				}
				heard := map[int]bool{}
				for _, e := range recording.Transcript {
					if e.Dir == probe.DirRecv && !heard[e.Conn] {
						heard[e.Conn] = true
						require.Empty(t, service.Name(e.Data), "%s: %q", file, e.Data)
					}
				}
			})
		}
	}
}

func FuzzServiceName(f *testing.F) {
	names := map[string]bool{"": true}
	for _, s := range foreigners {
		names[s.service] = true
		f.Add([]byte(s.says))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		require.Contains(t, names, service.Name(said), "a name that no test has")
	})
}
