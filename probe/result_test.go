package probe_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

func TestResultRoundTrip(t *testing.T) {
	leakFree(t)
	p := script{talk: upgrade(false)}
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t, certificateOptions{names: []string{"ftp.example"}})}}
	target := serve(t, secure("220 caf\xe9\r\n", cfg))
	for name, target := range map[string]probe.Target{"ok": target, "refused": {Addr: port(t), Name: "ftp.example"}} {
		t.Run(name, func(t *testing.T) {
			want := probe.Run(t.Context(), p, target, nil)
			data, err := json.Marshal(want)
			require.NoError(t, err)
			require.NotContains(t, string(data), "null,\"software", "evidence is there")

			got, err := probe.Decode(data, p)
			require.NoError(t, err)
			require.Equal(t, want.Evidence, got.Evidence)
			require.Equal(t, probe.OutcomeOf(want.Err), probe.OutcomeOf(got.Err))
			if want.Err != nil {
				require.EqualError(t, got.Err, want.Err.Error())
			}
			got.Err, want.Err = nil, nil
			require.Equal(t, want, got)

			// A program that doesn't know the protocol hands the evidence on unharmed.
			unknown, err := probe.Decode(data)
			require.NoError(t, err)
			require.Equal(t, "test", unknown.Evidence.Protocol())
			again, err := json.Marshal(unknown.Evidence)
			require.NoError(t, err)
			typed, ok := probe.As[*evidence](unknown)
			require.True(t, ok)
			require.Equal(t, want.Evidence, typed)
			same, err := json.Marshal(want.Evidence)
			require.NoError(t, err)
			require.JSONEq(t, string(same), string(again))
		})
	}
}

func TestResultShape(t *testing.T) {
	r := &probe.Result{
		Protocol: "test", Target: mustTarget("192.0.2.7:21"), Outcome: probe.OutcomeClosed, Evidence: &evidence{Lines: []string{}},
		Err:        &probe.Error{Op: "read", Outcome: probe.OutcomeClosed, Err: io.EOF},
		Transcript: probe.Transcript{{Conn: 1, Dir: probe.DirRecv, Data: []byte("caf\xe9\r\n")}},
	}
	data, err := json.Marshal(r)
	require.NoError(t, err)
	require.JSONEq(t, `{"schema":"handclasp.result/1","protocol":"test","target":{"network":"tcp","addr":"192.0.2.7:21","name":""},
		"started":"0001-01-01T00:00:00.000Z","elapsed_ms":0,"level":"handshake","outcome":"closed",
		"error":{"op":"read","message":"EOF"},"evidence":{"lines":[],"tls":null,"extra":""},"software":[],
		"transcript":[{"at_ms":0,"conn":1,"dir":"recv","text":"caf\ufffd\r\n","lossy":true,"base64":"Y2Fm6Q0K"}]}`, string(data))

	require.ErrorContains(t, json.Unmarshal([]byte(`{"schema":"other/1"}`), r), `schema "other/1"`)
	require.Error(t, json.Unmarshal([]byte(`{"schema":"handclasp.result/1","started":"yesterday"}`), r))
	_, err = probe.Decode([]byte(`{"schema":"handclasp.result/1","protocol":"test","started":"2026-01-02T03:04:05.678Z","level":"handshake","evidence":{"lines":3}}`), script{})
	require.ErrorContains(t, err, "evidence of test")
}

func TestAs(t *testing.T) {
	_, ok := probe.As[*evidence](nil)
	require.False(t, ok)
	_, ok = probe.As[*evidence](&probe.Result{})
	require.False(t, ok)
	_, ok = probe.As[*evidence](&probe.Result{Evidence: (*evidence)(nil)})
	require.False(t, ok)
	_, ok = probe.As[*evidence](&probe.Result{Evidence: &probe.RawEvidence{Name: "other", JSON: []byte("{}")}})
	require.False(t, ok)
}

func TestGrab(t *testing.T) {
	leakFree(t)
	target := serve(t, func(c net.Conn) { _, _ = c.Write([]byte("220 ready\r\n")) })
	e, err := probe.Grab[*evidence](t.Context(), script{talk: listen}, target.Addr.String(), nil)
	require.ErrorIs(t, err, probe.OutcomeClosed)
	require.Equal(t, []string{"220 ready"}, e.Lines, "evidence comes beside the error")
}

func TestErrorsOfOthers(t *testing.T) {
	own := errors.New("own")
	r := probe.Run(t.Context(), script{talk: func(context.Context, *probe.Session, *evidence) error { return own }}, mustTarget("192.0.2.7:21"), nil)
	require.Equal(t, probe.OutcomeInternal, r.Outcome)
	require.ErrorIs(t, r.Err, own)
	data, err := json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(data), `"error":{"op":"probe","message":"own"}`)
	require.Equal(t, probe.OutcomeCanceled, probe.OutcomeOf(context.Canceled))
	require.Equal(t, probe.OutcomeTimeout, probe.OutcomeOf(context.DeadlineExceeded))
	require.Equal(t, probe.OutcomeBusy, probe.OutcomeOf(fmt.Errorf("not now: %w", probe.OutcomeBusy)))
	require.Equal(t, probe.OutcomeInternal, probe.OutcomeOf(probe.Outcome("odd")))
}
