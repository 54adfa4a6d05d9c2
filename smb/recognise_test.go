package smb_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
)

var _ probe.Asker = smb.Prober{}

func TestRecognise(t *testing.T) {
	require.Equal(t, probe.Possible, smb.Prober{}.Recognise(nil))
	require.Equal(t, probe.Foreign, smb.Prober{}.Recognise([]byte("\x00")))
	for reply, want := range map[string]probe.Recognition{
		"": probe.Undecided, "\x00": probe.Undecided, "\x00\x00\x01\x1c": probe.Undecided, "\x00\x00\x01\x1c\xfeSM": probe.Undecided,
		"\x00\x00\x01\x1c\xfeSMB": probe.Recognised, "\x00\x00\x00\x23\xffSMBr": probe.Recognised,
		"H": probe.Foreign, "\x00\x01": probe.Foreign, "\x00\x00\x00\x05\xfdSMB": probe.Foreign, "\x82\x00\x00\x00": probe.Foreign,
	} {
		require.Equal(t, want, smb.Prober{}.Answers([]byte(reply)), "%q", reply)
	}
}

// A file server is found on a port that says nothing of it, for one connection more than listening takes.
func TestDetected(t *testing.T) {
	server, err := lab.OldFiles(t.Context())
	require.NoError(t, err)
	defer server.Close()
	d := detect.Detector{Probers: []probe.Prober{smb.Prober{}}, Wait: 10 * time.Millisecond}
	r := probe.Run(t.Context(), d, probe.Target{Addr: server.Addr}, nil)
	require.NoError(t, r.Err)
	e, ok := probe.As[*smb.Evidence](r)
	require.True(t, ok)
	require.Equal(t, []string{"2.0.2", "2.1"}, e.Dialects)
}
