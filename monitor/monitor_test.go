package monitor_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smtp"
)

type evidence struct {
	Door   string   `json:"door"`
	Key    string   `json:"key" diff:"identifying"`
	Boards []string `json:"boards"`
}

func (*evidence) Protocol() string { return "test" }

var rules = []finding.Rule{
	{ID: "test.open", Title: "an open door", Severity: finding.Medium, Check: finding.On(func(e *evidence) finding.Answer {
		switch e.Door {
		case "open":
			return finding.Fires(finding.Seen, "/evidence/door")
		case "shut":
			return finding.NotSo()
		}
		return finding.NotLearned()
	})},
	{ID: "test.boards", Title: "loose boards", Severity: finding.High, Check: finding.On(func(e *evidence) finding.Answer {
		if e.Boards == nil {
			return finding.NotLearned()
		}
		return finding.FiresOn(finding.Seen, finding.Items(e.Boards, "/evidence/boards", func(string) bool { return true }))
	})},
}

var options = &monitor.Options{Rules: rules}

// begun is the night of the first scan.
var begun = time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)

// A house is an endpoint as one night finds it.
type house struct {
	addr, name string
	outcome    probe.Outcome // ok if empty
	software   []probe.Software
	partial    string // empty for nothing
	evidence
}

// scan is a whole scan of a night.
func scan(night int, houses ...house) func(yield func(finding.Entry) bool) {
	id := fmt.Sprintf("night-%d", night)
	entries := []finding.Entry{{Header: &finding.Header{Scan: id, Protocols: []string{"test"}, Started: begun.AddDate(0, 0, night)}}}
	for _, h := range houses {
		r := &probe.Result{
			Protocol: "test", Target: probe.Target{Network: probe.TCP, Addr: netip.MustParseAddrPort(h.addr), Name: h.name}, Outcome: probe.OutcomeOK,
			Partial: []string{}, Started: begun.AddDate(0, 0, night), Evidence: &h.evidence, Software: h.software,
		}
		if h.partial != "" {
			r.Partial = []string{h.partial}
		}
		if h.outcome != "" {
			r.Outcome, r.Partial, r.Err = h.outcome, []string{"/evidence"}, probe.Errorf("dial", h.outcome, "no")
		}
		record := finding.NewRecord(r, rules)
		record.Scan = id
		entries = append(entries, finding.Entry{Record: record})
	}
	return slices.Values(append(entries, finding.Entry{Footer: &finding.Footer{Scan: id, Complete: true}}))
}

func open(t testing.TB, o *monitor.Options) *monitor.State {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "fleet.db"), o)
}

// openAt opens a file that may be there already. It may be closed before the test ends.
func openAt(t testing.TB, path string, o *monitor.Options) *monitor.State {
	t.Helper()
	s, err := monitor.Open(path, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// night applies a scan and returns what it tells, acknowledged, without the event of the scan itself.
func night(t testing.TB, s *monitor.State, n int, houses ...house) (told []string) {
	t.Helper()
	_, err := s.Apply(t.Context(), scan(n, houses...), nil)
	require.NoError(t, err)
	told = []string{}
	quiet := true
	for e, err := range s.Events(t.Context(), 0) {
		require.NoError(t, err)
		require.NoError(t, s.Ack(t.Context(), e.ID))
		switch {
		case e.Change != nil:
			told = append(told, fmt.Sprintf("%s %s %s", e.Kind, e.Endpoint, e.Change.Finding.ID))
		case e.Note != nil:
			told = append(told, strings.TrimSpace(fmt.Sprintf("%s %s%s", e.Kind, e.Endpoint.Host, e.Note.Group)))
		default:
			require.Equal(t, "scan", e.Kind)
			quiet = false
		}
	}
	require.False(t, quiet, "each scan is told")
	return told
}

const a = "192.0.2.1:7"

func at(door, key string, boards ...string) house {
	return house{addr: a, evidence: evidence{Door: door, Key: key, Boards: append([]string{}, boards...)}}
}

// A finding is gone once two scans have learned that it is; what wasn't learned counts for nothing.
func TestNights(t *testing.T) {
	s := open(t, options)
	busy := house{addr: a, outcome: probe.OutcomeBusy}
	for n, c := range []struct {
		house house
		told  []string
	}{
		{at("open", "k1", "oak"), []string{"new 192.0.2.1:7 test.boards", "new 192.0.2.1:7 test.open"}},
		{at("open", "k1", "oak"), []string{}},
		{at("open", "k1", "oak", "elm"), []string{"changed 192.0.2.1:7 test.boards"}},
		{at("shut", "k1", "oak", "elm"), []string{}},
		{busy, []string{}},
		{at("shut", "k1", "oak", "elm"), []string{"resolved 192.0.2.1:7 test.open"}},
		{at("shut", "k1", "oak"), []string{}},
		{at("shut", "k1", "oak"), []string{"changed 192.0.2.1:7 test.boards"}},
		{at("shut", "k2", "oak"), []string{"fact 192.0.2.1"}},
		{at("shut", "k1", "oak"), []string{"pool 192.0.2.1"}},
		{at("shut", "k2", "oak"), []string{}},
		{at("shut", "k3", "oak"), []string{"fact 192.0.2.1"}},
		{at("open", "k3", "oak"), []string{"new 192.0.2.1:7 test.open"}},
	} {
		require.Equal(t, c.told, night(t, s, n, c.house), "night %d", n)
	}
}

// What named a product and names another one now tells the change, even if the rest wasn't learned; what wasn't asked is as it was.
func TestSoftwareOfWhichAPartIsLearned(t *testing.T) {
	s := open(t, options)
	product := func(source, product, version string) probe.Software {
		return probe.Software{Product: product, Version: version, Source: source}
	}
	ftpd, system := product("greeting", "ftpd", "1.2"), product("system", "Windows", "10")
	for n, c := range []struct {
		software []probe.Software
		part     bool
		told     string
	}{
		{software: []probe.Software{ftpd, system}},
		{software: []probe.Software{ftpd}, part: true},
		{software: []probe.Software{product("greeting", "otherd", "7")}, part: true, told: "Windows 10, ftpd 1.2 → Windows 10, otherd 7"},
		{software: []probe.Software{product("greeting", "otherd", "7"), system}},
		{software: []probe.Software{product("greeting", "otherd", "7")}, told: "Windows 10, otherd 7 → otherd 7"},
		{software: []probe.Software{product("greeting", "otherd", "8")}, part: true, told: "otherd 7 → otherd 8"},
		{software: []probe.Software{product("greeting", "otherd", "")}, told: "otherd 8 → otherd"},
		{software: []probe.Software{product("greeting", "shareware", ""), product("system", "shareware", "2")}, told: "otherd → shareware, shareware 2"},
		{software: []probe.Software{product("greeting", "otherd", ""), product("system", "otherd pro", "2")}, told: "shareware, shareware 2 → otherd, otherd pro 2"},
		{software: []probe.Software{product("greeting", "otherd", "")}, part: true},
	} {
		h := at("shut", "k")
		if h.software = c.software; c.part {
			h.partial = "/evidence/rest"
		}
		_, err := s.Apply(t.Context(), scan(n, h), nil)
		require.NoError(t, err)
		got := ""
		for _, e := range undelivered(t, s) {
			if e.Note != nil {
				got += strings.Join(e.Note.Old, ", ") + " → " + strings.Join(e.Note.New, ", ")
			}
		}
		require.Equal(t, c.told, got, "night %d", n)
	}
}

// Of what looks as it did before only the time is kept, and that is as good.
func TestWhatStayedWasSeen(t *testing.T) {
	s := open(t, options)
	require.NotEmpty(t, night(t, s, 0, at("open", "k1")))
	for n := 1; n < 40; n++ {
		require.Empty(t, night(t, s, n, at("open", "k1")))
	}
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, begun.AddDate(0, 0, 39), status.Open[0].LastSeen)
	require.Equal(t, begun, status.Open[0].FirstSeen)
	require.Equal(t, []string{"fact 192.0.2.1"}, night(t, s, 40, at("open", "k2")))
	require.Equal(t, []string{"pool 192.0.2.1"}, night(t, s, 41, at("open", "k1")), "k1 was there two nights ago")
}

// A file of the first version is brought to this one, with all that it knows.
func TestMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	require.NoError(t, monitor.FirstVersion(db))
	_, err = db.Exec(`INSERT INTO endpoint VALUES (7, '192.0.2.1', 'tcp', 7, '', 1, '', 1767232800000, 1767232800000, '',
		'{"first":"2026-01-01T02:00:00Z","answered":"2026-01-01T02:00:00Z","up":true,"level":"handshake","protocol":"test","heard":["192.0.2.1"],"facts":{},
		"open":{"test.open":{"severity":"medium","known":"seen","basis":["/evidence/door"],"first":"2026-01-01T02:00:00Z","confirmed":"2026-01-01T02:00:00Z","last":"2026-01-01T02:00:00Z","hits":1}}}');
		INSERT INTO alias VALUES ('192.0.2.1', 'tcp', 7, '', 7);
		INSERT INTO rule VALUES ('test.open', 3), ('test.boards', 4)`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	s, err := monitor.Open(path, options)
	require.NoError(t, err)
	defer s.Close()
	require.Empty(t, night(t, s, 1, at("open", "")), "it was known")
	require.Empty(t, night(t, s, 2, at("open", "")))
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	require.Len(t, status.Open, 1)
	require.Equal(t, begun, status.Open[0].FirstSeen)
	require.Equal(t, begun.AddDate(0, 0, 2), status.Open[0].LastSeen)
}

func TestConfirmationOfNew(t *testing.T) {
	s := open(t, &monitor.Options{Rules: rules, Confirm: finding.Confirmation{New: 2, Of: 3, Gone: 1}})
	require.Empty(t, night(t, s, 0, at("open", "")))
	require.Empty(t, night(t, s, 1, at("shut", "")))
	var first, confirmed time.Time
	_, err := s.Apply(t.Context(), scan(2, at("open", "")), nil)
	require.NoError(t, err)
	for e, err := range s.Events(t.Context(), 0) {
		require.NoError(t, err)
		if e.Kind == "new" {
			first, confirmed = e.Change.FirstSeen, e.Change.Confirmed
		}
	}
	require.Equal(t, begun, first)
	require.Equal(t, begun.AddDate(0, 0, 2), confirmed)
}

func TestApplyAgainAndTooLate(t *testing.T) {
	s := open(t, options)
	require.NotEmpty(t, night(t, s, 5, at("open", "")))
	again, err := s.Apply(t.Context(), scan(5, at("shut", "")), nil)
	require.NoError(t, err)
	require.True(t, again.Again)
	require.Equal(t, 1, again.New)
	for range s.Events(t.Context(), 0) {
		t.Fatal("an event of a scan that was told")
	}
	_, err = s.Apply(t.Context(), scan(4, at("shut", "")), nil)
	require.ErrorIs(t, err, monitor.ErrOlder)
	_, err = s.Apply(t.Context(), finding.Entries(slices.Values([]finding.Record{})), nil)
	require.ErrorIs(t, err, monitor.ErrNoScan)
}

// Events come until they are acknowledged, with the same ids.
func TestOutbox(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.db")
	var ids []int64
	for range 2 {
		s, err := monitor.Open(path, options)
		require.NoError(t, err)
		_, err = monitor.Open(path, options)
		require.ErrorIs(t, err, monitor.ErrLocked)
		_, err = s.Apply(t.Context(), scan(0, at("open", "")), nil)
		require.NoError(t, err)
		var seen []int64
		for e, err := range s.Events(t.Context(), 0) {
			require.NoError(t, err)
			seen = append(seen, e.ID)
		}
		require.Len(t, seen, 2)
		if ids == nil {
			ids = seen
		}
		require.Equal(t, ids, seen)
		require.NoError(t, s.Failed(t.Context(), errors.New("no mail"), seen[1]))
		require.NoError(t, s.Close())
	}
	s, err := monitor.Open(path, &monitor.Options{ReadOnly: true})
	require.NoError(t, err)
	defer s.Close()
	status, err := s.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, status.Undelivered)
	require.Equal(t, "no mail", status.Trouble)
	require.Len(t, status.Open, 1)
	require.Equal(t, "test.open", status.Open[0].Rule)
}

// A name moves, is asked by its address, leaves the list, and comes back: one endpoint all the time.
func TestEndpointsKeepTheirIdentity(t *testing.T) {
	s := open(t, options)
	named := func(addr string) house { h := at("open", "k"); h.addr, h.name = addr, "a.example"; return h }
	require.Equal(t, []string{"new a.example:7 test.open"}, night(t, s, 0, named("192.0.2.1:7")))
	require.Equal(t, []string{"moved a.example"}, night(t, s, 1, named("192.0.2.2:7")))
	unnamed := named("192.0.2.2:7")
	unnamed.name = ""
	require.Equal(t, []string{"renamed a.example"}, night(t, s, 2, unnamed))
	require.Empty(t, night(t, s, 3, unnamed))
	require.Equal(t, []string{"out_of_scope 192.0.2.2"}, night(t, s, 4))
	require.Empty(t, night(t, s, 5))
	require.Empty(t, night(t, s, 6, unnamed))
	var told []string
	for e, err := range s.History(t.Context(), "a.example") {
		require.NoError(t, err)
		told = append(told, e.Kind)
	}
	require.Equal(t, []string{"new", "moved", "renamed", "out_of_scope"}, told)
}

func TestBlindAndRetired(t *testing.T) {
	s := open(t, options)
	var up, down []house
	for i := range 4 {
		h := at("open", "k")
		h.addr = fmt.Sprintf("192.0.2.%d:7", i+1)
		up = append(up, h)
		down = append(down, house{addr: h.addr, outcome: probe.OutcomeRefused})
	}
	require.Len(t, night(t, s, 0, up...), 4)
	require.Equal(t, []string{"blind 192.0.2.0/24", "blind all"}, night(t, s, 1, down...))
	require.Empty(t, night(t, s, 2, up...), "what wasn't believed to be gone isn't new")
	// One host that is silent for long is told of once.
	silent := append(slices.Clone(up[:3]), house{addr: up[3].addr, outcome: probe.OutcomeTimeout})
	for n := 3; n < 33; n++ {
		require.Empty(t, night(t, s, n, silent...), n)
	}
	require.Equal(t, []string{"retired 192.0.2.4"}, night(t, s, 33, silent...))
	require.Empty(t, night(t, s, 34, silent...))
	require.Empty(t, night(t, s, 35, up...))
	// That all is gone indeed is said by a person.
	for n := 36; n < 38; n++ {
		_, err := s.Apply(t.Context(), scan(n, down...), &monitor.ApplyOptions{AcceptLoss: []string{"192.0.2.0/24"}})
		require.NoError(t, err)
	}
	resolved := 0
	for e, err := range s.Events(t.Context(), 0) {
		require.NoError(t, err)
		require.NotEqual(t, "blind", e.Kind)
		if e.Kind == "resolved" {
			resolved++
		}
	}
	require.Equal(t, 4, resolved)
}

// A rule that is new to the program makes one event, and no alarm, whenever a host is learned that wasn't since.
func TestNewerRules(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.db")
	s, err := monitor.Open(path, &monitor.Options{Rules: rules[:1]})
	require.NoError(t, err)
	other := func(h house) house { h.addr = "198.51.100.1:7"; return h }
	loose, busy := at("open", "", "oak"), house{addr: a, outcome: probe.OutcomeBusy}
	first := slices.Collect(scan(0, loose, other(loose)))
	for i, e := range first {
		first[i].Findings = slices.DeleteFunc(e.Findings, func(f finding.Finding) bool { return f.ID == "test.boards" })
	}
	_, err = s.Apply(t.Context(), slices.Values(first), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"new", "new"}, kinds(t, s))
	require.NoError(t, s.Close())
	s, err = monitor.Open(path, options)
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, []string{"cause"}, night(t, s, 1, busy, other(loose)))
	require.Empty(t, night(t, s, 2, busy, other(loose)))
	require.Equal(t, []string{"cause"}, night(t, s, 3, loose, other(loose)), "busy until now")
	require.Empty(t, night(t, s, 4, loose, other(loose)))
	require.Empty(t, night(t, s, 5, at("open", ""), other(loose)))
	require.Equal(t, []string{"resolved 192.0.2.1:7 test.boards"}, night(t, s, 6, at("open", ""), other(loose)))
	require.Equal(t, []string{"new 192.0.2.1:7 test.boards"}, night(t, s, 7, loose, other(loose)), "it was known not to be so")
}

// What the items of a finding tell isn't told as a fact, too; what they don't is.
func TestNamesAreToldOnce(t *testing.T) {
	s := open(t, &monitor.Options{Rules: finding.NTLM})
	for n, c := range []struct {
		ntlm probe.NTLM
		told []string
	}{
		{probe.NTLM{DNSComputer: "a.corp.example", NetBIOSDomain: "CORP", TargetName: "CORP"}, []string{"new"}},
		{probe.NTLM{DNSComputer: "b.corp.example", NetBIOSDomain: "CORP", TargetName: "CORP"}, []string{"changed"}},
		{probe.NTLM{DNSComputer: "b.corp.example", NetBIOSDomain: "CORP", TargetName: "CORP"}, []string{"changed"}}, // the old one is gone
		{probe.NTLM{DNSComputer: "b.corp.example", NetBIOSDomain: "SHOP", TargetName: "SHOP"}, []string{"changed"}},
		{probe.NTLM{DNSComputer: "b.corp.example", NetBIOSDomain: "SHOP", TargetName: "SHOP"}, []string{"changed"}},
		{probe.NTLM{DNSComputer: "b.corp.example", NetBIOSDomain: "SHOP", TargetName: "b.corp.example"}, []string{"fact"}},
		{probe.NTLM{DNSComputer: "b.corp.example", NetBIOSDomain: "SHOP", TargetName: "b.corp.example", OSVersion: "10.0"}, nil},
		{probe.NTLM{DNSComputer: "b.corp.example", NetBIOSDomain: "SHOP", TargetName: "b.corp.example", OSVersion: "10.1"}, []string{"fact"}},
	} {
		entries := slices.Collect(scan(n, at("", "")))
		entries[1].Protocol, entries[1].Evidence = "smtp", &smtp.Evidence{NTLM: &c.ntlm}
		entries[1].Findings = finding.Evaluate(entries[1].Result, finding.NTLM)
		_, err := s.Apply(t.Context(), slices.Values(entries), nil)
		require.NoError(t, err)
		require.Equal(t, c.told, kinds(t, s), "night %d", n)
	}
}

// kinds are those of the events, acknowledged, without that of the scan.
func kinds(t testing.TB, s *monitor.State) (list []string) {
	t.Helper()
	for e, err := range s.Events(t.Context(), 0) {
		require.NoError(t, err)
		require.NoError(t, s.Ack(t.Context(), e.ID))
		if e.Kind != "scan" {
			list = append(list, e.Kind)
		}
	}
	return list
}

// A scan that is judged by less than those before resolves nothing, however often.
func TestJudgedByLess(t *testing.T) {
	vulnerable := rules[0]
	vulnerable.ID = "software.vulnerable"
	s := open(t, &monitor.Options{Rules: []finding.Rule{vulnerable}})
	apply := func(n int, data, door string) []string {
		entries := slices.Collect(scan(n, at(door, "k")))
		entries[0].Header.Digests.Advisories = data
		entries[1].Findings = finding.Evaluate(entries[1].Result, []finding.Rule{vulnerable})
		_, err := s.Apply(t.Context(), slices.Values(entries), nil)
		require.NoError(t, err)
		return kinds(t, s)
	}
	for n, c := range []struct {
		data, door string
		told       []string
	}{
		{"data", "open", []string{"new"}},
		{"", "shut", []string{"cause"}},
		{"", "shut", nil},
		{"", "shut", nil},
		{"data", "open", nil},
		{"data", "shut", nil},
		{"data", "shut", []string{"resolved"}},
	} {
		require.Equal(t, c.told, apply(n, c.data, c.door), "night %d", n)
	}
}

// The views are for others to read, and stay.
func TestViews(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.db")
	s, err := monitor.Open(path, options)
	require.NoError(t, err)
	require.NotEmpty(t, night(t, s, 0, at("open", "k", "oak", "elm")))
	require.NoError(t, s.Close())
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	var host, rule, severity, items string
	require.NoError(t, db.QueryRow(`SELECT host, rule, severity, items FROM open_findings WHERE rule = 'test.boards'`).Scan(&host, &rule, &severity, &items))
	require.Equal(t, []string{"192.0.2.1", "test.boards", "high", "elm, oak"}, []string{host, rule, severity, items})
	var up bool
	require.NoError(t, db.QueryRow(`SELECT up FROM endpoints WHERE protocol = 'test'`).Scan(&up))
	require.True(t, up)
	var kind string
	require.NoError(t, db.QueryRow(`SELECT kind FROM history WHERE rule = 'test.open'`).Scan(&kind))
	require.Equal(t, "new", kind)
	var fresh int
	require.NoError(t, db.QueryRow(`SELECT new FROM scans`).Scan(&fresh))
	require.Equal(t, 2, fresh)
	_, err = db.Exec(`PRAGMA user_version = 99`)
	require.NoError(t, err)
	_, err = monitor.Open(path, options)
	require.ErrorContains(t, err, "use a newer one")
}

// What is seen from one place says nothing of another.
func TestVantages(t *testing.T) {
	s := open(t, options)
	apply := func(n int, vantage string, houses ...house) []string {
		entries := slices.Collect(scan(n, houses...))
		entries[0].Header.Vantage = vantage
		got, _ := told(t, s, slices.Values(entries), nil)
		return got
	}
	require.Equal(t, []string{"new " + a + " test.boards", "new " + a + " test.open"}, apply(0, "", at("open", "k", "oak")))
	require.Equal(t, []string{"new " + a + " from berlin test.open"}, apply(2, "berlin", at("open", "k")))
	require.Empty(t, apply(1, "", at("open", "k", "oak")), "it isn't older than those from there")
	require.Empty(t, apply(3, "berlin", at("open", "k")))
	_, err := s.Apply(t.Context(), scan(0, at("shut", "k")), nil)
	require.NoError(t, err, "it was applied before")
	entries := slices.Collect(scan(-1, at("shut", "k")))
	_, err = s.Apply(t.Context(), slices.Values(entries), nil)
	require.ErrorIs(t, err, monitor.ErrOlder)
	require.Equal(t, []string{"fact " + a + " from berlin test:/evidence/key"}, apply(4, "berlin", at("open", "another")))
	require.Empty(t, apply(5, "", at("open", "k", "oak")))
	require.Equal(t, []string{"retired " + a}, apply(40, "berlin", at("open", "another")), "nobody has looked from there for a month")
}
