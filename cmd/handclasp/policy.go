package main

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/userfile"
	"github.com/handclasp/handclasp/probe"
)

// policies are what --policy names.
type policies struct {
	names []string
	rules []finding.Rule // of those, once they are read
}

func (p *policies) register(f *pflag.FlagSet) {
	f.StringArrayVar(&p.names, "policy", nil,
		"judge by `POLICY`, too, built in ('handclasp policies' lists them) or a file of YAML or JSON; may be given several times")
}

// apply returns the app with the rules of the policies.
func (p *policies) apply(a *app) (*app, error) {
	b := *a
	b.rules, b.policies = slices.Clone(a.rules), slices.Clone(a.policies)
	p.rules = nil
	for _, name := range p.names {
		policy, err := userfile.Policy(name)
		if err == nil && slices.ContainsFunc(b.policies, func(o finding.Policy) bool { return o.Name == policy.Name }) {
			err = fmt.Errorf("two are called %q: give one of them another name", policy.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("--policy: %w", err)
		}
		b.policies, p.rules = append(b.policies, policy), append(p.rules, policy.Rule())
	}
	b.rules = append(b.rules, p.rules...)
	return &b, nil
}

// judge adds what the policies say of a stored result to its findings, in place of what they said before.
func (p *policies) judge(r *probe.Result, stored []finding.Finding) []finding.Finding {
	if len(p.rules) == 0 {
		return stored
	}
	return inPlaceOf(stored, func(id string) bool {
		return slices.ContainsFunc(p.rules, func(r finding.Rule) bool { return r.ID == id })
	}, finding.Evaluate(r, p.rules))
}

// inPlaceOf returns findings with others in place of those of some rules.
func inPlaceOf(stored []finding.Finding, old func(id string) bool, others []finding.Finding) []finding.Finding {
	all := slices.DeleteFunc(slices.Clone(stored), func(f finding.Finding) bool { return old(f.ID) })
	all = append(all, others...)
	slices.SortStableFunc(all, finding.Compare)
	return all
}
