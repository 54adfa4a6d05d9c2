package fleet

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
)

// A comparing judges results in the light of each other, over all shards, as they are collected: a result tells of the second host
// that has a key, and not of the first, as one machine's do. Those of a vantage are judged among themselves.
type comparing struct {
	probers []probe.Prober
	rules   []finding.Comparison
	told    func([]finding.Finding) []finding.Finding
	judges  map[string]*finding.Judge // by the scan that results name
}

func (s *Scan) comparing() (*comparing, error) {
	p, err := s.profile()
	if err != nil {
		return nil, err
	}
	_, rules := s.judges(nil)
	return &comparing{Readers(), p.RateComparisons(rules), s.told, map[string]*finding.Judge{}}, nil
}

func (c *comparing) of(scan string) *finding.Judge {
	j := c.judges[scan]
	if j == nil {
		j = finding.NewJudge(nil, c.rules)
		c.judges[scan] = j
	}
	return j
}

// learn reads what was collected before.
func (c *comparing) learn(r io.Reader) error {
	for e, err := range report.ReadEntries(r, c.probers...) {
		if err != nil {
			return err
		}
		if e.Result != nil {
			c.of(e.Scan).Learn(e.Result)
		}
	}
	return nil
}

// judge returns the line of a result with what the comparisons found.
func (c *comparing) judge(line []byte) ([]byte, error) {
	r, err := finding.DecodeRecord(line, c.probers...)
	if err != nil {
		return nil, fmt.Errorf("a result can't be read: %w", err)
	}
	found := c.told(c.of(r.Scan).Evaluate(r.Result))
	if len(found) == 0 {
		return line, nil
	}
	r.Findings = append(r.Findings, found...)
	slices.SortStableFunc(r.Findings, finding.Compare)
	line, err = r.MarshalJSON()
	return report.CleanJSON(line), err
}

// A judging outlet has results judged on their way to another.
type judging struct {
	Outlet
	*comparing
}

func (j judging) Add(line []byte, compare bool) (err error) {
	if compare {
		line, err = j.judge(line)
	}
	return errors.Join(err, j.Outlet.Add(line, compare))
}
