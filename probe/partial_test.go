package probe_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// What was lost beside the conversation is named, and the first loss is the result's outcome.
func TestPartial(t *testing.T) {
	leakFree(t)
	busy, dropped := probe.Errorf("module", probe.OutcomeBusy, "max connections"), probe.Errorf("read", probe.OutcomeClosed, "gone")
	garbage := probe.Errorf("reply", probe.OutcomeMalformed, "no code")
	for name, test := range map[string]struct {
		lost    []error // of /evidence/0, /evidence/1, …
		ended   error
		outcome probe.Outcome
		partial []string
	}{
		"nothing":                      {nil, nil, probe.OutcomeOK, []string{}},
		"a part":                       {[]error{busy}, nil, probe.OutcomeBusy, []string{"/evidence/0"}},
		"two parts":                    {[]error{dropped, busy}, nil, probe.OutcomeClosed, []string{"/evidence/0", "/evidence/1"}},
		"an answer is no loss":         {[]error{garbage, nil, busy}, nil, probe.OutcomeBusy, []string{"/evidence/2"}},
		"the conversation":             {nil, dropped, probe.OutcomeClosed, []string{"/evidence"}},
		"a part, then the whole":       {[]error{busy}, dropped, probe.OutcomeBusy, []string{"/evidence/0", "/evidence"}},
		"the whole, by a part's error": {[]error{busy}, busy, probe.OutcomeBusy, []string{"/evidence/0"}},
		"a part, then an answer":       {[]error{busy}, garbage, probe.OutcomeMalformed, []string{"/evidence/0"}},
		"a fault of ours":              {nil, errors.New("bug"), probe.OutcomeInternal, []string{"/evidence"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := probe.Run(t.Context(), script{talk: func(_ context.Context, s *probe.Session, _ *evidence) error {
				for i, err := range test.lost {
					s.Lost("/evidence/"+string(rune('0'+i)), err)
				}
				return test.ended
			}}, probe.Target{Addr: port(t)}, nil)
			require.Equal(t, test.outcome, r.Outcome)
			require.Equal(t, test.partial, r.Partial)
			require.Equal(t, test.outcome == probe.OutcomeOK, r.Err == nil)

			data, err := json.Marshal(r)
			require.NoError(t, err)
			var again probe.Result
			require.NoError(t, json.Unmarshal(data, &again))
			require.Equal(t, r.Partial, again.Partial)
		})
	}
}

// A result of before there was a list has none, which isn't an empty one.
func TestPartialAbsent(t *testing.T) {
	const stored = `{"schema":"handclasp.result/1","protocol":"test","target":{"network":"tcp","addr":"192.0.2.7:21","name":""},` +
		`"started":"2026-01-02T03:04:05.678Z","elapsed_ms":41,"level":"handshake","outcome":"ok","error":null,"evidence":{},"software":[],"transcript":[]}`
	var r probe.Result
	require.NoError(t, json.Unmarshal([]byte(stored), &r))
	require.Nil(t, r.Partial)
	data, err := json.Marshal(&r)
	require.NoError(t, err)
	require.JSONEq(t, stored, string(data))
}

// The Spec's bounds hold even if the limits are wider.
func TestBounds(t *testing.T) {
	leakFree(t)
	var open int
	p := bounded{script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
		for {
			if _, err := s.Open(ctx); err != nil {
				return err
			}
			open++
		}
	}}, probe.Bounds{Greeting: probe.Bound{Conns: 1}, Handshake: probe.Bound{Conns: 3}, Anonymous: probe.Bound{Time: 30 * time.Millisecond}}}
	target := serve(t, hang)
	for level, want := range map[probe.Level]int{probe.LevelGreeting: 1, probe.LevelHandshake: 3, probe.LevelAnonymous: 16} {
		open = 0
		r := probe.Run(t.Context(), p, target, &probe.Options{Level: level})
		require.Equal(t, want, open, level)
		require.Equal(t, probe.OutcomeLimit, r.Outcome, level)
	}
	p.script.talk = listen
	r := probe.Run(t.Context(), p, target, &probe.Options{Level: probe.LevelAnonymous})
	require.ErrorContains(t, r.Err, "not done within 30ms")
}

type bounded struct {
	script
	bounds probe.Bounds
}

func (b bounded) Spec() probe.Spec {
	s := b.script.Spec()
	s.Bounds = b.bounds
	return s
}

// A prober that ends its goroutine, as a failed assertion does in a test, leaves no connection open.
func TestGoexit(t *testing.T) {
	leakFree(t)
	ended := make(chan struct{})
	target := serve(t, func(c net.Conn) {
		hang(c)
		close(ended)
	})
	go probe.Run(context.Background(), script{talk: func(ctx context.Context, s *probe.Session, _ *evidence) error {
		_, err := s.Open(ctx)
		require.NoError(t, err)
		runtime.Goexit()
		return nil
	}}, target, nil)
	<-ended
}

// A dialer that knows better may say that the server is busy; the transcript holds it.
func TestDialerSaysBusy(t *testing.T) {
	leakFree(t)
	for _, o := range []probe.Outcome{probe.OutcomeBusy, probe.OutcomeDenied} {
		r := probe.Run(t.Context(), script{talk: listen}, mustTarget("192.0.2.7:21"), &probe.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, probe.Errorf("proxy", o, "no")
		}})
		require.Equal(t, o, r.Outcome)
		require.Equal(t, o, r.Transcript[0].Outcome)
	}
}
