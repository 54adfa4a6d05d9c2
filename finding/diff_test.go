package finding_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// judged is a record of the protocol "test", which was heard unless the door is empty.
func judged(addr, door string, outcome probe.Outcome, ids ...string) finding.Record {
	r := &probe.Result{
		Protocol: "test", Target: probe.Target{Network: probe.TCP, Addr: netip.MustParseAddrPort(addr)}, Level: probe.LevelHandshake,
		Outcome: outcome, Partial: []string{}, Evidence: &evidence{Door: door}, Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	if !outcome.Answered() {
		r.Partial = []string{"/evidence"}
		op := "read"
		if outcome == probe.OutcomeRefused || outcome == probe.OutcomeUnreachable {
			op = "dial"
		}
		r.Err = probe.Errorf(op, outcome, "no")
	}
	j := finding.Record{Result: r, Findings: []finding.Finding{}}
	for _, id := range ids {
		j.Findings = append(j.Findings, finding.Finding{ID: id, Severity: finding.Low, Known: finding.Seen, Basis: []string{"/evidence/door"}, CWE: []int{}})
	}
	return j
}

// house rules: the door is open, and its boards.
var houseRules = []finding.Rule{
	{ID: "test.open", Title: "an open door", Severity: finding.Medium, Varies: []finding.Severity{finding.Medium, finding.High},
		Check: finding.On(func(e *evidence) finding.Answer {
			switch e.Door {
			case "":
				return finding.NotLearned()
			case "shut":
				return finding.NotSo()
			case "wide":
				return finding.Fires(finding.Seen, "/evidence/door").Rated(finding.High)
			}
			return finding.Fires(finding.Seen, "/evidence/door")
		})},
	{ID: "test.boards", Title: "loose boards", Severity: finding.Low, Needs: finding.Needs{Level: probe.LevelAnonymous},
		Check: finding.On(func(e *evidence) finding.Answer {
			if e.Boards == nil {
				return finding.NotLearned()
			}
			return finding.FiresOn(finding.Seen, finding.Items(e.Boards, "/evidence/boards", func(string) bool { return true }))
		})},
}

func house(door string, boards ...string) finding.Record {
	r := judged("192.0.2.7:7007", door, probe.OutcomeOK)
	r.Evidence = &evidence{Door: door, Boards: boards}
	return finding.NewRecord(r.Result, houseRules)
}

func with(r finding.Record, change func(r *probe.Result)) finding.Record {
	c := *r.Result
	change(&c)
	return finding.NewRecord(&c, houseRules)
}

func diff(t *testing.T, o finding.DiffOptions, older, newer []finding.Record) finding.Delta {
	t.Helper()
	if o.Rules == nil {
		o.Rules = houseRules
	}
	return finding.Diff(finding.Entries(slices.Values(older)), finding.Entries(slices.Values(newer)), &o)
}

// lines say what a comparison tells.
func lines(d finding.Delta) (list []string) {
	list = []string{}
	for _, c := range d.Changes {
		text := fmt.Sprintf("%s %s %s", c.Status, c.Endpoint, c.Finding.ID)
		for _, item := range c.Added {
			text += " +" + item.Value
		}
		for _, item := range c.Removed {
			text += " -" + item.Value
		}
		if c.Was != 0 {
			text += fmt.Sprintf(" %s→%s", c.Was, c.Finding.Severity)
		}
		if c.Reason != "" {
			text += ": " + c.Reason
		}
		list = append(list, text)
	}
	for _, n := range d.Notes {
		where := n.Group + n.Fact
		if n.Endpoint != (finding.Endpoint{}) {
			where = strings.TrimSpace(n.Endpoint.String() + " " + where)
		}
		list = append(list, fmt.Sprintf("%s %s %v→%v", n.Kind, where, n.Old, n.New))
	}
	return list
}

// What became of one endpoint's findings, by what the second scan saw.
func TestDiffOfOneEndpoint(t *testing.T) {
	const at = "192.0.2.7:7007 "
	before := house("ajar", "oak")
	cut := func(o probe.Outcome, partial ...string) func(*probe.Result) {
		return func(r *probe.Result) { r.Outcome, r.Partial, r.Err = o, partial, probe.Errorf("read", o, "no") }
	}
	nothing := func(o probe.Outcome) func(*probe.Result) {
		return func(r *probe.Result) { cut(o, "/evidence")(r); r.Evidence = &evidence{} }
	}
	for name, c := range map[string]struct {
		now  finding.Record
		want []string
	}{
		"still there":  {house("ajar", "oak"), []string{}},
		"mended":       {house("shut", "oak"), []string{"resolved " + at + "test.open", "fact " + at + "test:/evidence/door [ajar]→[shut]"}},
		"a board more": {house("ajar", "elm", "oak"), []string{"changed " + at + "test.boards +elm"}},
		"another one":  {house("ajar", "elm"), []string{"changed " + at + "test.boards +elm -oak"}},
		"worse":        {house("wide", "oak"), []string{"changed " + at + "test.open medium→high", "fact " + at + "test:/evidence/door [ajar]→[wide]"}},
		"the port is closed": {with(before, nothing(probe.OutcomeRefused)),
			[]string{"resolved " + at + "test.open", "resolved " + at + "test.boards"}},
		"unreachable": {with(before, nothing(probe.OutcomeUnreachable)), []string{
			"unknown " + at + "test.open: not reached this time: unreachable", "unknown " + at + "test.boards: not reached this time: unreachable"}},
		"busy": {with(before, nothing(probe.OutcomeBusy)), []string{
			"unknown " + at + "test.open: the server was busy", "unknown " + at + "test.boards: the server was busy"}},
		"denied": {with(before, nothing(probe.OutcomeDenied)), []string{
			"unknown " + at + "test.open: the server turned this client away", "unknown " + at + "test.boards: the server turned this client away"}},
		"the boards were lost": {with(house("ajar", []string{}...), cut(probe.OutcomeRefused, "/evidence/boards")), []string{
			"unknown " + at + "test.boards: not learned this time"}},
		"some boards were lost":         {with(house("ajar", "elm"), cut(probe.OutcomeBusy, "/evidence/boards/1")), []string{"changed " + at + "test.boards +elm"}},
		"learned before it ended early": {with(house("shut", "oak"), cut(probe.OutcomeClosed, "/evidence")), []string{"resolved " + at + "test.open", "fact " + at + "test:/evidence/door [ajar]→[shut]"}},
		"stored by an earlier version": {with(house("shut", "oak"), func(r *probe.Result) { r.Partial = nil }), []string{
			"unknown " + at + "test.open: stored by a version that doesn't tell what was missed", "fact " + at + "test:/evidence/door [ajar]→[shut]"}},
		"asked for less": {with(before, func(r *probe.Result) { r.Level, r.Evidence = probe.LevelGreeting, &evidence{Door: "ajar"} }), []string{
			"unknown " + at + "test.boards: asked at level greeting this time"}},
		"another service": {with(before, func(r *probe.Result) {
			r.Protocol, r.Evidence = "other", &probe.RawEvidence{Name: "other", JSON: []byte("{}")}
		}), []string{"resolved " + at + "test.open", "resolved " + at + "test.boards", "fact " + at + "/protocol [test]→[other]"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, lines(diff(t, finding.DiffOptions{}, []finding.Record{before}, []finding.Record{c.now})))
		})
	}
}

// A finding that fires in the second scan isn't new only because the first one didn't learn it.
func TestDiffOfWhatWasNotLearnedBefore(t *testing.T) {
	now := house("ajar", "oak")
	lost := with(now, func(r *probe.Result) {
		r.Outcome, r.Partial, r.Evidence, r.Err = probe.OutcomeTimeout, []string{"/evidence"}, &evidence{}, probe.OutcomeTimeout
	})
	lower := with(house("ajar"), func(r *probe.Result) { r.Level = probe.LevelGreeting })
	require.Equal(t, []string{
		"unknown 192.0.2.7:7007 test.open: whether it is new isn't known: not reached this time: timeout",
		"unknown 192.0.2.7:7007 test.boards: whether it is new isn't known: not reached this time: timeout",
	}, lines(diff(t, finding.DiffOptions{}, []finding.Record{lost}, []finding.Record{now})))
	require.Equal(t, []string{"cause level []→[test.boards]"}, lines(diff(t, finding.DiffOptions{}, []finding.Record{lower}, []finding.Record{now})))

	// Newer rules fire on both, and change nothing; rules that nobody knows any more keep their verdict.
	unjudged, strange := finding.Record{Result: now.Result}, now
	strange.Findings = append(slices.Clone(now.Findings), finding.Finding{ID: "old.rule", Title: "an old rule", Severity: finding.High, Known: finding.Seen})
	require.Equal(t, []string{"cause rules []→[test.boards test.open]"}, lines(diff(t, finding.DiffOptions{}, []finding.Record{unjudged}, []finding.Record{now})))
	require.Equal(t, []string{"unknown 192.0.2.7:7007 old.rule: no rule of this name is known here"},
		lines(diff(t, finding.DiffOptions{}, []finding.Record{strange}, []finding.Record{now})))
	require.Empty(t, lines(diff(t, finding.DiffOptions{}, []finding.Record{strange}, []finding.Record{strange})))
}

func TestDiffListsWhatItIsAskedFor(t *testing.T) {
	d := diff(t, finding.DiffOptions{Unchanged: true}, []finding.Record{house("ajar", "oak")}, []finding.Record{house("ajar", "oak")})
	require.Equal(t, []string{"unchanged 192.0.2.7:7007 test.open", "unchanged 192.0.2.7:7007 test.boards"}, lines(d))
	require.Equal(t, 2, d.Unchanged)
	c := d.Changes[0]
	require.Equal(t, "an open door", c.Finding.Title)
	require.Equal(t, finding.Key("test.open", c.Target), c.Finding.Key)
	for _, c := range []struct {
		change finding.Change
		want   bool
	}{
		{finding.Change{Status: finding.New, Finding: finding.Finding{Severity: finding.High}}, true},
		{finding.Change{Status: finding.New, Finding: finding.Finding{Severity: finding.Low}}, false},
		{finding.Change{Status: finding.Changed, Finding: finding.Finding{Severity: finding.High}, Added: []finding.Item{{Value: "payroll"}}}, true},
		{finding.Change{Status: finding.Changed, Finding: finding.Finding{Severity: finding.High}, Was: finding.Medium}, true},
		{finding.Change{Status: finding.Changed, Finding: finding.Finding{Severity: finding.High}, Was: finding.Critical}, false},
		{finding.Change{Status: finding.Changed, Finding: finding.Finding{Severity: finding.High}, Removed: []finding.Item{{Value: "pub"}}}, false},
		{finding.Change{Status: finding.Unknown, Finding: finding.Finding{Severity: finding.High}}, false},
	} {
		require.Equal(t, c.want, c.change.Alarming(finding.Medium), c.change)
	}
}

// at is a house at an address, by a name or not.
func at(addr, name, door string) finding.Record {
	r := judged(addr, door, probe.OutcomeOK)
	r.Target.Name = name
	return finding.NewRecord(r.Result, houseRules)
}

func TestDiffOfNames(t *testing.T) {
	type list = []finding.Record
	for name, c := range map[string]struct {
		older, newer list
		want         []string
	}{
		"a move":        {list{at("192.0.2.1:1", "a.example", "ajar")}, list{at("192.0.2.2:1", "a.example", "ajar")}, []string{"moved a.example:1 /target/addr [192.0.2.1]→[192.0.2.2]"}},
		"a round robin": {list{at("192.0.2.1:1", "a.example", "ajar"), at("192.0.2.2:1", "a.example", "ajar")}, list{at("192.0.2.2:1", "a.example", "ajar"), at("192.0.2.3:1", "a.example", "ajar")}, []string{}},
		"by address":    {list{at("192.0.2.1:1", "a.example", "ajar")}, list{at("192.0.2.1:1", "", "ajar")}, []string{"renamed a.example:1 [a.example]→[192.0.2.1]"}},
		"by name":       {list{at("192.0.2.1:1", "", "ajar")}, list{at("192.0.2.1:1", "a.example", "ajar")}, []string{"renamed 192.0.2.1:1 [192.0.2.1]→[a.example]"}},
		"by address, of two names": {list{at("192.0.2.1:1", "b.example", "ajar"), at("192.0.2.1:1", "a.example", "ajar")}, list{at("192.0.2.1:1", "", "ajar")},
			[]string{"unknown b.example:1 test.open: not scanned this time, or taken out: the file doesn't say whether the scan is complete", "renamed a.example:1 [a.example]→[192.0.2.1]"}},
		"by two names": {list{at("192.0.2.1:1", "", "ajar")}, list{at("192.0.2.1:1", "b.example", "ajar"), at("192.0.2.1:1", "a.example", "ajar")},
			[]string{"new b.example:1 test.open", "renamed 192.0.2.1:1 [192.0.2.1]→[a.example]"}},
		"another name":   {list{at("192.0.2.1:1", "a.example", "ajar")}, list{at("192.0.2.1:1", "b.example", "ajar")}, []string{"new b.example:1 test.open", "unknown a.example:1 test.open: not scanned this time, or taken out: the file doesn't say whether the scan is complete"}},
		"one that never": {list{at("192.0.2.1:1", "a.example", "ajar"), silent("[2001:db8::1]:1", "a.example")}, list{at("192.0.2.1:1", "a.example", "shut"), silent("[2001:db8::1]:1", "a.example")}, []string{"resolved a.example:1 test.open", "fact a.example:1 test:/evidence/door [ajar]→[shut]"}},
		"one that did":   {list{at("192.0.2.1:1", "a.example", "ajar"), at("[2001:db8::1]:1", "a.example", "ajar")}, list{at("192.0.2.1:1", "a.example", "shut"), silent("[2001:db8::1]:1", "a.example")}, []string{"unknown a.example:1 test.open: not reached this time: timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := lines(diff(t, finding.DiffOptions{}, c.older, c.newer))
			if name == "one that did" { // the door that was heard is a fact of its own
				got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "fact ") })
			}
			require.Equal(t, c.want, got)
		})
	}
}

func silent(addr, name string) finding.Record {
	r := judged(addr, "", probe.OutcomeTimeout)
	r.Target.Name = name
	return r
}

// Whatever the order in which members finish, and when one isn't heard.
func TestDiffOfComparisons(t *testing.T) {
	o := finding.DiffOptions{Comparisons: []finding.Comparison{sharedDoor}}
	member := func(n int, door string) finding.Record {
		return at(fmt.Sprintf("192.0.2.%d:22", n), "", door)
	}
	all := []finding.Record{member(1, "oak"), member(2, "oak"), member(3, "oak")}
	back := slices.Clone(all)
	slices.Reverse(back)
	require.Empty(t, lines(diff(t, o, all, back)))
	pair, lost := all[:2], []finding.Record{all[0], silent("192.0.2.2:22", "")}
	require.Contains(t, lines(diff(t, o, pair, lost)), "unknown 192.0.2.1:22 test.shared: the others that have it weren't learned this time")
	require.Contains(t, lines(diff(t, o, pair, lost)), "unknown 192.0.2.2:22 test.shared: not reached this time: timeout")
	mended := lines(diff(t, o, pair, []finding.Record{all[0], member(2, "elm")}))
	require.Contains(t, mended, "resolved 192.0.2.1:22 test.shared")
	require.Contains(t, mended, "resolved 192.0.2.2:22 test.shared")
	require.Contains(t, lines(diff(t, o, []finding.Record{all[0], member(2, "elm")}, pair)), "new 192.0.2.1:22 test.shared")
}

func TestDiffIsBlindByGroup(t *testing.T) {
	var before, refused, half []finding.Record
	for i := range 4 {
		addr := fmt.Sprintf("192.0.2.%d:1", i)
		before = append(before, at(addr, "", "ajar"))
		refused = append(refused, judged(addr, "", probe.OutcomeRefused))
		half = append(half, refused[i])
		if i == 0 {
			half[i] = at(addr, "", "shut")
		}
	}
	few := append(slices.Clone(before[:3]), refused[3])
	require.Equal(t, []string{"resolved 192.0.2.3:1 test.open"}, lines(diff(t, finding.DiffOptions{}, before, few)), "one of four")
	for name, now := range map[string][]finding.Record{"all": refused, "three": half} {
		got := diff(t, finding.DiffOptions{}, before, now)
		require.Equal(t, 4, got.Lost, name)
		for _, c := range got.Changes {
			require.Equal(t, finding.Unknown, c.Status, name)
		}
		var groups []string
		for _, n := range got.Notes {
			if n.Kind == finding.NoteBlind {
				groups = append(groups, n.Group)
			}
		}
		require.Equal(t, []string{"192.0.2.0/24", "all"}, groups, name)
	}
	accepted := diff(t, finding.DiffOptions{AcceptLoss: []string{"192.0.2.0/24"}}, before, refused)
	require.Zero(t, accepted.Lost)
	require.Len(t, accepted.Changes, 4)
	require.Equal(t, finding.Resolved, accepted.Changes[0].Status)
	require.Equal(t, []string{"example.net", "all"}, finding.Endpoint{Host: "ftp.example.net"}.Groups())
	require.Equal(t, []string{"example.net", "all"}, finding.Endpoint{Host: "example.net"}.Groups())
	require.Equal(t, []string{"2001:db8::/64", "all"}, finding.Endpoint{Host: "2001:db8::7"}.Groups())
}

func TestBaselineMarks(t *testing.T) {
	scan := func(records ...finding.Record) *finding.Baseline {
		return finding.NewBaseline(finding.Entries(slices.Values(records)), houseRules, nil)
	}
	marks := func(b *finding.Baseline, r finding.Record) (list []string) {
		for _, f := range b.Mark(r) {
			list = append(list, f.ID+" "+string(f.Baseline))
		}
		return list
	}
	b := scan(house("ajar", "oak"))
	require.Equal(t, []string{"test.open unchanged", "test.boards unchanged"}, marks(b, house("ajar", "oak")))
	require.Equal(t, []string{"test.open changed", "test.boards changed"}, marks(b, house("wide", "oak", "elm")))
	require.Equal(t, []string{"test.open unchanged", "test.boards unknown"}, marks(scan(house("ajar")), house("ajar", "oak")))
	require.Equal(t, []string{"test.open new"}, marks(scan(house("shut")), house("ajar")))
	require.Equal(t, []string{"test.open new"}, marks(scan(), house("ajar")))
}
