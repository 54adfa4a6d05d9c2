package userfile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/handclasp/handclasp/finding"
)

// Policy returns the policy that is built in, or else the one in a file.
func Policy(name string) (finding.Policy, error) {
	builtIn := finding.Policies()
	if i := slices.IndexFunc(builtIn, func(p finding.Policy) bool { return p.Name == name }); i >= 0 {
		return builtIn[i], nil
	}
	if !strings.ContainsAny(name, "./\\") {
		return finding.Policy{}, fmt.Errorf("no policy is called %q: 'handclasp policies' lists them; the name of a file ends in .yaml or .json", name)
	}
	y := YAML{name}
	root, err := y.Read()
	switch {
	case err != nil:
		return finding.Policy{}, err
	case root == nil:
		return finding.Policy{}, fmt.Errorf("%s: it is empty: 'handclasp policies rfc9142' shows how a policy is written", name)
	}
	var p finding.Policy
	err = y.Members(root, []string{"name", "title", "severity", "statements"}, func(key string, value *yaml.Node) (err error) {
		switch key {
		case "name":
			p.Name, err = Scalar(value)
		case "title":
			p.Title, err = Scalar(value)
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

func (y YAML) statements(list *yaml.Node) (all []finding.Statement, err error) {
	if list.Kind != yaml.SequenceNode {
		return nil, errors.New("a list is needed: begin each statement with a dash")
	}
	for _, n := range list.Content {
		var s finding.Statement
		known := []string{"of", "require", "forbid", "allow", "at_least", "severity", "source"}
		err := y.Members(n, known, func(key string, value *yaml.Node) error { return within(key, setStatement(&s, key, value)) })
		if err == nil {
			err = s.Check()
		}
		if err != nil {
			return nil, y.Bad(n, err)
		}
		all = append(all, s)
	}
	return all, nil
}

func setStatement(s *finding.Statement, key string, value *yaml.Node) (err error) {
	var word string
	switch key {
	case "require":
		s.Require, err = Scalars(value)
	case "forbid":
		s.Forbid, err = Scalars(value)
	case "allow":
		s.Allow, err = Scalars(value)
	case "severity":
		s.Severity, err = severity(value)
	case "of":
		word, err = Scalar(value)
		s.Of = finding.ListName(word)
	case "source":
		s.Source, err = Scalar(value)
	case "at_least":
		if word, err = Scalar(value); err == nil {
			if s.AtLeast, err = strconv.Atoi(word); err != nil {
				err = fmt.Errorf("%q is no number: write bits, such as 2048", word)
			}
		}
	}
	return err
}

func severity(n *yaml.Node) (finding.Severity, error) {
	word, err := Scalar(n)
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
