package finding_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

func doorsOf(r *probe.Result) ([]finding.Mark, bool) {
	e, ok := r.Evidence.(*evidence)
	if !ok || e.Door == "" {
		return nil, false
	}
	return []finding.Mark{{Value: e.Door, Basis: "/evidence/door"}}, true
}

var sharedDoor = finding.Comparison{
	Rule:  finding.Rule{ID: "test.shared", Title: "one door in several houses", Severity: finding.High},
	Marks: doorsOf,
}

func TestComparison(t *testing.T) {
	for range 2 { // each judge begins anew
		j := finding.NewJudge([]finding.Rule{rule("always", finding.Low, finding.Fires(finding.Seen, "/evidence/door"))}, []finding.Comparison{sharedDoor})
		ids := func(addr, name, door string) (list []string) {
			r := judged(addr, door, probe.OutcomeOK).Result
			r.Target.Name = name
			for _, f := range j.Evaluate(r) {
				list = append(list, f.ID+" "+f.Detail)
			}
			return list
		}
		require.Equal(t, []string{"always "}, ids("192.0.2.1:22", "", "oak"))
		require.Equal(t, []string{"always "}, ids("192.0.2.1:2222", "", "oak"), "another port of the same host")
		require.Equal(t, []string{"always "}, ids("192.0.2.2:22", "", ""), "not learned")
		require.Equal(t, []string{"always "}, ids("192.0.2.3:22", "a.example", "elm"))
		require.Equal(t, []string{"always "}, ids("[2001:db8::3]:22", "a.example", "elm"), "another address of the same name")
		require.Equal(t, []string{"test.shared also on 192.0.2.1:22", "always "}, ids("192.0.2.4:22", "", "oak"))
		require.Equal(t, []string{"test.shared also on a.example (192.0.2.3:22)", "always "}, ids("192.0.2.5:22", "b.example", "elm"))
		require.Equal(t, []string{"test.shared also on 192.0.2.4:22", "always "}, ids("192.0.2.1:22", "", "oak"), "the first, once the others are known")
	}
}

// Whatever the order, all members are judged once all were learned.
func TestComparisonOverAWholeScan(t *testing.T) {
	j := finding.NewJudge(nil, []finding.Comparison{sharedDoor})
	var results []*probe.Result
	for _, addr := range []string{"192.0.2.1:22", "192.0.2.2:22", "192.0.2.3:22"} {
		r := judged(addr, "oak", probe.OutcomeOK).Result
		results = append(results, r)
		j.Learn(r)
	}
	for _, r := range results {
		require.Len(t, j.Evaluate(r), 1, r.Target)
	}
}

// A judge that meets traces knows which results it has to be shown, and judges them as one does that has seen all.
func TestTraces(t *testing.T) {
	comparisons := []finding.Comparison{sharedDoor}
	seen, met := finding.NewJudge(nil, comparisons), finding.NewJudge(nil, comparisons)
	shown := 0
	for i, door := range []string{"oak", "", "elm", "oak", "oak", "ash", "elm"} {
		r := judged(fmt.Sprintf("192.0.2.%d:22", i%5), door, probe.OutcomeOK).Result
		trace := finding.TraceOf(r, comparisons)
		require.Equal(t, door == "", trace.Marks == nil)
		data, err := json.Marshal(trace)
		require.NoError(t, err)
		var carried finding.Trace
		require.NoError(t, json.Unmarshal(data, &carried))
		want := seen.Evaluate(r)
		shared := met.Meet(carried)
		require.Equal(t, len(want) > 0, shared, i)
		if shared {
			shown++
			require.Equal(t, want, met.Evaluate(r), i)
		}
	}
	require.Equal(t, 3, shown)
}

// What a comparison remembers has a bound.
func TestComparisonForgetsNothingAndStopsLearning(t *testing.T) {
	j := finding.NewJudge(nil, []finding.Comparison{sharedDoor})
	at := func(host int, door string) []finding.Finding {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(host >> 16), byte(host >> 8), byte(host)}), 22)
		return j.Evaluate(&probe.Result{Target: probe.Target{Addr: addr}, Evidence: &evidence{Door: door}})
	}
	for i := range finding.MaxShared {
		require.Empty(t, at(i, fmt.Sprint(i)))
	}
	require.Empty(t, at(finding.MaxShared, "too late"))
	require.Empty(t, at(finding.MaxShared+1, "too late"))
	require.NotEmpty(t, at(finding.MaxShared+1, "0"))
}

type doorProber struct{}

func (doorProber) Spec() probe.Spec {
	return probe.Spec{Protocol: "test", Ports: []probe.Port{{Network: probe.TCP, Number: 7007}}}
}

func (doorProber) Probe(context.Context, *probe.Session) (probe.Evidence, error) { return nil, nil }

func TestOddPort(t *testing.T) {
	exposed := finding.Rule{ID: "test.exposed", Check: finding.On(func(e *evidence) finding.Answer {
		if e.Door == "" {
			return finding.NotLearned()
		}
		return finding.Fires(finding.Seen, "/evidence/door")
	})}
	r := finding.OddPort([]probe.Prober{doorProber{}}, []finding.Rule{exposed})
	p := r.Check(judged("192.0.2.1:8008", "yes", probe.OutcomeOK).Result)
	require.Equal(t, finding.Fires(finding.Seen, "/target/addr", "/evidence/door").With("test on tcp 8008"), p)
	require.Equal(t, finding.NotSo(), r.Check(judged("192.0.2.1:7007", "yes", probe.OutcomeOK).Result), "at its usual port")
	require.Equal(t, finding.NotLearned(), r.Check(judged("192.0.2.1:8008", "", probe.OutcomeTimeout).Result), "nothing answered")
	other := judged("192.0.2.1:8008", "", probe.OutcomeNotProtocol).Result
	other.Evidence = &probe.RawEvidence{Name: "unknown", JSON: []byte(`{"service":"http"}`)}
	require.Equal(t, finding.NotSo(), r.Check(other), "another service took the port")
	udp := judged("192.0.2.1:7007", "yes", probe.OutcomeOK).Result
	udp.Target.Network = probe.UDP
	require.NotNil(t, r.Check(udp).Proof(), "the same number over another network")
}
