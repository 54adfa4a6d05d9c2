// Package finding judges results: a [Rule] is data and one pure function, a [Finding] is what it says of a result,
// with pointers to the evidence that proves it.
//
// Rules live beside the protocol that they judge, as plain slices: ftp.Rules and so on. Callers filter, re-rate and
// add rules as they do with any slice. Judging needs no network, clock or randomness: a stored result gives the same
// findings for ever.
package finding

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// A Rule judges one thing.
type Rule struct {
	ID       string // permanent, such as "ftp.anonymous"
	Title    string
	Severity Severity
	// Varies lists what proofs may rate it, the built-in Severity first, for a rule whose severity follows the evidence;
	// nil for the others, whose proofs can't. A rule whose Severity was set to something else keeps that.
	Varies  []Severity
	Summary string // one sentence: what it means
	// Remediation names the setting for the common servers.
	Remediation string
	CWE         []int    // Common Weakness Enumeration numbers; may be empty
	CVE         []string // such as "CVE-2023-48795", if the finding is that vulnerability
	CVSS        string   // a vector of CVSS 4.0, such as "CVSS:4.0/AV:N/…"; empty if it isn't scored
	// Score is what the vector scores, from 0 to 10; 0 if there is no vector, or nothing is harmed.
	Score float64
	// Techniques are those of MITRE ATT&CK that the finding serves, such as "T1135"; may be empty.
	Techniques []string
	// Controls are the requirements that the finding departs from, such as "PCI DSS 4.0.1 2.2.4"; may be empty.
	Controls   []string
	References []string
	// Protocol is whose evidence alone the rule fires on, such as "ftp", or [OverTLS]; empty for any. Of other results [Evaluate]
	// doesn't ask it, since it doesn't fire on them.
	Protocol string
	// Needs is what the rule can't be answered without.
	Needs Needs
	// Check says whether the rule holds for r. It only reads r. Most checks are made by [On] or [OnTLS].
	Check func(r *probe.Result) Answer
}

// OverTLS is the [Rule.Protocol] of rules that fire on a TLS handshake, in whichever protocol's evidence.
const OverTLS = "tls"

// Of gives rules their [Rule.Protocol], and returns them.
func Of(protocol string, rules []Rule) []Rule {
	for i := range rules {
		rules[i].Protocol = protocol
	}
	return rules
}

// Needs is the least that a probe must do for a rule to be answered.
type Needs struct {
	Level probe.Level
	Knob  string // the field of the prober, or of the options, such as "Injection"; empty for none
}

// A Finding is a rule that fired on a result. Its lists of CWE, CVE and references are the rule's, and aren't to be changed.
type Finding struct {
	// Key is the same for the same rule and endpoint in every scan: "k1:" and 32 hexadecimal digits. See [Key].
	Key      string   `json:"key"`
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	Known    Known    `json:"known"`
	Basis    []string `json:"basis"` // JSON pointers into the result
	// Items are the things that it is about, all of them; empty for a rule that is about the endpoint itself.
	Items  []Item   `json:"items"`
	Detail string   `json:"detail"` // prose, for people
	CWE    []int    `json:"cwe"`
	CVE    []string `json:"cve,omitempty"`
	CVSS   string   `json:"cvss,omitempty"`
	Score  float64  `json:"cvss_score,omitempty"` // of the CVSS vector, 0–10; left out if it isn't known
	// KEV is the day on which CISA listed the vulnerability, or the first of several, as exploited, such as "2022-01-10"; left
	// out if it isn't listed, or not as far as known.
	KEV string `json:"kev,omitempty"`
	// EPSS is the probability that the vulnerability, or the likeliest of several, is exploited within 30 days, 0–1; left out
	// if it isn't known.
	EPSS float64 `json:"epss,omitempty"`
	// Data is what a finding about software rests on beside the result; nil for the others.
	Data        *Data    `json:"data,omitempty"`
	Remediation string   `json:"remediation"`
	References  []string `json:"references"`
	// Baseline is what became of it since the scan that a [Baseline] holds; empty if there was none.
	Baseline Status `json:"baseline,omitempty"`
	// Accepted says that it is taken as a risk, or that some of its items are; see [Finding.IsAccepted]. Left out if it isn't.
	Accepted []Acceptance `json:"accepted,omitempty"`
}

// Key names a rule at an endpoint: what was asked for (the target's name, or its address if there is none), network and
// port. It holds neither protocol nor what was found, so that it stays the same whatever else changes there.
func Key(rule string, t probe.Target) string {
	host := t.Name
	if host == "" {
		host = t.Addr.Addr().String()
	}
	b := make([]byte, 0, 128)
	for _, part := range [...]string{rule, host, string(cmp.Or(t.Network, probe.TCP))} {
		b = append(append(b, part...), 0)
	}
	sum := sha256.Sum256(binary.BigEndian.AppendUint16(b, t.Addr.Port()))
	return string(hex.AppendEncode(append(b[:0], "k1:"...), sum[:16]))
}

// Evaluate returns the findings of the rules that fire on r, the most severe first, then by ID. It never returns nil.
func Evaluate(r *probe.Result, rules []Rule) []Finding {
	found := []Finding{}
	protocol, tls := evidenceOf(r)
	for i := range rules { // which are too large to be copied
		switch rule := &rules[i]; {
		case rule.Protocol == "", rule.Protocol == protocol, rule.Protocol == OverTLS && tls:
			found = rule.judge(found, r)
		}
	}
	slices.SortStableFunc(found, Compare)
	return found
}

// judge appends what a rule that may fire on r finds.
func (rule *Rule) judge(found []Finding, r *probe.Result) []Finding {
	if p := rule.Check(r).Proof(); p != nil {
		found = append(found, rule.finding(r, p))
	}
	return found
}

// evidenceOf returns what decides which rules may fire on a result: the protocol of its evidence, empty if there is none, and
// whether that holds a TLS handshake.
func evidenceOf(r *probe.Result) (protocol string, tls bool) {
	if r.Evidence != nil {
		protocol = r.Evidence.Protocol()
	}
	handshake, _ := told(r, probe.TLSEvidence.TLSHandshake, "tls")
	return protocol, handshake != nil
}

// Compare orders findings: the most severe first, then by ID.
func Compare(a, b Finding) int {
	return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.ID, b.ID))
}

// severity is the rule's, or that of the proof if it may choose.
func (rule *Rule) severity(p *Proof) Severity {
	if len(rule.Varies) > 0 && rule.Severity == rule.Varies[0] && slices.Contains(rule.Varies, p.Severity) {
		return p.Severity
	}
	return rule.Severity
}

func (rule *Rule) finding(r *probe.Result, p *Proof) Finding {
	f := Finding{
		Key: Key(rule.ID, r.Target), ID: rule.ID, Title: rule.Title, Severity: rule.severity(p), Known: p.Known, Basis: p.Basis,
		Items: append([]Item{}, p.Items...), Detail: p.Detail, CWE: known(slices.Clip(rule.CWE)), CVE: slices.Clip(rule.CVE), CVSS: rule.CVSS, Score: rule.Score,
		Remediation: rule.Remediation, References: known(slices.Clip(rule.References)),
	}
	p.Advice.add(&f)
	return f
}
