package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
)

type evidence struct {
	Greeting *probe.Reply `json:"greeting"`
	Login    probe.Fact   `json:"login"`
	Features []string     `json:"features"`
	TLS      *probe.TLS   `json:"tls"`
}

func (*evidence) Protocol() string           { return "ftp" }
func (e *evidence) TLSHandshake() *probe.TLS { return e.TLS }

type prober struct{}

func (prober) Spec() probe.Spec {
	return probe.Spec{Protocol: "ftp", Evidence: func() probe.Evidence { return new(evidence) }}
}
func (prober) Probe(context.Context, *probe.Session) (probe.Evidence, error) { return nil, nil }

var rules = []finding.Rule{
	{ID: "ftp.exposed", Title: "'FTP' port open", Severity: finding.Medium, CWE: []int{319}, Check: finding.On(func(e *evidence) finding.Answer {
		if e.Greeting == nil {
			return finding.NotLearned()
		}
		return finding.Fires(finding.Seen, "/evidence/greeting")
	})},
	{ID: "ftp.cleartext-login", Title: "passwords asked for without TLS", Severity: finding.High, Check: finding.On(func(e *evidence) finding.Answer {
		if e.Login != probe.Yes {
			return finding.NotLearned()
		}
		return finding.Fires(finding.Claimed, "/evidence/login", "/evidence/features").With("a detail")
	})},
}

const start = "2026-01-02T03:04:05.678Z"

func result(addr, name string, e *evidence) *probe.Result {
	at, _ := time.Parse(time.RFC3339, start)
	r := &probe.Result{
		Protocol: "ftp", Target: probe.Target{Network: probe.TCP, Addr: netip.MustParseAddrPort(addr), Name: name},
		Started: at, Elapsed: 41 * time.Millisecond, Outcome: probe.OutcomeOK, Evidence: &evidence{Features: []string{}}, Software: []probe.Software{},
	}
	if e != nil {
		r.Evidence = e
		r.Transcript = probe.Transcript{
			{At: 3 * time.Millisecond, Conn: 1, Dir: probe.DirRecv, Data: []byte("220 ready\r\n")},
		}
	}
	return r
}

func failed(r *probe.Result, err *probe.Error) *probe.Result {
	r.Err, r.Outcome = err, err.Outcome
	return r
}

func ready() *evidence {
	return &evidence{Greeting: &probe.Reply{Code: 220, Lines: []string{"ready"}}, Features: []string{}}
}

func TestRecordIsTheContract(t *testing.T) {
	r := finding.NewRecord(result("192.0.2.7:21", "", ready()), rules)
	got, err := json.Marshal(r)
	require.NoError(t, err)
	require.Equal(t, `{"schema":"handclasp.result/1","protocol":"ftp","target":{"network":"tcp","addr":"192.0.2.7:21","name":""},`+
		`"started":"2026-01-02T03:04:05.678Z","elapsed_ms":41,"level":"handshake","outcome":"ok","error":null,`+
		`"evidence":{"greeting":{"code":220,"lines":["ready"]},"login":"","features":[],"tls":null},"software":[],`+
		`"findings":[{"key":"k1:db79d6a5f50831b1307be84b2d630cd2","id":"ftp.exposed","title":"'FTP' port open","severity":"medium","known":"seen",`+
		`"basis":["/evidence/greeting"],"items":[],"detail":"","cwe":[319],"remediation":"","references":[]}],`+
		`"transcript":[{"at_ms":3,"conn":1,"dir":"recv","text":"220 ready\r\n"}]}`, string(got))

	decoded, err := finding.DecodeRecord(got, prober{})
	require.NoError(t, err)
	require.Equal(t, r, decoded)

	var untyped finding.Record
	require.NoError(t, json.Unmarshal(got, &untyped))
	e, ok := probe.As[*evidence](untyped.Result)
	require.True(t, ok)
	require.Equal(t, r.Evidence, e)
	again, err := json.Marshal(untyped)
	require.NoError(t, err)
	require.Equal(t, string(got), string(again))
}

func TestRecordWithoutEverything(t *testing.T) {
	r := failed(result("192.0.2.7:21", "", nil), probe.Errorf("dial", probe.OutcomeRefused, "no"))
	r.Evidence = nil
	got, err := json.Marshal(finding.Record{Result: r}.WithoutTranscript())
	require.NoError(t, err)
	require.Contains(t, string(got), `"error":{"op":"dial","message":"no"},"evidence":null,"software":[],"findings":[],"transcript":[]}`)
	decoded, err := finding.DecodeRecord(got, prober{})
	require.NoError(t, err)
	require.Equal(t, []finding.Finding{}, decoded.Findings)
	require.ErrorIs(t, decoded.Err, probe.OutcomeRefused)

	_, err = json.Marshal(finding.Record{})
	require.ErrorContains(t, err, "no result")
	_, err = finding.DecodeRecord([]byte(`{"schema":"handclasp.result/1","started":"`+start+`","findings":[{"severity":"dire"}]}`), prober{})
	require.ErrorContains(t, err, `unknown severity "dire"`)
	_, err = finding.DecodeRecord([]byte(`{"schema":"handclasp.result/1","started":"`+start+`","findings":[{"id":"x"}]}`), prober{})
	require.EqualError(t, err, `findings: "x" has no severity`)
	bare, err := finding.DecodeRecord([]byte(`{"schema":"handclasp.result/1","started":"`+start+`","findings":[{"severity":"low"}]}`), prober{})
	require.NoError(t, err)
	require.Equal(t, finding.Finding{Key: bare.Findings[0].Key, Severity: finding.Low, Basis: []string{}, Items: []finding.Item{}, CWE: []int{}, References: []string{}},
		bare.Findings[0], "lists aren't null")
	require.NotEmpty(t, bare.Findings[0].Key)
}

func TestJSONLIsOneWriteALine(t *testing.T) {
	w := new(writes)
	j := report.NewJSONL(w)
	full := finding.NewRecord(result("192.0.2.7:21", "", ready()), rules)
	require.NoError(t, j.Write(full))
	require.NoError(t, j.Write(full.WithoutTranscript()))
	require.Len(t, full.Transcript, 1, "the caller's record is left alone")
	require.Len(t, *w, 2)
	for i, want := range []int{1, 0} {
		require.Equal(t, 1, strings.Count((*w)[i], "\n"))
		r, err := finding.DecodeRecord([]byte((*w)[i]), prober{})
		require.NoError(t, err)
		require.Len(t, r.Transcript, want)
	}
	require.Error(t, report.NewJSONL(broken{}).Write(full))
}

func TestStates(t *testing.T) {
	for want, r := range map[report.State]*probe.Result{
		report.Answered:    result("192.0.2.7:21", "", ready()),
		report.Refused:     failed(result("192.0.2.7:21", "", nil), probe.Errorf("dial", probe.OutcomeRefused, "x")),
		report.NoAnswer:    failed(result("192.0.2.7:21", "", nil), probe.Errorf("dial", probe.OutcomeTimeout, "x")),
		report.Silent:      failed(result("192.0.2.7:21", "", nil), probe.Errorf("read", probe.OutcomeTimeout, "x")),
		report.Unreachable: failed(result("192.0.2.7:21", "", nil), probe.Errorf("dial", probe.OutcomeUnreachable, "x")),
		report.HungUp:      failed(result("192.0.2.7:21", "", nil), probe.Errorf("read", probe.OutcomeClosed, "x")),
		report.TLSFailed:   failed(result("192.0.2.7:21", "", nil), probe.Errorf("tls", probe.OutcomeTLS, "x")),
		report.Interrupted: failed(result("192.0.2.7:21", "", nil), probe.Errorf("dial", probe.OutcomeCanceled, "x")),
		report.Failed:      failed(result("192.0.2.7:21", "", nil), probe.Errorf("target", probe.OutcomeForbidden, "x")),
	} {
		require.Equal(t, want, report.StateOf(finding.Record{Result: r}))
	}
	for _, o := range []probe.Outcome{probe.OutcomeTimeout, probe.OutcomeClosed, probe.OutcomeCanceled, probe.OutcomeLimit} {
		r := failed(result("192.0.2.7:21", "", ready()), probe.Errorf("read", o, "x"))
		require.Equal(t, report.Answered, report.StateOf(finding.Record{Result: r}), "a greeting came before %s", o)
	}
	asked := &probe.Result{Target: probe.Target{Network: probe.UDP}, Level: probe.LevelGreeting, Outcome: probe.OutcomeOK}
	require.Equal(t, report.NotAsked, report.StateOf(finding.Record{Result: asked}), "nothing is sent over UDP to begin with")
	asked.Level = probe.LevelHandshake
	require.Equal(t, report.Answered, report.StateOf(finding.Record{Result: asked}))
	require.Equal(t, report.NoAnswer, report.StateOf(finding.Record{Result: failed(asked, probe.Errorf("read", probe.OutcomeTimeout, "x"))}), "no connection, no answer")
	cut := failed(result("192.0.2.7:21", "", ready()), probe.Errorf("read", probe.OutcomeClosed, "x"))
	require.Equal(t, report.Answered, report.StateOf(finding.Record{Result: cut}.WithoutTranscript()), "the evidence has its greeting")
	stored := finding.Record{Result: failed(result("192.0.2.7:21", "", nil), probe.Errorf("greeting", probe.OutcomeNotProtocol, "x"))}
	require.Equal(t, report.Answered, report.StateOf(stored), "what speaks something else has answered")
}

func TestTally(t *testing.T) {
	var tally report.Tally
	require.Equal(t, "no endpoint was probed", tally.String())
	require.Zero(t, tally.AtLeast(finding.Info))
	e := ready()
	e.Login = probe.Yes
	tally.Add(finding.NewRecord(result("192.0.2.7:21", "", e), rules))
	require.Equal(t, "1 endpoint in 41ms: 1 answered", tally.String())
	late := failed(result("192.0.2.7:21", "", nil), probe.Errorf("dial", probe.OutcomeTimeout, "x"))
	late.Elapsed = 75 * time.Second
	tally.Add(finding.NewRecord(late, rules))
	require.Equal(t, "2 endpoints in 1m15s: 1 answered · 1 no answer", tally.String())
	require.Equal(t, 2, tally.AtLeast(finding.Medium))
	require.Equal(t, 1, tally.AtLeast(finding.High))
	require.Equal(t, 0, tally.AtLeast(finding.Critical))
}

type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestTableReportsTheWritersError(t *testing.T) {
	table := report.NewTable(broken{}, report.TableOptions{})
	require.EqualError(t, table.Write(finding.NewRecord(result("192.0.2.7:21", "", ready()), rules), report.Host{Endpoints: 1}), "disk full")
	require.EqualError(t, table.Close(), "disk full")
}

func TestTableWritesAHostWhenItIsComplete(t *testing.T) {
	w := new(writes)
	table := report.NewTable(w, report.TableOptions{})
	write := func(addr string, h report.Host) {
		require.NoError(t, table.Write(finding.NewRecord(result(addr, "", ready()), rules), h))
	}
	write("192.0.2.7:21", report.Host{ID: 1, Endpoints: 2})
	write("192.0.2.8:21", report.Host{})
	write("192.0.2.9:21", report.Host{ID: 2, Endpoints: 2})
	require.Empty(t, *w)
	write("192.0.2.7:990", report.Host{ID: 1, Endpoints: 2})
	require.Len(t, *w, 1)
	require.Contains(t, (*w)[0], "192.0.2.7\n● 21/tcp")
	require.Contains(t, (*w)[0], "\n● 990/tcp")
	require.NoError(t, table.Close())
	require.Len(t, *w, 4)
	require.Contains(t, (*w)[1], "192.0.2.8")
	require.Contains(t, (*w)[2], "192.0.2.9")
	require.Contains(t, (*w)[3], "4 endpoints")
}

func TestTableCountsTheManyThatSayNothing(t *testing.T) {
	var b bytes.Buffer
	table := report.NewTable(&b, report.TableOptions{})
	for i := range 20 {
		r := failed(result(fmt.Sprintf("192.0.2.%d:21", i+1), "", nil), probe.Errorf("dial", probe.OutcomeTimeout, "x"))
		require.NoError(t, table.Write(finding.NewRecord(r, rules), report.Host{ID: i + 1, Endpoints: 1}))
	}
	require.NoError(t, table.Close())
	require.Equal(t, 8, strings.Count(b.String(), "no answer: ftp 21\n"))
	require.Contains(t, b.String(), "… and 12 more hosts where nothing answered: 12 no answer\n")
	require.Contains(t, b.String(), "20 endpoints in 41ms: 20 no answer\nno findings\n")
}

var _ io.Writer = broken{}
