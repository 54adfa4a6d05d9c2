package finding_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/finding/findingtest"
	"github.com/handclasp/handclasp/internal/tlshello"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smtp"
	"github.com/handclasp/handclasp/ssh"
)

func rulesOf(policies ...finding.Policy) (rules []finding.Rule) {
	for _, p := range policies {
		if s := p.Statements; s[0].Source == "" {
			s[0].Source = "a book"
		}
		rules = append(rules, p.Rule())
	}
	return rules
}

func algorithms(change func(a *ssh.Algorithms)) *ssh.Evidence {
	a := &ssh.Algorithms{
		Kex: []string{"curve25519-sha256", "ext-info-s", "kex-strict-s-v00@openssh.com"}, HostKey: []string{"rsa-sha2-512", "ssh-ed25519"},
		CiphersClientToServer: []string{"aes256-ctr"}, CiphersServerToClient: []string{"aes256-ctr"},
		MACsClientToServer: []string{"hmac-sha2-256"}, MACsServerToClient: []string{"hmac-sha2-256"},
	}
	if change != nil {
		change(a)
	}
	return &ssh.Evidence{Algorithms: a}
}

func TestPoliciesOfSSH(t *testing.T) {
	policies := []finding.Policy{
		{Name: "kex", Statements: []finding.Statement{
			{Of: finding.ListSSHKex, Forbid: []string{"*-sha1"}, Source: "a book"},
			{Of: finding.ListSSHKex, Require: []string{"curve25519-*"}, Severity: finding.Low},
		}},
		{Name: "ciphers", Severity: finding.High, Statements: []finding.Statement{{Of: finding.ListSSHCiphers, Allow: []string{"aes*-ctr"}}}},
		{Name: "macs", Statements: []finding.Statement{{Of: finding.ListSSHMACs, Forbid: []string{"none"}}}},
		{Name: "host-keys", Statements: []finding.Statement{{Of: finding.ListSSHHostKey, Allow: []string{"ssh-ed25519", "rsa-sha2-*"}}}},
	}
	unread := []*ssh.Evidence{{Identification: "SSH-1.5-x"}}
	findingtest.Rules(t, rulesOf(policies...), func(e *ssh.Evidence) *probe.Result {
		return &probe.Result{Protocol: "ssh", Outcome: probe.OutcomeOK, Evidence: e}
	}, map[string][]findingtest.Case[*ssh.Evidence]{
		"policy.kex": {
			{
				Fires: []*ssh.Evidence{algorithms(func(a *ssh.Algorithms) { a.Kex = []string{"curve25519-sha256", "diffie-hellman-group1-sha1"} })},
				Known: finding.Seen, Detail: "diffie-hellman-group1-sha1 (a book)", Severity: finding.Medium, Items: []string{"diffie-hellman-group1-sha1"},
				NotSo: []*ssh.Evidence{algorithms(nil)}, NotLearned: unread,
			},
			{
				Fires: []*ssh.Evidence{algorithms(func(a *ssh.Algorithms) { a.Kex = []string{"ecdh-sha2-nistp256"} })},
				Known: finding.Seen, Detail: "no curve25519-*", Severity: finding.Low, Items: []string{"no curve25519-*"},
			},
			{
				Fires: []*ssh.Evidence{algorithms(func(a *ssh.Algorithms) { a.Kex = []string{"x-sha1"} })},
				Known: finding.Seen, Detail: "x-sha1 (a book); no curve25519-*", Severity: finding.Medium, Items: []string{"x-sha1", "no curve25519-*"},
			},
		},
		"policy.ciphers": {{
			Fires: []*ssh.Evidence{algorithms(func(a *ssh.Algorithms) { a.CiphersServerToClient = []string{"3des-cbc", "aes128-ctr"} })},
			Known: finding.Seen, Detail: "3des-cbc (a book)", Severity: finding.High, Items: []string{"3des-cbc"},
			NotSo: []*ssh.Evidence{algorithms(nil)},
			// Of one direction nothing is known.
			NotLearned: append(unread, algorithms(func(a *ssh.Algorithms) { a.CiphersServerToClient = nil })),
		}},
		"policy.macs": {{
			Fires: []*ssh.Evidence{algorithms(func(a *ssh.Algorithms) {
				a.MACsClientToServer, a.MACsServerToClient = []string{"none"}, []string{"none"}
			})},
			Known: finding.Seen, Detail: "none (a book)", Severity: finding.Medium, Items: []string{"none"},
			NotSo: []*ssh.Evidence{algorithms(nil)}, NotLearned: unread,
		}},
		"policy.host-keys": {{
			Fires: []*ssh.Evidence{algorithms(func(a *ssh.Algorithms) { a.HostKey = []string{"ssh-dss", "ssh-ed25519"} })},
			Known: finding.Seen, Detail: "ssh-dss (a book)", Severity: finding.Medium, Items: []string{"ssh-dss"},
			NotSo: []*ssh.Evidence{algorithms(nil)}, NotLearned: unread,
		}},
	})
}

// withTLS is evidence of a server with which TLS 1.3 was negotiated.
func withTLS(offers *probe.TLSOffers) *smtp.Evidence {
	return &smtp.Evidence{TLS: &probe.TLS{
		Mode: "implicit", Version: "1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", KeyExchange: "CurveP256", Offers: offers,
	}}
}

func onlyTLS13(o *probe.TLSOffers) *probe.TLSOffers {
	o.SSL2, o.SSL3, o.TLS10, o.TLS11, o.TLS12, o.TLS13 = probe.No, probe.No, probe.No, probe.No, probe.No, probe.Yes
	return o
}

func TestPoliciesOfTLS(t *testing.T) {
	policies := []finding.Policy{
		{Name: "versions", Statements: []finding.Statement{{Of: finding.ListTLSVersions, Require: []string{"1.3"}, Forbid: []string{"SSL*", "1.0", "1.1"}}}},
		{Name: "only13", Statements: []finding.Statement{{Of: finding.ListTLSVersions, Allow: []string{"1.2"}}}},
		{Name: "rc4", Statements: []finding.Statement{{Of: finding.ListTLSSuites, Forbid: []string{"*_RC4_*"}}}},
		{Name: "suites", Statements: []finding.Statement{{Of: finding.ListTLSSuites, Allow: []string{"TLS_AES_*"}}}},
		{Name: "groups", Statements: []finding.Statement{{Of: finding.ListTLSGroups, Allow: []string{"secp256r1"}}}},
		{Name: "dh", Statements: []finding.Statement{{Of: finding.ListTLSDH, AtLeast: 2048}}},
	}
	negotiated := []*smtp.Evidence{withTLS(nil)}
	weak := func(c probe.TLSClass) *probe.TLSOffers {
		return &probe.TLSOffers{Mode: probe.TLSModeWeak, TLS13: probe.Yes, TLS12: probe.Yes, SSL3: probe.No, Weak: &probe.TLSWeakOffers{RC4: c}}
	}
	full := func(change func(o *probe.TLSOffers)) *smtp.Evidence {
		o := onlyTLS13(&probe.TLSOffers{Mode: probe.TLSModeFull, DH: []probe.TLSDHGroup{}, Versions: []probe.TLSVersionOffer{
			{Version: "1.3", Suite: "TLS_AES_128_GCM_SHA256", Suites: []string{"TLS_AES_128_GCM_SHA256"}, Groups: []string{"secp256r1"}},
		}})
		if change != nil {
			change(o)
		}
		return withTLS(o)
	}
	findingtest.Rules(t, rulesOf(policies...), func(e *smtp.Evidence) *probe.Result {
		return &probe.Result{Protocol: "smtp", Outcome: probe.OutcomeOK, Evidence: e}
	}, map[string][]findingtest.Case[*smtp.Evidence]{
		"policy.versions": {
			{
				Fires: []*smtp.Evidence{full(func(o *probe.TLSOffers) { o.TLS10 = probe.Yes })},
				Known: finding.Seen, Detail: "TLS 1.0 (a book)", Severity: finding.Medium, Items: []string{"TLS 1.0"},
				NotSo:      []*smtp.Evidence{full(nil)},
				NotLearned: append(negotiated, full(func(o *probe.TLSOffers) { o.SSL2 = probe.Unknown })),
			},
			{
				Fires: []*smtp.Evidence{full(func(o *probe.TLSOffers) { o.TLS13, o.TLS12 = probe.No, probe.Yes })},
				Known: finding.Seen, Detail: "no TLS 1.3 (a book)", Severity: finding.Medium, Items: []string{"no TLS 1.3"},
			},
		},
		// What was negotiated proves that it is accepted, and nothing of the others.
		"policy.only13": {{
			Fires: append(negotiated, full(nil)),
			Known: finding.Seen, Detail: "TLS 1.3 (a book)", Severity: finding.Medium, Items: []string{"TLS 1.3"},
			NotSo: []*smtp.Evidence{full(func(o *probe.TLSOffers) { o.TLS12, o.TLS13 = probe.Yes, probe.No })},
		}},
		"policy.rc4": {{
			Fires: []*smtp.Evidence{withTLS(weak(probe.TLSClass{Accepted: probe.Yes, Version: "1.2", Suite: "TLS_RSA_WITH_RC4_128_SHA"}))},
			Known: finding.Seen, Detail: "TLS_RSA_WITH_RC4_128_SHA (a book)", Severity: finding.Medium, Items: []string{"TLS_RSA_WITH_RC4_128_SHA"},
			NotSo:      []*smtp.Evidence{withTLS(weak(probe.TLSClass{Accepted: probe.No})), full(nil)},
			NotLearned: append(negotiated, withTLS(weak(probe.TLSClass{}))),
		}},
		"policy.suites": {{
			Fires: []*smtp.Evidence{full(func(o *probe.TLSOffers) {
				o.TLS12 = probe.Yes
				o.Versions = append(o.Versions, probe.TLSVersionOffer{Version: "1.2", Suite: "TLS_RSA_WITH_AES_128_CBC_SHA"})
			})},
			Known: finding.Seen, Detail: "TLS_RSA_WITH_AES_128_CBC_SHA (a book)", Severity: finding.Medium, Items: []string{"TLS_RSA_WITH_AES_128_CBC_SHA"},
			NotSo:      []*smtp.Evidence{full(nil)},
			NotLearned: append(negotiated, withTLS(weak(probe.TLSClass{Accepted: probe.No})), full(func(o *probe.TLSOffers) { o.Versions[0].Suites = nil })),
		}},
		"policy.groups": {{
			Fires: []*smtp.Evidence{full(func(o *probe.TLSOffers) { o.Versions[0].Groups = []string{"x25519", "secp256r1"} })},
			Known: finding.Seen, Detail: "x25519 (a book)", Severity: finding.Medium, Items: []string{"x25519"},
			NotSo: []*smtp.Evidence{full(nil)}, NotLearned: append(negotiated, full(func(o *probe.TLSOffers) { o.Versions[0].Groups = nil })),
		}},
		"policy.dh": {{
			Fires: []*smtp.Evidence{full(func(o *probe.TLSOffers) { o.DH = []probe.TLSDHGroup{{Bits: 2048}, {Bits: 1024}} })},
			Known: finding.Seen, Detail: "1024 bits (a book)", Severity: finding.Medium, Items: []string{"1024 bits"},
			NotSo: []*smtp.Evidence{full(nil)}, NotLearned: append(negotiated, full(func(o *probe.TLSOffers) { o.DH = nil })),
		}},
	})
}

// A server without TLS departs from no policy about it, nor one that isn't SSH from one about SSH.
func TestPoliciesOfOtherProtocols(t *testing.T) {
	tls := finding.Policy{Name: "a", Statements: []finding.Statement{{Of: finding.ListTLSVersions, Require: []string{"1.3"}}}}.Rule()
	ssh := finding.Policy{Name: "b", Statements: []finding.Statement{{Of: finding.ListSSHKex, Require: []string{"x"}}}}.Rule()
	without := &probe.Result{Protocol: "smtp", Outcome: probe.OutcomeOK, Evidence: &smtp.Evidence{STARTTLS: probe.No}}
	silent := &probe.Result{Protocol: "smtp", Outcome: probe.OutcomeTimeout, Evidence: new(smtp.Evidence)}
	for _, rule := range []finding.Rule{tls, ssh} {
		require.Equal(t, finding.NotSo(), rule.Check(without))
		require.Equal(t, finding.NotLearned(), rule.Check(silent))
	}
}

// Every statement of the built-in policies names things that there are, and who says so.
func TestBuiltInPolicies(t *testing.T) {
	names := map[string]bool{}
	for _, p := range finding.Policies() {
		require.NoError(t, p.Check(), p.Name)
		require.False(t, names[p.Name], p.Name)
		names[p.Name] = true
		require.NotEmpty(t, p.Title)
		for _, s := range p.Statements {
			require.NotEmpty(t, s.Source, p.Name)
		}
		text, err := json.Marshal(p)
		require.NoError(t, err)
		var again finding.Policy
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, p, again)
	}
	for _, name := range []string{"rfc9142", "rfc9325", "nist-800-52r2", "bsi-tr-02102-2", "bsi-tr-02102-4", "mozilla-modern", "mozilla-old", "openssh-9.2"} {
		require.True(t, names[name], name)
	}
}

// The patterns of suites let in as many as the documents list: NIST 56 before TLS 1.3 and 4 of it, the BSI 20, 16 and 3 (the second
// table is no more than tolerated), Mozilla 3, 6 more, and 20 more.
func TestSuitesOfPolicies(t *testing.T) {
	all := []string{}
	for _, s := range tlshello.Suites() {
		all = append(all, s.Name)
	}
	e := withTLS(&probe.TLSOffers{Mode: probe.TLSModeFull, TLS12: probe.Yes, Versions: []probe.TLSVersionOffer{{Version: "1.2", Suites: all}}})
	e.TLS.CipherSuite = all[0]
	allowed := map[string]int{}
	for _, p := range finding.Policies() {
		p.Statements = slices.DeleteFunc(slices.Clone(p.Statements), func(s finding.Statement) bool { return s.Of != finding.ListTLSSuites || s.Allow == nil })
		if len(p.Statements) == 0 {
			continue
		}
		answer := p.Rule().Check(&probe.Result{Protocol: "smtp", Outcome: probe.OutcomeOK, Evidence: e})
		departs := map[string]bool{}
		for _, item := range answer.Proof().Items {
			departs[item.Value] = true
		}
		for _, name := range all {
			if !departs[name] {
				allowed[p.Name]++
			}
		}
	}
	require.Equal(t, map[string]int{
		"nist-800-52r2": 56 + 4, "bsi-tr-02102-2": 20 + 16 + 3, "mozilla-modern": 3, "mozilla-intermediate": 3 + 6, "mozilla-old": 3 + 6 + 20,
	}, allowed)
}

// The defaults of OpenSSH as two of its releases say them (sshd -T).
func TestDefaultsOfOpenSSH(t *testing.T) {
	allowed := map[string][]string{}
	for _, p := range finding.Policies() {
		for _, s := range p.Statements {
			if s.Of == finding.ListSSHKex {
				allowed[p.Name] = s.Allow
			}
		}
	}
	require.ElementsMatch(t, []string{
		"sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384",
		"ecdh-sha2-nistp521", "diffie-hellman-group-exchange-sha256", "diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512",
		"diffie-hellman-group14-sha256",
	}, allowed["openssh-9.2"])
	require.ElementsMatch(t, []string{
		"mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com", "curve25519-sha256",
		"curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521",
	}, allowed["openssh-10.0"])
}

func TestPolicyCheck(t *testing.T) {
	for want, p := range map[string]finding.Policy{
		`name "House"`:                {Name: "House", Statements: []finding.Statement{{Of: finding.ListSSHKex, Forbid: []string{"a"}}}},
		"statements: there is none":   {Name: "house"},
		`statement 1: of "ssh.mac"`:   {Name: "house", Statements: []finding.Statement{{Of: "ssh.mac", Forbid: []string{"a"}}}},
		"it says nothing":             {Name: "house", Statements: []finding.Statement{{Of: finding.ListSSHKex}}},
		"use IANA's names, such as T": {Name: "house", Statements: []finding.Statement{{Of: finding.ListTLSSuites, Forbid: []string{"ECDHE-RSA-AES128-GCM-SHA256"}}}},
		`nothing is called "TLS 1.2"`: {Name: "house", Statements: []finding.Statement{{Of: finding.ListTLSVersions, Forbid: []string{"TLS 1.2"}}}},
		"say at_least":                {Name: "house", Statements: []finding.Statement{{Of: finding.ListTLSDH, Forbid: []string{"1024"}}}},
		"only tls.dh_bits has sizes":  {Name: "house", Statements: []finding.Statement{{Of: finding.ListSSHKex, AtLeast: 7}}},
	} {
		require.ErrorContains(t, p.Check(), want)
	}
}
