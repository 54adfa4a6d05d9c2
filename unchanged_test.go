package handclasp_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// What two scans say the same of is passed over, which tells no less than to compare it: what is counted and told is what is left
// of the list with all that didn't change. Scans of all recordings, with random changes.
func TestPassingOverTellsNoLess(t *testing.T) {
	all, err := recordings()
	require.NoError(t, err)
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 0))
		var older, newer []finding.Entry
		for _, scan := range []*[]finding.Entry{&older, &newer} {
			if random.IntN(2) > 0 { // scans that say how they were made
				h := &finding.Header{Scan: fmt.Sprint("scan", len(older))}
				h.Digests.Rules, h.Digests.Advisories = fmt.Sprint(random.IntN(2)), fmt.Sprint(random.IntN(2))
				*scan = append(*scan, finding.Entry{Header: h})
			}
		}
		for i, f := range all {
			r := f.record
			r.Findings = slices.Clone(r.Findings)
			r.Result = placed(*r.Result, i, random.IntN(8) == 0)
			changed(&r, all, random, 0.2)
			older = stored(older, r, 0)
			if random.IntN(20) > 0 {
				now := r
				now.Findings = slices.Clone(r.Findings)
				changed(&now, all, random, 0.1)
				newer = stored(newer, now, 24*time.Hour)
			}
		}
		o := &finding.DiffOptions{Rules: handclasp.Rules(), Comparisons: handclasp.Comparisons()}
		short := finding.Diff(slices.Values(older), slices.Values(newer), o)
		o.Unchanged = true
		whole := finding.Diff(slices.Values(older), slices.Values(newer), o)
		passedOver := 0
		whole.Changes = slices.DeleteFunc(whole.Changes, func(c finding.Change) bool {
			if c.Status == finding.Unchanged {
				passedOver++
			}
			return c.Status == finding.Unchanged
		})
		require.NotZero(t, passedOver)
		require.Equal(t, whole, short, seed)
	}
}

// placed puts a result at an address of its own, as one of three of a name, perhaps.
func placed(r probe.Result, i int, named bool) *probe.Result {
	r.Target.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), r.Target.Addr.Port())
	if r.Target.Name = ""; named {
		r.Target.Name = fmt.Sprintf("host%d.example.net", i/3)
	}
	return &r
}

// changed changes what was heard at an endpoint, or what was made of it, each with a probability.
func changed(r *finding.Record, all []fixture, random *rand.Rand, probability float64) {
	chance := func() bool { return random.Float64() < probability }
	c := *r.Result
	r.Result = &c
	if chance() { // another server
		other := all[random.IntN(len(all))].record
		c = *other.Result
		c.Target, r.Findings = r.Target, slices.Clone(other.Findings)
	}
	if chance() { // judged by fewer rules
		r.Findings = slices.DeleteFunc(r.Findings, func(finding.Finding) bool { return random.IntN(3) == 0 })
	}
	if chance() { // by rules that nobody knows any more, and by one of them twice
		for range 2 {
			r.Findings = append(r.Findings, finding.Finding{ID: fmt.Sprint("strange.", random.IntN(2)), Severity: finding.Low, Basis: []string{"/evidence"}})
		}
	}
	if len(r.Findings) > 0 && chance() { // and taken as a risk, or as worse than it was
		f := &r.Findings[random.IntN(len(r.Findings))]
		f.Severity, f.Accepted = finding.Critical, []finding.Acceptance{{Reason: "known", Until: "2027-01-01"}}
	}
	if chance() {
		c.Outcome, c.Partial, c.Evidence, c.Err, r.Findings = probe.OutcomeRefused, []string{"/evidence"}, nil, probe.Errorf("dial", probe.OutcomeRefused, "no"), nil
	}
	if chance() {
		c.Partial = nil
	}
}

// stored adds a record to a scan.
func stored(scan []finding.Entry, r finding.Record, later time.Duration) []finding.Entry {
	c := *r.Result
	c.Started = c.Started.Add(later)
	r.Result = &c
	if len(scan) > 0 && scan[0].Header != nil {
		r.Scan = scan[0].Header.Scan
	}
	return append(scan, finding.Entry{Record: r})
}
