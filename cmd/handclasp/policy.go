package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/handclasp/handclasp/finding"
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
		policy, err := readPolicy(name)
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

// readPolicy returns the policy that is built in, or else the one in a file.
func readPolicy(name string) (finding.Policy, error) {
	builtIn := finding.Policies()
	if i := slices.IndexFunc(builtIn, func(p finding.Policy) bool { return p.Name == name }); i >= 0 {
		return builtIn[i], nil
	}
	if !strings.ContainsAny(name, "./\\") {
		return finding.Policy{}, fmt.Errorf("no policy is called %q: 'handclasp policies' lists them; the name of a file ends in .yaml or .json", name)
	}
	y := yamlFile{name}
	root, err := y.read()
	switch {
	case err != nil:
		return finding.Policy{}, err
	case root == nil:
		return finding.Policy{}, fmt.Errorf("%s: it is empty: 'handclasp policies rfc9142' shows how a policy is written", name)
	}
	var p finding.Policy
	err = y.members(root, []string{"name", "title", "severity", "statements"}, func(key string, value *yaml.Node) (err error) {
		switch key {
		case "name":
			p.Name, err = scalar(value)
		case "title":
			p.Title, err = scalar(value)
		case "severity":
			p.Severity, err = severity(value)
		case "statements":
			p.Statements, err = y.statements(value)
		}
		return within(key, err)
	})
	if err == nil {
		err = within(name, p.Check())
	}
	return p, err
}

func (y yamlFile) statements(list *yaml.Node) (all []finding.Statement, err error) {
	if list.Kind != yaml.SequenceNode {
		return nil, errors.New("a list is needed: begin each statement with a dash")
	}
	for _, n := range list.Content {
		var s finding.Statement
		known := []string{"of", "require", "forbid", "allow", "at_least", "severity", "source"}
		err := y.members(n, known, func(key string, value *yaml.Node) error { return within(key, setStatement(&s, key, value)) })
		if err == nil {
			err = s.Check()
		}
		if err != nil {
			return nil, y.bad(n, err)
		}
		all = append(all, s)
	}
	return all, nil
}

func setStatement(s *finding.Statement, key string, value *yaml.Node) (err error) {
	var word string
	switch key {
	case "require":
		s.Require, err = scalars(value)
	case "forbid":
		s.Forbid, err = scalars(value)
	case "allow":
		s.Allow, err = scalars(value)
	case "severity":
		s.Severity, err = severity(value)
	case "of":
		word, err = scalar(value)
		s.Of = finding.ListName(word)
	case "source":
		s.Source, err = scalar(value)
	case "at_least":
		if word, err = scalar(value); err == nil {
			if s.AtLeast, err = strconv.Atoi(word); err != nil {
				err = fmt.Errorf("%q is no number: write bits, such as 2048", word)
			}
		}
	}
	return err
}

func severity(n *yaml.Node) (finding.Severity, error) {
	word, err := scalar(n)
	s, wrong := finding.ParseSeverity(word)
	return s, cmp.Or(err, wrong)
}

// within names what an error is about, unless it has a place already.
func within(name string, err error) error {
	if err == nil || errors.As(err, new(*placed)) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}
