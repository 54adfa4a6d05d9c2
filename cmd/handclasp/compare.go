package main

import (
	"errors"
	"slices"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// A comparing judges stored results in the light of each other, once it has seen them all.
type comparing struct {
	*finding.Judge
	ids []string
}

// shared reads all files once for --compare; nil without it.
func (o *reportOptions) shared(a *app, paths []string) (*comparing, error) {
	if !o.compare {
		return nil, nil
	}
	if slices.Contains(paths, "-") {
		return nil, errors.New("--compare: results are read twice: name a file in place of standard input")
	}
	c := &comparing{Judge: finding.NewJudge(nil, a.comparisons)}
	for _, rule := range a.comparisons {
		c.ids = append(c.ids, rule.ID)
	}
	// What is wrong with a line is said when it is read again.
	if err := a.eachStored(paths, true, c.Learn); err != nil {
		return nil, err
	}
	return c, nil
}

// judge puts what the comparisons say in place of what they said before.
func (c *comparing) judge(r *probe.Result, stored []finding.Finding) []finding.Finding {
	if c == nil {
		return stored
	}
	return inPlaceOf(stored, func(id string) bool { return slices.Contains(c.ids, id) }, c.Evaluate(r))
}
