package main

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/userfile"
)

// An acceptance is what --accept names.
type acceptance struct {
	path              string
	list              []finding.Accept
	lines             []int // of them
	*finding.Acceptor       // nil for none
}

func (c *acceptance) register(f *pflag.FlagSet) {
	f.Var(value[string]{&c.path, parseFile, text, "FILE"}, "accept",
		"take the risks that FILE (YAML) lists: their findings are marked, and don't count; docs/accepted.md shows one")
}

// readAccepted reads the file, if there is one.
func (a *app) readAccepted(c *acceptance) error {
	if c.path == "" {
		return nil
	}
	y := userfile.YAML{Path: c.path}
	root, err := y.Read()
	if err == nil && root == nil {
		err = fmt.Errorf("%s: it is empty: it needs a list that is called accepted", c.path)
	}
	if err == nil {
		err = y.Members(root, []string{"accepted"}, func(_ string, list *yaml.Node) error { return a.readEntries(c, y, list) })
	}
	if err == nil {
		c.Acceptor, err = finding.NewAcceptor(c.list)
	}
	if err != nil {
		return fmt.Errorf("--accept: %w", err)
	}
	return nil
}

func (a *app) readEntries(c *acceptance, y userfile.YAML, list *yaml.Node) error {
	if list.Kind != yaml.SequenceNode {
		return errors.New("accepted is a list: begin each risk with a dash")
	}
	for _, n := range list.Content {
		var e finding.Accept
		err := y.Members(n, []string{"rule", "endpoint", "items", "until", "reason", "by"}, func(key string, value *yaml.Node) error {
			return setAccept(&e, key, value)
		})
		if err == nil {
			err = e.Check()
		}
		if err == nil && !a.isRule(e.Rule) {
			err = fmt.Errorf("no rule is called %q: 'handclasp rules' lists them", e.Rule)
		}
		if err != nil {
			return y.Bad(n, err)
		}
		c.list, c.lines = append(c.list, e), append(c.lines, n.Line)
	}
	return nil
}

func setAccept(e *finding.Accept, key string, value *yaml.Node) (err error) {
	if key == "items" {
		if e.Items, err = userfile.Scalars(value); err == nil && len(e.Items) == 0 {
			err = errors.New("items: none is named: leave it out to accept all")
		}
		return err
	}
	word, err := userfile.Scalar(value)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	switch key {
	case "rule":
		e.Rule = word
	case "endpoint":
		e.Endpoint = word
	case "reason":
		e.Reason = word
	case "by":
		e.By = word
	case "until":
		if e.Until, err = time.Parse(time.DateOnly, word); err != nil {
			return fmt.Errorf("until: %q is no day: write 2027-03-31, or leave it out for no end", word)
		}
	}
	return nil
}

// mark yields entries whose records have what they are accepted by; those that are stored count if no file is named.
func (c *acceptance) mark(entries iter.Seq[finding.Entry]) iter.Seq[finding.Entry] {
	if c.Acceptor == nil {
		return entries
	}
	return func(yield func(finding.Entry) bool) {
		for e := range entries {
			if e.Result != nil {
				e.Findings = c.Mark(e.Record)
			}
			if !yield(e) {
				return
			}
		}
	}
}

// again is mark for another scan, in which nobody asks what was of use.
func (c *acceptance) again(entries iter.Seq[finding.Entry]) iter.Seq[finding.Entry] {
	other := new(acceptance)
	if c.Acceptor != nil {
		other.Acceptor, _ = finding.NewAcceptor(c.list) // as readAccepted did
	}
	return other.mark(entries)
}

// isRule reports whether results are judged by a rule of this name. Those of a policy are its own.
func (a *app) isRule(id string) bool {
	return strings.HasPrefix(id, "policy.") || slices.ContainsFunc(a.catalogue(), func(r finding.Rule) bool { return r.ID == id })
}

// tell says what of the list was of no use, those aside whose rules a didn't judge by.
func (c *acceptance) tell(a *app) {
	if c.Acceptor == nil {
		return
	}
	var elsewhere []string
	for i, use := range c.Uses() {
		e := c.list[i]
		if !a.isRule(e.Rule) {
			continue
		}
		place := fmt.Sprintf("%s:%d", c.path, c.lines[i])
		switch use {
		case finding.UseExpired:
			a.complain("%s: %s at %s was accepted until %s, and counts again: mend it, or decide anew", place, e.Rule, e.Endpoint, e.Until.Format(time.DateOnly))
		case finding.UseNotFound:
			a.complain("%s: %s wasn't found at %s: if it is gone for good, take the entry out", place, e.Rule, e.Endpoint)
		case finding.UseNotAsked:
			elsewhere = append(elsewhere, fmt.Sprint(c.lines[i]))
		}
	}
	if len(elsewhere) > 0 {
		const few = 10
		lines := strings.Join(elsewhere[:min(few, len(elsewhere))], ", ")
		if more := len(elsewhere) - few; more > 0 {
			lines += fmt.Sprintf(" and %d more", more)
		}
		a.complain("%s: entries whose endpoints weren't asked: those of lines %s", c.path, lines)
	}
}
