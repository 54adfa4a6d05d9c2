package finding_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

type evidence struct {
	Door   string     `json:"door" diff:"identifying"`
	Boards []string   `json:"boards"`
	TLS    *probe.TLS `json:"tls"`
}

func (*evidence) Protocol() string           { return "test" }
func (e *evidence) TLSHandshake() *probe.TLS { return e.TLS }

func rule(id string, s finding.Severity, a finding.Answer) finding.Rule {
	return finding.Rule{ID: id, Title: id, Severity: s, CWE: []int{200}, Check: func(*probe.Result) finding.Answer { return a }}
}

func TestEvaluate(t *testing.T) {
	r := &probe.Result{Evidence: &evidence{Door: "open"}}
	worse := finding.Fires(finding.Seen, "/evidence/door").Rated(finding.High)
	varies, rerated := rule("c", finding.Low, worse), rule("e", finding.Info, worse)
	varies.Varies = []finding.Severity{finding.Low, finding.High}
	rerated.Varies = varies.Varies
	listed := finding.FiresOn(finding.Seen, []finding.Item{{Value: "oak", Basis: "/evidence/door"}})
	found := finding.Evaluate(r, []finding.Rule{
		rule("b", finding.Low, finding.Fires(finding.Claimed, "/evidence/door").With("wide")),
		rule("silent", finding.Critical, finding.NotLearned()),
		rule("no", finding.Critical, finding.NotSo()),
		rule("a", finding.Low, listed),
		varies, rule("d", finding.Info, worse), rerated,
	})
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprint(f.ID, " ", f.Severity, " ", f.Known, " ", f.Basis, " ", f.Items, " ", f.Detail))
	}
	require.Equal(t, []string{
		"c high seen [/evidence/door] [] ",
		"a low seen [/evidence/door] [{oak /evidence/door}] oak",
		"b low claimed [/evidence/door] [] wide",
		"d info seen [/evidence/door] [] ", // doesn't say that it varies
		"e info seen [/evidence/door] [] ", // was rated anew
	}, got)

	data, err := json.Marshal(finding.Evaluate(r, nil))
	require.NoError(t, err)
	require.Equal(t, "[]", string(data))
	data, err = json.Marshal(found[0])
	require.NoError(t, err)
	require.JSONEq(t, `{"key":"`+found[0].Key+`","id":"c","title":"c","severity":"high","known":"seen","basis":["/evidence/door"],"items":[],"detail":"",
		"cwe":[200],"remediation":"","references":[]}`, string(data))
	var again finding.Finding
	require.NoError(t, json.Unmarshal(data, &again))
	require.Equal(t, found[0], again)
}

// The words of before version 0.1 are read.
func TestOldWords(t *testing.T) {
	for old, now := range map[string]finding.Known{"wire": finding.Seen, "advertised": finding.Claimed, "inferred": finding.Inferred, "seen": finding.Seen} {
		var f finding.Finding
		require.NoError(t, json.Unmarshal([]byte(`{"severity":"low","known":"`+old+`"}`), &f))
		require.Equal(t, now, f.Known)
	}
}

// A key names a rule at what was asked for, whatever was found there.
func TestKey(t *testing.T) {
	at := func(name, addr string, n probe.Network) probe.Target {
		return probe.Target{Network: n, Addr: netip.MustParseAddrPort(addr), Name: name}
	}
	key := finding.Key("ftp.exposed", at("", "192.0.2.7:21", ""))
	require.Regexp(t, "^k1:[0-9a-f]{32}$", key)
	require.Equal(t, "k1:db79d6a5f50831b1307be84b2d630cd2", key, "it is stored elsewhere: it never changes")
	require.Equal(t, key, finding.Key("ftp.exposed", at("", "192.0.2.7:21", probe.TCP)))
	named := finding.Key("ftp.exposed", at("ftp.example", "192.0.2.7:21", ""))
	require.Equal(t, named, finding.Key("ftp.exposed", at("ftp.example", "192.0.2.99:21", "")), "a name that moved")
	different := []string{
		key, named, finding.Key("ftp.anonymous", at("", "192.0.2.7:21", "")), finding.Key("ftp.exposed", at("", "192.0.2.8:21", "")),
		finding.Key("ftp.exposed", at("", "192.0.2.7:22", "")), finding.Key("ftp.exposed", at("", "192.0.2.7:21", probe.UDP)),
	}
	slices.Sort(different)
	require.Len(t, slices.Compact(different), 6)
}

func TestFiresOn(t *testing.T) {
	require.Equal(t, finding.NotSo(), finding.FiresOn(finding.Seen, nil))
	var items []finding.Item
	for i := range 12 {
		items = append(items, finding.Item{Value: fmt.Sprint("m", i), Basis: fmt.Sprint("/evidence/modules/", i)})
	}
	p := finding.FiresOn(finding.Seen, append(items, items[0])).Also("/evidence/x").Proof()
	require.Equal(t, items, p.Items, "all of them, each once")
	require.Len(t, p.Basis, 11)
	require.Equal(t, "m0, m1, m2, m3, m4, m5, m6, m7, m8, m9 and 2 more", p.Detail)
}

func TestWhen(t *testing.T) {
	fires := finding.Fires(finding.Seen, "/evidence/door")
	require.Equal(t, fires, finding.When(probe.No, probe.No, fires))
	require.Equal(t, finding.NotSo(), finding.When(probe.Yes, probe.No, fires))
	require.Equal(t, finding.NotLearned(), finding.When(probe.Unknown, probe.No, fires))
	require.True(t, fires.Learned())
	require.True(t, finding.NotSo().Learned())
	require.False(t, finding.NotLearned().Learned())
}

func TestOn(t *testing.T) {
	fires := finding.Fires(finding.Seen, "/evidence/door")
	check := finding.On(func(e *evidence) finding.Answer {
		if e.Door == "open" {
			return fires
		}
		return finding.NotSo()
	})
	raw := func(name, evidence string) *probe.RawEvidence {
		return &probe.RawEvidence{Name: name, JSON: []byte(evidence)}
	}
	for name, test := range map[string]struct {
		r    probe.Result
		want finding.Answer
	}{
		"fires":              {probe.Result{Protocol: "test", Evidence: &evidence{Door: "open"}}, fires},
		"stored":             {probe.Result{Protocol: "test", Evidence: raw("test", `{"door":"open"}`)}, fires},
		"isn't so":           {probe.Result{Protocol: "test", Evidence: &evidence{}}, finding.NotSo()},
		"nothing":            {probe.Result{}, finding.NotLearned()},
		"without evidence":   {probe.Result{Protocol: "test"}, finding.NotLearned()},
		"another protocol":   {probe.Result{Protocol: "other", Outcome: probe.OutcomeOK, Evidence: raw("other", `{"door":"open"}`)}, finding.NotSo()},
		"another, perhaps":   {probe.Result{Protocol: "other", Outcome: probe.OutcomeTimeout, Evidence: raw("other", `{}`)}, finding.NotLearned()},
		"a service by name":  {probe.Result{Protocol: "unknown", Outcome: probe.OutcomeOK, Evidence: raw("unknown", `{"service":"http"}`)}, finding.NotSo()},
		"a service instead":  {probe.Result{Protocol: "unknown", Outcome: probe.OutcomeNotProtocol, Evidence: raw("unknown", `{"service":"http"}`)}, finding.NotSo()},
		"silence":            {probe.Result{Protocol: "unknown", Outcome: probe.OutcomeTimeout, Evidence: raw("unknown", `{"service":"silent"}`)}, finding.NotLearned()},
		"TLS, and no more":   {probe.Result{Protocol: "unknown", Outcome: probe.OutcomeNotProtocol, Evidence: raw("unknown", `{"service":"tls"}`)}, finding.NotLearned()},
		"a nameless service": {probe.Result{Protocol: "unknown", Outcome: probe.OutcomeOK, Evidence: raw("unknown", `{"service":""}`)}, finding.NotLearned()},
		"a dial that failed": {probe.Result{Protocol: "other", Outcome: probe.OutcomeRefused}, finding.NotLearned()},
	} {
		require.Equal(t, test.want, check(&test.r), name)
	}
}

func TestSeverity(t *testing.T) {
	for _, s := range []finding.Severity{finding.Info, finding.Low, finding.Medium, finding.High, finding.Critical} {
		text, err := s.MarshalText()
		require.NoError(t, err)
		var again finding.Severity
		require.NoError(t, again.UnmarshalText(text))
		require.Equal(t, s, again)
	}
	_, err := finding.ParseSeverity("terrible")
	require.EqualError(t, err, `unknown severity "terrible": use info, low, medium, high or critical`)
	_, err = finding.Severity(0).MarshalText()
	require.Error(t, err)
	require.Greater(t, finding.High, finding.Medium)
}

func TestResolve(t *testing.T) {
	doc := []byte(`{"a/b":{"c~d":[1,{"e":null}]},"":"empty"}`)
	for pointer, want := range map[string]string{
		"": string(doc), "/a~1b/c~0d/0": "1", "/a~1b/c~0d/1": `{"e":null}`, "/a~1b/c~0d/1/e": "null", "/": `"empty"`,
	} {
		got, err := finding.Resolve(doc, pointer)
		require.NoError(t, err, pointer)
		require.JSONEq(t, want, string(got))
	}
	for _, pointer := range []string{"a", "/missing", "/a~1b/c~0d/2", "/a~1b/c~0d/-1", "/a~1b/c~0d/+1", "/a~1b/c~0d/01", "/a~1b/c~0d/x", "/a~1b/c~0d/0/deep"} {
		_, err := finding.Resolve(doc, pointer)
		require.ErrorContains(t, err, pointer)
	}
}
