package finding_test

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// accepted returns of each finding of a rule with items whether it is accepted, in a record of an endpoint.
func accepted(t *testing.T, list []finding.Accept, target string, items ...string) (bool, finding.Finding, []finding.Use) {
	t.Helper()
	a, err := finding.NewAcceptor(list)
	require.NoError(t, err)
	r := finding.Record{Result: &probe.Result{Started: time.Date(2026, 3, 31, 23, 59, 0, 0, time.UTC), Target: targetOf(target)}}
	f := finding.Finding{ID: "rsync.module-open", Severity: finding.High, Accepted: []finding.Acceptance{{Reason: "of another time"}}}
	for _, item := range items {
		f.Items = append(f.Items, finding.Item{Value: item})
	}
	r.Findings = []finding.Finding{f, {ID: "rsync.exposed", Severity: finding.Medium}}
	marked := a.Mark(r)
	require.Len(t, r.Findings[0].Accepted, 1, "the record is left as it is")
	require.False(t, marked[1].IsAccepted(), "another rule")
	return marked[0].IsAccepted(), marked[0], a.Uses()
}

// targetOf reads "name 192.0.2.7:873" or an address alone, with /udp behind it or not.
func targetOf(text string) probe.Target {
	t := probe.Target{Network: probe.TCP}
	for i, c := range text {
		if c == ' ' {
			t.Name, text = text[:i], text[i+1:]
			break
		}
	}
	if n := len(text) - len("/udp"); n > 0 && text[n:] == "/udp" {
		t.Network, text = probe.UDP, text[:n]
	}
	t.Addr = netip.MustParseAddrPort(text)
	return t
}

func entry(endpoint string, items ...string) finding.Accept {
	return finding.Accept{Rule: "rsync.module-open", Endpoint: endpoint, Items: items, Reason: "a public mirror", By: "Jo"}
}

func TestAcceptPlaces(t *testing.T) {
	for _, tc := range []struct {
		endpoint, target string
		want             bool
	}{
		{"192.0.2.7", "192.0.2.7:873", true},
		{"192.0.2.7", "mirror.example.net 192.0.2.7:873", true},
		{"192.0.2.7", "192.0.2.8:873", false},
		{"192.0.2.7:873", "192.0.2.7:873", true},
		{"192.0.2.7:874", "192.0.2.7:873", false},
		{"192.0.2.7:873/udp", "192.0.2.7:873", false},
		{"192.0.2.7:873/tcp", "192.0.2.7:873", true},
		{"192.0.2.7:137/udp", "192.0.2.7:137/udp", true},
		{"192.0.2.9/24", "192.0.2.7:873", true},
		{"192.0.2.0/24:873", "192.0.2.7:873", true},
		{"192.0.2.0/24:21", "192.0.2.7:873", false},
		{"192.0.2.7", "[::ffff:192.0.2.7]:873", true},
		{"2001:db8::/32", "[2001:db8::7]:873", true},
		{"[2001:db8::/32]:873", "[2001:db8::7]:873", true},
		{"[2001:db8::7]:21", "[2001:db8::7]:873", false},
		{"fe80::7", "[fe80::7%eth0]:873", true},
		{"mirror.example.net", "Mirror.example.net. 192.0.2.7:873", true},
		{"MIRROR.example.net.", "mirror.example.net 192.0.2.7:873", true},
		{"mirror.example.net", "192.0.2.7:873", false},
		{"*.example.net:873", "mirror.example.net 192.0.2.7:873", true},
		{"*.example.net", "a.b.example.net 192.0.2.7:873", true},
		{"*.example.net", "example.net 192.0.2.7:873", false},
		{"*.example.net", "badexample.net 192.0.2.7:873", false},
		{"*", "192.0.2.7:873", true},
		{"*:873", "192.0.2.7:873", true},
		{"*:21", "192.0.2.7:873", false},
	} {
		got, _, uses := accepted(t, []finding.Accept{entry(tc.endpoint)}, tc.target)
		require.Equal(t, tc.want, got, "%+v", tc)
		require.Equal(t, tc.want, uses[0] == finding.UseApplied, "%+v", tc)
		require.Equal(t, !tc.want, uses[0] == finding.UseNotAsked, "%+v", tc)
	}
}

// What is accepted of a finding is what is named of it, and no more.
func TestAcceptItems(t *testing.T) {
	pub, backup := entry("*", "pub"), entry("192.0.2.0/24", "backup", "gone")
	for _, tc := range []struct {
		list  []finding.Accept
		items []string
		want  bool
	}{
		{[]finding.Accept{pub}, []string{"pub"}, true},
		{[]finding.Accept{pub}, []string{"pub", "payroll"}, false},
		{[]finding.Accept{pub, backup}, []string{"pub", "backup"}, true},
		{[]finding.Accept{pub, backup}, []string{"pub", "backup", "payroll"}, false},
		{[]finding.Accept{entry("*")}, []string{"pub", "payroll"}, true},
		{[]finding.Accept{pub}, nil, false}, // it is about the endpoint itself
		{nil, []string{"pub"}, false},
	} {
		got, _, _ := accepted(t, tc.list, "192.0.2.7:873", tc.items...)
		require.Equal(t, tc.want, got, "%+v", tc)
	}
	_, f, uses := accepted(t, []finding.Accept{pub, backup, entry("*", "nothing")}, "192.0.2.7:873", "pub", "backup", "payroll")
	require.Equal(t, []finding.Acceptance{{Items: []string{"pub"}, Reason: "a public mirror", By: "Jo"}, {Items: []string{"backup"}, Reason: "a public mirror", By: "Jo"}}, f.Accepted)
	require.Equal(t, []finding.Use{finding.UseApplied, finding.UseApplied, finding.UseNotFound}, uses)
}

// The last day counts as a whole, in UTC, as of the time of the probe.
func TestAcceptUntil(t *testing.T) {
	for _, tc := range []struct {
		until time.Time
		want  finding.Use
	}{
		{time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), finding.UseApplied},
		{time.Date(2026, 3, 30, 23, 59, 59, 0, time.UTC), finding.UseExpired},
		{time.Time{}, finding.UseApplied},
	} {
		e := entry("192.0.2.7")
		e.Until = tc.until
		got, f, uses := accepted(t, []finding.Accept{e}, "192.0.2.7:873")
		require.Equal(t, []finding.Use{tc.want}, uses)
		require.Equal(t, tc.want == finding.UseApplied, got)
		if got && !tc.until.IsZero() {
			require.Equal(t, "a public mirror (Jo, until 2026-03-31)", f.Accepted[0].String())
		}
	}
	require.Equal(t, "a public mirror (Jo)", finding.Acceptance{Reason: "a public mirror", By: "Jo"}.String())
}

func TestAcceptRefuses(t *testing.T) {
	for want, change := range map[string]func(*finding.Accept){
		"rule is missing":                                       func(a *finding.Accept) { a.Rule = "" },
		"endpoint is missing":                                   func(a *finding.Accept) { a.Endpoint = " " },
		"reason is missing":                                     func(a *finding.Accept) { a.Reason = "" },
		"by is missing":                                         func(a *finding.Accept) { a.By = "" },
		"a port is a number from 1 to 65535":                    func(a *finding.Accept) { a.Endpoint = "192.0.2.7:0" },
		`"[2001:db8::]:x": a port is`:                           func(a *finding.Accept) { a.Endpoint = "[2001:db8::]:x" },
		"a network needs a port in front":                       func(a *finding.Accept) { a.Endpoint = "192.0.2.7/udp" },
		`"192.0.2.300": write an address, a range`:              func(a *finding.Accept) { a.Endpoint = "192.0.2.300" },
		`"192.0.2.*": write an address`:                         func(a *finding.Accept) { a.Endpoint = "192.0.2.*" },
		`"*example.net": write an address`:                      func(a *finding.Accept) { a.Endpoint = "*example.net" },
		`"192.0.2.0/33": write an address`:                      func(a *finding.Accept) { a.Endpoint = "192.0.2.0/33" },
		`"rsync://mirror.example.net": a port is`:               func(a *finding.Accept) { a.Endpoint = "rsync://mirror.example.net" },
		`"mirror..example.net": write an address, a range such`: func(a *finding.Accept) { a.Endpoint = "mirror..example.net" },
	} {
		e := entry("192.0.2.7")
		change(&e)
		require.ErrorContains(t, e.Check(), want)
		_, err := finding.NewAcceptor([]finding.Accept{entry("*"), e})
		require.ErrorContains(t, err, "accepted risk 2: ")
		require.ErrorContains(t, err, want)
	}
}

// What is accepted stays so in JSON.
func TestAcceptedInJSON(t *testing.T) {
	e := entry("*")
	e.Until = time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC)
	_, f, _ := accepted(t, []finding.Accept{e}, "192.0.2.7:873", "pub")
	data, err := json.Marshal(f.Accepted)
	require.NoError(t, err)
	require.JSONEq(t, `[{"until":"2027-03-31","reason":"a public mirror","by":"Jo"}]`, string(data))
	data, err = json.Marshal(f)
	require.NoError(t, err)
	var again finding.Finding
	require.NoError(t, json.Unmarshal(data, &again))
	require.True(t, again.IsAccepted())
	require.Empty(t, finding.Open([]finding.Finding{again}))
	require.Len(t, finding.Open([]finding.Finding{again, {ID: "x"}}), 1)
}

func FuzzAcceptEndpoint(f *testing.F) {
	for _, seed := range []string{"192.0.2.7:21", "[2001:db8::/32]:137/udp", "*.example.net", "*", "a:b:c/tcp"} {
		f.Add(seed)
	}
	target := targetOf("mirror.example.net 192.0.2.7:873")
	f.Fuzz(func(t *testing.T, endpoint string) {
		e := entry(endpoint)
		a, err := finding.NewAcceptor([]finding.Accept{e})
		if (err == nil) != (e.Check() == nil) {
			t.Fatal("they disagree")
		}
		if err == nil {
			a.Mark(finding.Record{Result: &probe.Result{Target: target}, Findings: []finding.Finding{{ID: e.Rule}}})
		}
	})
}
