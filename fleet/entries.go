package fleet

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/digest"
	"github.com/handclasp/handclasp/probe"
)

// Headers are the lines that say how a scan is made, as 'handclasp scan' writes them: one for each vantage, under whose id its
// results are. They are what tells the same endpoint seen from elsewhere apart.
func (s *Scan) Headers() (lines [][]byte, err error) {
	probers, err := s.Options.probers()
	if err != nil {
		return nil, err
	}
	digests, err := s.digests()
	if err != nil {
		return nil, err
	}
	for _, label := range s.labels() {
		header := &finding.Header{
			Scan: s.recordID(label), Version: s.Version, Level: s.Level, Knobs: map[string]string{}, Protocols: []string{},
			Targets: digest.Of(s.Targets, s.Inputs), Seed: s.Seed, Started: s.Submitted.Truncate(time.Millisecond), Digests: digests,
		}
		if label != anywhere {
			header.Vantage = label
		}
		for _, p := range probers {
			header.Protocols = append(header.Protocols, p.Spec().Protocol)
		}
		line, err := json.Marshal(finding.Entry{Header: header})
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// digests are short names of what the findings depend on beside the servers, as 'handclasp scan' has them.
func (s *Scan) digests() (d finding.Digests, err error) {
	rules, comparisons := s.judges(handclasp.Rules())
	d = finding.Digests{Rules: digest.Rules(rules, comparisons), Fingerprints: digest.Of(s.Version, s.Recog)}
	p, err := s.profile()
	if err != nil {
		return d, err
	}
	if p.Name != "" {
		d.Profile = digest.Of(p.Name, p.Severities)
	}
	if len(s.Policies) > 0 {
		d.Policy = digest.Of(s.Policies)
	}
	if s.Advisories+s.LifeCycle != "" {
		d.Advisories = digest.Of(s.Advisories, s.LifeCycle)
	}
	return d, nil
}

// Footers are the lines that say how a scan has ended.
func (c *Client) Footers(ctx context.Context, st *Status) (lines [][]byte, err error) {
	for _, label := range st.labels() {
		names, err := c.unresolved(ctx, st, label)
		if err != nil {
			return nil, err
		}
		t := st.Vantage[label]
		footer := &finding.Footer{
			Scan: st.recordID(label), Ended: st.Ended.Truncate(time.Millisecond), Outcomes: t.Outcomes,
			Complete: st.Phase == Finished && st.Waiting == 0 && st.Aside.Count == 0 && t.Outcomes[probe.OutcomeInternal] == 0,
			Unusable: st.Unusable + t.Unresolved, Unresolved: names,
		}
		if footer.Outcomes == nil {
			footer.Outcomes = map[probe.Outcome]int64{}
		}
		line, err := json.Marshal(finding.Entry{Footer: footer})
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// unresolved returns the names that had no address from a vantage.
func (c *Client) unresolved(ctx context.Context, st *Status, label string) ([]string, error) {
	names := []string{}
	l := newLedger(c.nc, c.js)
	for _, u := range st.nameless {
		if u.label != label {
			continue
		}
		p, _, err := l.read(ctx, u)
		if err != nil {
			return nil, err
		}
		for _, n := range p.Unresolved {
			names = append(names, n.Name)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), finding.MaxUnresolved)], nil
}
