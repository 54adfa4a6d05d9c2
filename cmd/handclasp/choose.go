package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/pick"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/rsync"
	"github.com/handclasp/handclasp/smtp"
	"github.com/handclasp/handclasp/ssh"
)

// A choice is what is asked, and what of the answers is reported.
type choice struct {
	only  []string
	ports []uint16

	profile     finding.Profile
	minSeverity finding.Severity
	rules       []string
	without     []string
	policies    policies
	open        bool

	tls       probe.TLSMode
	ssh       string
	injection bool
	verify    bool
	modules   []string
	contact   probe.Contact
}

func (c *choice) register(cmd *cobra.Command) {
	f := cmd.Flags()
	words := func(p *[]string, kind string) value[[]string] {
		return value[[]string]{p, pick.Words, func(s []string) string { return strings.Join(s, ",") }, kind}
	}
	f.Var(words(&c.only, "PROTOCOLS"), "only", "ask these protocols alone: ftp, smtp, nntp, rsync, netbios, smb, ssh, with commas between them")
	f.Var(value[[]uint16]{&c.ports, pick.PortList, showPorts, "PORTS"}, "ports", "where to ask hosts that name no port: 21,990,2121-2130")
	registerProfile(f, &c.profile)
	f.Var(value[finding.Severity]{&c.minSeverity, finding.ParseSeverity, showSeverity, "SEVERITY"}, "min-severity",
		"report findings as severe as this, or more")
	f.Var(words(&c.rules, "RULES"), "rule", "judge by these rules alone: ids, or what stands before the dot; 'handclasp rules' lists them")
	f.Var(words(&c.without, "RULES"), "exclude-rule", "leave these rules out")
	c.policies.register(f)
	f.BoolVar(&c.open, "open", false, "report only endpoints where somebody answered")
	f.Var(value[probe.TLSMode]{&c.tls, probe.ParseTLSMode, probe.TLSMode.String, "HOW"}, "tls",
		"how far to ask for TLS: negotiated, the one handshake; on more connections, versions (up to 8), weak suites and groups too (15), or full, every one")
	f.Var(value[string]{&c.ssh, pick.OneOf("handshake", "gex"), text, "HOW"}, "ssh",
		"how far to ask for SSH's key exchange: handshake, or gex, which asks for small groups, too")
	f.BoolVar(&c.injection, "injection", false, "check whether commands sent in cleartext behind STARTTLS are carried out inside TLS (mail, news)")
	f.BoolVar(&c.verify, "verify-names", false, "check with VRFY of a random name whether mail servers tell which names exist")
	f.Var(words(&c.modules, "NAMES"), "modules", "rsync modules to ask for at level anonymous, beside those that are listed")
	f.Var(value[string]{&c.contact.Host, parseHello, text, "NAME"}, "hello", "the argument of EHLO: a host name of yours")
	f.Var(value[string]{&c.contact.Mail, parseMail, text, "MAIL"}, "contact",
		"where to complain, for those who read their servers' logs: abuse@example.org")
}

func registerProfile(f *pflag.FlagSet, p *finding.Profile) {
	f.Var(value[finding.Profile]{p, finding.ParseProfile, func(p finding.Profile) string { return p.Name }, "PROFILE"}, "severity-profile",
		"rate findings as seen from the internet, from an internal network, or as Shadowserver's reports do: internet, internal or shadowserver")
}

func showPorts(ports []uint16) string {
	words := make([]string, len(ports))
	for i, n := range ports {
		words[i] = strconv.Itoa(int(n))
	}
	return strings.Join(words, ",")
}

func parseHello(text string) (string, error) {
	if text == "" {
		return "", errors.New("name a host")
	}
	return text, probe.Contact{Host: text}.Check()
}

func parseMail(text string) (string, error) {
	if text == "" {
		return "", errors.New("name an address of mail")
	}
	return text, probe.Contact{Mail: text}.Check()
}

// key is the same for the same choice: results of two choices aren't one scan's.
func (c *choice) key() string {
	var words []string
	add := func(name, value string) {
		if value != "" {
			words = append(words, name+"="+value)
		}
	}
	yes := func(set bool) string { return map[bool]string{true: "yes"}[set] }
	add("only", strings.Join(c.only, ","))
	add("ports", showPorts(c.ports))
	add("severity-profile", c.profile.Name)
	add("min-severity", showSeverity(c.minSeverity))
	add("rule", strings.Join(c.rules, ","))
	add("exclude-rule", strings.Join(c.without, ","))
	add("policy", strings.Join(c.policies.names, ","))
	add("open", yes(c.open))
	add("tls", string(c.tls))
	add("ssh", c.ssh)
	add("injection", yes(c.injection))
	add("verify-names", yes(c.verify))
	add("modules", strings.Join(c.modules, ","))
	add("hello", c.contact.Host)
	add("contact", c.contact.Mail)
	return strings.Join(words, " ")
}

// apply returns the app with the probers and the rules that are chosen.
func (c *choice) apply(a *app) (*app, error) {
	a, err := c.policies.apply(a)
	if err != nil {
		return nil, err
	}
	b := *a
	b.profile = c.profile
	if c.only != nil {
		b.probers = nil
		for _, name := range c.only {
			i := slices.IndexFunc(a.probers, func(p probe.Prober) bool { return p.Spec().Protocol == name })
			if i < 0 {
				return nil, fmt.Errorf("--only: no protocol is called %q: use ftp, smtp, nntp, rsync, netbios, smb or ssh", name)
			}
			b.probers = append(b.probers, a.probers[i])
		}
	}
	b.probers = c.turned(b.probers)
	keep, err := c.judges(a.catalogue())
	if err != nil {
		return nil, err
	}
	b.rules = slices.DeleteFunc(slices.Clone(a.rules), func(r finding.Rule) bool { return !keep(r.ID) })
	b.comparisons = slices.DeleteFunc(slices.Clone(a.comparisons), func(r finding.Comparison) bool { return !keep(r.ID) })
	return &b, nil
}

// turned sets the knobs of probers.
func (c *choice) turned(probers []probe.Prober) []probe.Prober {
	probers = slices.Clone(probers)
	for i, p := range probers {
		switch p := p.(type) {
		case ssh.Prober:
			p.GroupExchange = c.ssh == "gex"
			probers[i] = p
		case smtp.Prober:
			p.Injection, p.Verify = c.injection, c.verify
			probers[i] = p
		case nntp.Prober:
			p.Injection = c.injection
			probers[i] = p
		case rsync.Prober:
			p.Modules = c.modules
			probers[i] = p
		}
	}
	return probers
}

// judges returns which rules are chosen.
func (c *choice) judges(all []finding.Rule) (func(id string) bool, error) {
	for _, flag := range []struct {
		name  string
		names []string
	}{{"--rule", c.rules}, {"--exclude-rule", c.without}} {
		for _, name := range flag.names {
			if !slices.ContainsFunc(all, func(r finding.Rule) bool { return pick.IsOf(r.ID, name) }) {
				return nil, fmt.Errorf("%s: no rule is called %q: 'handclasp rules' lists them", flag.name, name)
			}
		}
	}
	return func(id string) bool { return pick.Judges(id, c.rules, c.without) }, nil
}

// reported are the findings that are severe enough.
func (c *choice) reported(all []finding.Finding) []finding.Finding {
	if c.minSeverity == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(f finding.Finding) bool { return f.Severity < c.minSeverity })
}

// passes reports whether a record isn't to be shown.
func (c *choice) passes(r finding.Record) bool {
	return c.open && !pick.Answered(r)
}
