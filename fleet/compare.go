package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
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
	told    func([]finding.Finding) []finding.Finding
	judges  map[string]*finding.Judge // by the scan that results name
}

func (s *Scan) comparing() (*comparing, error) {
	p, err := s.profile()
	if err != nil {
		return nil, err
	}
	_, rules := s.judges(nil)
	c := &comparing{Readers(), s.told, map[string]*finding.Judge{}}
	for _, label := range s.labels() {
		c.judges[s.recordID(label)] = finding.NewJudge(nil, p.RateComparisons(rules))
	}
	return c, nil
}

// learn reads what was collected before. A worker may have sent lines that nobody can read.
func (c *comparing) learn(r io.Reader) error {
	for e, err := range report.ReadEntries(r, c.probers...) {
		var bad *report.LineError
		if err != nil && !errors.As(err, &bad) {
			return err
		}
		if j := c.judges[e.Scan]; err == nil && e.Result != nil && j != nil {
			j.Learn(e.Result)
		}
	}
	return nil
}

// A tracing is the trace of a result with the scan that it is of: the last member of its object, until it is collected. So the
// collector parses no result that has nothing in common with another.
type tracing struct {
	Scan string `json:"scan"`
	finding.Trace
}

const tracingMember = `,"compare":` // which no string in JSON holds

func appendTrace(line []byte, t tracing) ([]byte, error) {
	text, err := json.Marshal(t)
	return append(append(append(line[:len(line)-1], tracingMember...), text...), '}'), err
}

// cutTrace takes off what appendTrace added, if it did.
func cutTrace(line []byte) (rest []byte, t tracing, ok bool) {
	i := bytes.LastIndex(line, []byte(tracingMember))
	text, whole := bytes.CutSuffix(line[max(i, 0):], []byte("}"))
	if i < 0 || !whole || json.Unmarshal(text[len(tracingMember):], &t) != nil {
		return line, t, false
	}
	return append(line[:i], '}'), t, true
}

// judge returns the line of a result with what the comparisons found.
func (c *comparing) judge(line []byte) ([]byte, error) {
	line, t, ok := cutTrace(line)
	if j := c.judges[t.Scan]; ok && j != nil && !j.Meet(t.Trace) {
		return line, nil
	}
	r, err := finding.DecodeRecord(line, c.probers...)
	if err != nil {
		return nil, notAResult("a result can't be read: %w", err)
	}
	j := c.judges[r.Scan]
	if j == nil {
		return nil, notAResult("a result is of another scan")
	}
	found := c.told(j.Evaluate(r.Result))
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
		if line, err = j.judge(line); err != nil {
			return err
		}
	}
	return j.Outlet.Add(line, compare)
}
