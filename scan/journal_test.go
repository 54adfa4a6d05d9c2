package scan_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// stored sends a state through its JSON form.
func stored(t *testing.T, s scan.State) *scan.State {
	t.Helper()
	data, err := json.Marshal(s)
	require.NoError(t, err)
	got := new(scan.State)
	require.NoError(t, json.Unmarshal(data, got))
	require.Equal(t, s.Next, got.Next)
	return got
}

// list is a few blocks of inputs: ranges, names and addresses, usable or not.
func list(n int) iter.Seq2[scan.Input, error] {
	return func(yield func(scan.Input, error) bool) {
		for i := range n {
			in := scan.Input{Text: fmt.Sprintf("10.0.%d.%d:21", i/256, i%256), Place: "list"}
			switch i % 97 {
			case 3:
				in.Text = fmt.Sprintf("192.0.2.%d/30", i%256)
			case 5:
				in.Text = "ftp.example.net:21"
			case 7:
				in.Text = "nosuch.example.net"
			case 11:
				in.Text = "x://y"
			case 13:
				in.Last = true
			}
			if !yield(in, nil) {
				return
			}
		}
	}
}

// A scan that is cut again and again, each time with results that are lost since they weren't safe, and others that
// are done out of order, gives each endpoint exactly once.
func TestResumedScansLoseAndRepeatNothing(t *testing.T) {
	for seed := range uint64(9) {
		random := rand.New(rand.NewPCG(seed, 1))
		o := scan.EndpointOptions{Resolver: zone, Seed: seed, Shard: scan.Shard{Index: 1, Count: 1 + int(seed%3)}}
		want := describe(scan.Endpoints(t.Context(), list(2500), probers(nil), &o))
		var got []string
		var state *scan.State
		for cuts := 0; state == nil || !state.Finished; cuts++ {
			require.Less(t, cuts, 200)
			journal := scan.NewJournal(state)
			o.Journal = journal
			var open []scan.Endpoint
			done := func() {
				i := random.IntN(len(open))
				e := open[i]
				open[i] = open[len(open)-1]
				open = open[:len(open)-1]
				got = append(got, fmt.Sprintf("%s %v %s", e.Prober.Spec().Protocol, e.Target, e.ImplicitTLS))
				journal.Done(scan.Result{Result: &probe.Result{}, Endpoint: e}, 1)
			}
			left := random.IntN(1500)
			for e, err := range scan.Endpoints(t.Context(), list(2500), probers(nil), &o) {
				if err != nil {
					continue
				}
				if open = append(open, e); len(open) > 20 {
					done()
				}
				if left--; left < 0 {
					break
				}
			}
			if left > 0 {
				for len(open) > 0 {
					done()
				}
			}
			state = stored(t, journal.State())
			require.LessOrEqual(t, len(state.Pending), 20+100, "a state stays small")
		}
		var endpoints []string
		for _, s := range want {
			if !strings.HasPrefix(s, "error") {
				endpoints = append(endpoints, s)
			}
		}
		require.Equal(t, sorted(endpoints), sorted(got))
		require.EqualValues(t, len(endpoints), state.Done)
		require.EqualValues(t, len(endpoints), state.Findings)
		require.EqualValues(t, len(endpoints), state.Begun+state.Extra)

		o.Journal = scan.NewJournal(state)
		require.Empty(t, describe(scan.Endpoints(t.Context(), list(2500), probers(nil), &o)), "nothing is left")
	}
}

// cut scans the first 20 endpoints of a list.
func cut(t *testing.T, inputs iter.Seq2[scan.Input, error], o scan.EndpointOptions) *scan.State {
	t.Helper()
	o.Resolver, o.Journal = zone, new(scan.Journal)
	n := 0
	for e, err := range scan.Endpoints(t.Context(), inputs, probers(nil), &o) {
		if err != nil {
			continue
		}
		if n++; n > 20 {
			break
		}
		o.Journal.Done(scan.Result{Result: &probe.Result{}, Endpoint: e}, 0)
	}
	s := o.Journal.State()
	require.EqualValues(t, 20, s.Done)
	require.False(t, s.Finished)
	return stored(t, s)
}

func TestResumeRefusesAnotherScan(t *testing.T) {
	x, err := scan.Exclude(t.Context(), scan.Args([]string{"192.0.2.9"}), zone)
	require.NoError(t, err)
	seed := scan.EndpointOptions{Seed: 3}
	state := cut(t, list(300), seed)
	for _, test := range []struct {
		inputs  iter.Seq2[scan.Input, error]
		options scan.EndpointOptions
		probers []probe.Prober
		want    string
	}{
		{list(300), scan.EndpointOptions{Seed: 4}, probers(nil), "it began with seed 3, and this is 4"},
		{list(300), scan.EndpointOptions{Seed: 3, Shard: scan.Shard{Index: 1, Count: 2}}, probers(nil), "it began with shard 1/1, and this is 1/2"},
		{list(300), scan.EndpointOptions{Seed: 3, InOrder: true}, probers(nil), "it began with in-order false, and this is true"},
		{list(300), scan.EndpointOptions{Seed: 3, Exclude: x}, probers(nil), "it began with other exclusions"},
		{list(300), seed, probers(nil)[:2], "it began with other protocols or ports"},
		{scan.Args([]string{"192.0.2.0/24"}), seed, probers(nil), "the first 14 targets aren't those that it began with"},
		{scan.Concat(scan.Args([]string{"192.0.2.0/24"}), list(300)), seed, probers(nil), "the first 14 targets aren't those that it began with"},
		{list(3), seed, probers(nil), "the first 14 targets aren't those that it began with"},
	} {
		o := test.options
		o.Resolver, o.Journal = zone, scan.NewJournal(state)
		got := describe(scan.Endpoints(t.Context(), test.inputs, test.probers, &o))
		require.Equal(t, []string{"error: the scan can't be resumed: " + test.want}, got)
		require.Equal(t, state, stored(t, o.Journal.State()), "a refusal leaves the state as it is")
	}
	require.ErrorIs(t, (&scan.State{Format: 99}).Check(nil, nil), scan.ErrResume)
}

// A state of another format, or of none, isn't gone on with, whatever else it says.
func TestResumeWantsAFormat(t *testing.T) {
	for format, want := range map[int]string{
		0: "its state doesn't say which format it has", 99: "its state has format 99, and this version knows 3",
	} {
		for _, state := range []scan.State{*cut(t, list(300), scan.EndpointOptions{}), {}} {
			state.Format = format
			o := scan.EndpointOptions{Resolver: zone, Journal: scan.NewJournal(&state)}
			got := describe(scan.Endpoints(t.Context(), list(300), probers(nil), &o))
			require.Equal(t, []string{"error: the scan can't be resumed: " + want}, got)
			require.Equal(t, format, o.Journal.State().Format, "and stays what it is")
		}
	}
}

// A scan that is finished isn't that of other targets.
func TestResumeOfAFinishedScan(t *testing.T) {
	done := func(inputs iter.Seq2[scan.Input, error], j *scan.Journal) []string {
		var errs []string
		for e, err := range scan.Endpoints(t.Context(), inputs, probers(nil), &scan.EndpointOptions{Resolver: zone, Journal: j}) {
			if err != nil {
				errs = append(errs, err.Error())
				continue
			}
			j.Done(scan.Result{Result: &probe.Result{}, Endpoint: e}, 0)
		}
		return errs
	}
	const other = "the scan can't be resumed: the first %d targets aren't those that it began with"
	for _, n := range []int{0, 3, 1024, 1030} {
		j := new(scan.Journal)
		done(list(n), j)
		state := stored(t, j.State())
		require.True(t, state.Finished)
		for name, tc := range map[string]struct {
			inputs iter.Seq2[scan.Input, error]
			same   bool
		}{
			"the same": {list(n), true}, "one more": {list(n + 1), false}, "others": {scan.Args([]string{"198.51.100.7"}), false},
			"one less": {list(max(n-1, 0)), n == 0},
		} {
			again := scan.NewJournal(state)
			errs := done(tc.inputs, again)
			if tc.same {
				require.Empty(t, errs, name)
			} else {
				require.Equal(t, []string{fmt.Sprintf(other, n)}, errs, "%s than %d", name, n)
			}
			require.Equal(t, state, stored(t, again.State()), "it stays as it is")
		}
	}
}

func TestJournalIsOptional(t *testing.T) {
	var j *scan.Journal
	j.Done(scan.Result{}, 1)
	j.SetTotal(3)
	require.Zero(t, j.State())
	require.Equal(t, scan.Progress{Total: -1, Left: -1}, j.Progress())
}

func TestProgressTotals(t *testing.T) {
	all := func(o scan.EndpointOptions, args ...string) []int64 {
		o.Resolver, o.Journal = zone, new(scan.Journal)
		total, _ := scan.Count(scan.Args(args), probers(nil), nil)
		o.Journal.SetTotal(total)
		totals := []int64{o.Journal.Progress().Total}
		for e, err := range scan.Endpoints(t.Context(), scan.Args(args), probers(nil), &o) {
			if err == nil {
				o.Journal.Done(scan.Result{Result: &probe.Result{}, Endpoint: e}, 2)
			}
			totals = append(totals, o.Journal.Progress().Total)
		}
		p := o.Journal.Progress()
		require.Equal(t, p.Total, p.Done)
		require.Equal(t, 2*p.Total, p.Findings)
		require.Zero(t, p.Left)
		return totals
	}
	for _, total := range all(scan.EndpointOptions{}, "192.0.2.0/28:21", "192.0.2.0/28:25") {
		require.EqualValues(t, 32, total)
	}
	names := all(scan.EndpointOptions{}, "ftp.example.net:21", "ftp.example.net:25", "nosuch.example.net:21", "x://y")
	require.EqualValues(t, []int64{3, 4}, []int64{names[0], names[len(names)-1]})
	shard := all(scan.EndpointOptions{Shard: scan.Shard{Index: 2, Count: 4}}, "10.0.0.0/16:21")
	for _, total := range shard[100:] {
		require.InDelta(t, 1<<14, total, 1<<13)
	}
}
