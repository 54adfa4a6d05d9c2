package finding

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/internal/lazy"
	"github.com/handclasp/handclasp/internal/tlshello"
	"github.com/handclasp/handclasp/probe"
)

// A Policy says what servers must and mustn't offer. [Policies] are built in. The JSON and YAML forms are those of a policy's file.
type Policy struct {
	// Name is the policy's in the id of its rule, "policy.NAME": letters of lower case, digits, dots and hyphens.
	Name  string `json:"name"`
	Title string `json:"title,omitempty" yaml:",omitempty"` // a phrase; empty for none
	// Severity is that of a deviation from a statement that has none of its own; zero means medium.
	Severity   Severity    `json:"severity,omitempty" yaml:",omitempty"`
	Statements []Statement `json:"statements"`
}

// A Statement is what a policy says of one list, by at least one of the ways below.
type Statement struct {
	Of ListName `json:"of"`
	// Require are those that must be offered, Forbid those that mustn't, and Allow those beside which nothing may be. In each, *
	// stands for any characters, or none.
	Require []string `json:"require,omitempty" yaml:",omitempty"`
	Forbid  []string `json:"forbid,omitempty" yaml:",omitempty"`
	Allow   []string `json:"allow,omitempty" yaml:",omitempty"`
	// AtLeast is the size in bits below which nothing of [ListTLSDH] may be.
	AtLeast  int      `json:"at_least,omitempty" yaml:"at_least,omitempty"`
	Severity Severity `json:"severity,omitempty" yaml:",omitempty"` // zero for the policy's
	Source   string   `json:"source,omitempty" yaml:",omitempty"`   // who says so, such as "RFC 9142 section 4"; empty for the policy's author
}

// A ListName names a list that a server offers.
type ListName string

// The lists.
const (
	ListSSHKex      ListName = "ssh.kex"      // without signals, such as ext-info-s
	ListSSHHostKey  ListName = "ssh.host_key" // the algorithms, such as rsa-sha2-512
	ListSSHCiphers  ListName = "ssh.ciphers"  // of both directions
	ListSSHMACs     ListName = "ssh.macs"     // of both directions
	ListTLSVersions ListName = "tls.versions" // "SSLv2", "SSLv3", "1.0" to "1.3"
	ListTLSSuites   ListName = "tls.suites"   // IANA's names
	ListTLSGroups   ListName = "tls.groups"   // IANA's names; before TLS 1.3 the curves
	ListTLSDH       ListName = "tls.dh_bits"  // of the groups for Diffie-Hellman over integers before TLS 1.3
)

var listNames = []ListName{
	ListSSHKex, ListSSHHostKey, ListSSHCiphers, ListSSHMACs, ListTLSVersions, ListTLSSuites, ListTLSGroups, ListTLSDH,
}

var policyName = lazy.Pattern(`^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$`)

// Check says what is wrong with the policy, at which statement and how to mend it; nil for nothing.
func (p Policy) Check() error {
	switch {
	case !policyName().MatchString(p.Name):
		return fmt.Errorf("name %q: use letters of lower case, digits, dots and hyphens, 64 at most", p.Name)
	case p.Severity < 0 || p.Severity > Critical:
		return errors.New("severity: use info, low, medium, high or critical")
	case len(p.Statements) == 0:
		return errors.New("statements: there is none: say what must or mustn't be offered")
	}
	for i, s := range p.Statements {
		if err := s.Check(); err != nil {
			return fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return nil
}

// Check says what is wrong with the statement and how to mend it; nil for nothing.
func (s Statement) Check() error {
	if !slices.Contains(listNames, s.Of) {
		return fmt.Errorf("of %q: use one of %s", s.Of, strings.Trim(fmt.Sprint(listNames), "[]"))
	}
	if s.Severity < 0 || s.Severity > Critical {
		return errors.New("severity: use info, low, medium, high or critical")
	}
	names := slices.Concat(s.Require, s.Forbid, s.Allow)
	switch {
	case s.Of == ListTLSDH && (len(names) > 0 || s.AtLeast <= 0):
		return fmt.Errorf("%s: say at_least, a number of bits, and nothing else", s.Of)
	case s.Of == ListTLSDH:
		return nil
	case s.AtLeast != 0:
		return fmt.Errorf("at_least: only %s has sizes", ListTLSDH)
	case len(names) == 0:
		return errors.New("it says nothing: add require, forbid or allow, with a list of names")
	}
	known := s.Of.names()
	for _, name := range names {
		if name == "" || known != nil && !slices.ContainsFunc(known, func(k string) bool { return match(name, k) }) {
			return fmt.Errorf("%s: nothing is called %q: %s", s.Of, name, s.Of.remedy())
		}
	}
	return nil
}

// names are all that a list may hold; nil if anybody may add some.
func (l ListName) names() (names []string) {
	switch l {
	case ListTLSVersions:
		return []string{"SSLv2", "SSLv3", "1.0", "1.1", "1.2", "1.3"}
	case ListTLSSuites:
		for _, s := range tlshello.Suites() {
			names = append(names, s.Name)
		}
	case ListTLSGroups:
		for _, g := range tlshello.Groups() {
			names = append(names, g.String())
		}
	}
	return names
}

func (l ListName) remedy() string {
	switch l {
	case ListTLSVersions:
		return "use SSLv2, SSLv3, 1.0, 1.1, 1.2 or 1.3"
	case ListTLSSuites:
		return "use IANA's names, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
	case ListTLSGroups:
		return "use IANA's names, such as secp256r1"
	}
	return "use the names of the protocol, such as curve25519-sha256"
}

// match reports whether a pattern, in which * stands for any characters, is of the name.
func match(pattern, name string) bool {
	head, rest, more := strings.Cut(pattern, "*")
	if !more {
		return pattern == name
	}
	if !strings.HasPrefix(name, head) {
		return false
	}
	for name = name[len(head):]; ; {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, part)
		}
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name, rest = name[i+len(part):], after
	}
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, name) })
}

// Rule returns the rule that judges by the policy, "policy.NAME". Its items are the deviations. It isn't answered as long as a
// list that it speaks of wasn't learned, unless another one deviates already; it isn't so if the policy says nothing of the
// protocol. A policy that [Policy.Check] refuses says nothing.
func (p Policy) Rule() Rule {
	severity := p.Severity
	if severity == 0 {
		severity = Medium
	}
	r := Rule{
		ID: "policy." + p.Name, Title: "departs from policy " + p.Name, Severity: severity, Varies: []Severity{severity}, CWE: []int{327},
		Summary:     "The server offers what the policy forbids, or doesn't offer what it requires.",
		Remediation: "OpenSSH: KexAlgorithms, HostKeyAlgorithms, Ciphers and MACs in sshd_config. TLS: Postfix smtpd_tls_protocols and smtpd_tls_exclude_ciphers, Exim tls_require_ciphers, vsftpd ssl_ciphers, ProFTPD TLSProtocol and TLSCipherSuite, INN tlsprotocols and tlsciphers. Where the policy is wrong, change the policy: handclasp policies " + p.Name + " writes it down.",
		References:  []string{},
		Techniques:  []string{}, Controls: ciphers,
	}
	if p.Title != "" {
		r.Summary = "The server departs from: " + p.Title + "."
	}
	var statements []statement
	for _, s := range p.Statements {
		if s.Severity == 0 {
			s.Severity = severity
		}
		if s.Check() != nil {
			continue
		}
		if !slices.Contains(r.Varies, s.Severity) {
			r.Varies = append(r.Varies, s.Severity)
		}
		if s.Source != "" && !slices.Contains(r.References, s.Source) {
			r.References = append(r.References, s.Source)
		}
		if strings.HasPrefix(string(s.Of), "tls.") {
			r.Needs.Knob = "TLS"
		}
		statements = append(statements, prepare(s))
	}
	r.Check = func(result *probe.Result) Answer { return judgeBy(statements, result) }
	return r
}
