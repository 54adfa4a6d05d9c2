package finding_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/finding/findingtest"
	"github.com/handclasp/handclasp/probe"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// healthy is a handshake at which no rule takes offence.
func healthy() *probe.TLS {
	return &probe.TLS{
		Version: "1.3", Trusted: probe.Yes, NameMatches: probe.Yes, Versions: []string{"1.2", "1.3"},
		Chain: []probe.Certificate{
			{DNSNames: []string{"ftp.example"}, NotAfter: now.Add(time.Hour), KeyType: "RSA", KeyBits: 2048, SignatureAlgorithm: "SHA256-RSA"},
			{NotAfter: now.Add(-time.Hour), KeyType: "RSA", KeyBits: 4096, SignatureAlgorithm: "SHA1-RSA", SelfSigned: true},
		},
	}
}

// handshake is the healthy handshake, changed.
func handshake(changes ...func(*probe.TLS)) *evidence {
	h := healthy()
	for _, change := range changes {
		change(h)
	}
	return &evidence{TLS: h}
}

func offers(change func(o *probe.TLSOffers)) *evidence {
	return handshake(func(h *probe.TLS) {
		h.Offers = &probe.TLSOffers{
			SSL2: probe.No, SSL3: probe.No, TLS10: probe.No, TLS11: probe.No, TLS12: probe.Yes, TLS13: probe.Yes,
			SecureRenegotiation: probe.Yes, Compression: probe.No, PostQuantum: probe.Yes, DH: []probe.TLSDHGroup{},
			Weak: &probe.TLSWeakOffers{},
		}
		change(h.Offers)
	})
}

func leaf(change func(c *probe.Certificate)) *evidence {
	return handshake(func(h *probe.TLS) { change(&h.Chain[0]) })
}

var nothingSeen = []*evidence{{}, {TLS: &probe.TLS{Error: "EOF"}}}

// fact is the case of a rule over one fact of the offers.
func fact(field func(*probe.TLSOffers) *probe.Fact, bad, good probe.Fact) []findingtest.Case[*evidence] {
	set := func(f probe.Fact) []*evidence {
		return []*evidence{offers(func(o *probe.TLSOffers) { *field(o) = f })}
	}
	return []findingtest.Case[*evidence]{{
		Fires: set(bad), NotSo: set(good), NotLearned: append(set(probe.Unknown), append(nothingSeen, handshake())...), Known: finding.Seen,
	}}
}

// class is the case of a rule over a weak class; negotiated is a suite of it.
func class(of func(*probe.TLSWeakOffers) *probe.TLSClass, negotiated string) []findingtest.Case[*evidence] {
	set := func(f probe.Fact) *evidence {
		return offers(func(o *probe.TLSOffers) {
			if *of(o.Weak) = (probe.TLSClass{Accepted: f}); f == probe.Yes {
				*of(o.Weak) = probe.TLSClass{Accepted: f, Version: "1.0", Suite: negotiated}
			}
		})
	}
	return []findingtest.Case[*evidence]{
		{
			Fires: []*evidence{set(probe.Yes)}, NotSo: []*evidence{set(probe.No)},
			NotLearned: append(nothingSeen, handshake(), set(probe.Unknown)), Known: finding.Seen, Detail: negotiated + " by TLS 1.0",
		},
		{
			Fires: []*evidence{handshake(func(h *probe.TLS) { h.CipherSuite = negotiated })}, Known: finding.Seen, Detail: "negotiated " + negotiated,
			NotLearned: []*evidence{handshake(func(h *probe.TLS) { h.CipherSuite = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" })},
		},
	}
}

func groups(list ...probe.TLSDHGroup) *evidence {
	return offers(func(o *probe.TLSOffers) { o.DH = append(o.DH, list...) })
}

func TestTLSRules(t *testing.T) {
	type cases = []findingtest.Case[*evidence]
	chainless := append(nothingSeen, handshake(func(h *probe.TLS) { h.Chain = nil }))
	names := func(list ...string) []*evidence {
		return []*evidence{leaf(func(c *probe.Certificate) { c.DNSNames = list })}
	}
	issued := func(year int, month time.Month, days int, logged probe.Fact) func(*probe.Certificate) {
		return func(c *probe.Certificate) {
			c.NotBefore = time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
			c.NotAfter, c.SCTs = c.NotBefore.AddDate(0, 0, days), logged
		}
	}
	ours := func(trusted probe.Fact, change func(*probe.Certificate)) *evidence {
		e := leaf(change)
		e.TLS.Trusted = trusted
		return e
	}
	noSuite := func(o *probe.TLSOffers) { o.DH = nil }
	findingtest.Rules(t, finding.TLS, func(e *evidence) *probe.Result {
		return &probe.Result{Protocol: "test", Target: probe.Target{Name: "ftp.example"}, Started: now, Outcome: probe.OutcomeOK, Evidence: e}
	}, map[string]cases{
		"tls.cert-expired": {{
			Fires: []*evidence{leaf(func(c *probe.Certificate) { c.NotAfter = now.Add(-time.Second) })}, Known: finding.Seen, Detail: "2026-01-02",
			Items: []string{"2026-01-02"}, NotSo: []*evidence{handshake()}, NotLearned: chainless,
		}},
		"tls.cert-untrusted": {{
			Fires: []*evidence{handshake(func(h *probe.TLS) { h.Trusted, h.TrustError = probe.No, "x509: unknown authority" })},
			Known: finding.Seen, Detail: "unknown authority", NotSo: []*evidence{handshake()}, NotLearned: nothingSeen,
		}},
		"tls.cert-mismatch": {{
			Fires: []*evidence{handshake(func(h *probe.TLS) { h.NameMatches = probe.No })}, Known: finding.Seen, Detail: "not for ftp.example",
			NotSo: []*evidence{handshake()}, NotLearned: nothingSeen,
		}},
		"tls.legacy-version": {
			{
				Fires: []*evidence{handshake(func(h *probe.TLS) { h.Versions = []string{"1.1", "1.2"} })}, Known: finding.Seen, Detail: "TLS 1.1",
				Items: []string{"TLS 1.1"}, NotSo: []*evidence{handshake(), offers(func(*probe.TLSOffers) {})}, NotLearned: nothingSeen,
			},
			{
				Fires: []*evidence{offers(func(o *probe.TLSOffers) { o.TLS10, o.TLS11 = probe.Yes, probe.Unknown })}, Known: finding.Seen,
				Detail: "TLS 1.0", Items: []string{"TLS 1.0"},
				NotLearned: []*evidence{handshake(func(h *probe.TLS) { h.Versions, h.Offers = nil, &probe.TLSOffers{TLS10: probe.No} })},
			},
			{
				Fires: []*evidence{handshake(func(h *probe.TLS) { h.Version, h.Versions = "1.0", nil })}, Known: finding.Seen,
				Detail: "negotiated 1.0", Items: []string{"TLS 1.0"},
			},
		},
		"tls.weak-key": {{
			Fires: []*evidence{handshake(func(h *probe.TLS) { h.Chain[1].KeyBits = 1024 })}, Known: finding.Seen, Detail: "RSA 1024",
			Items: []string{"RSA 1024"}, NotSo: []*evidence{handshake()}, NotLearned: chainless,
		}},
		"tls.weak-signature": {{
			Fires: []*evidence{leaf(func(c *probe.Certificate) { c.SignatureAlgorithm = "SHA1-RSA" })}, Known: finding.Seen, Detail: "SHA1-RSA",
			Items: []string{"SHA1-RSA"}, NotSo: []*evidence{handshake()}, NotLearned: chainless,
		}},
		"tls.cert-expires-soon": {{
			Fires: []*evidence{
				leaf(func(c *probe.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 0, -80), now.AddDate(0, 0, 10) }),
				leaf(func(c *probe.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 0, -40), now.AddDate(0, 0, 10) }),
			},
			Known: finding.Seen, Detail: "2026-01-12",
			NotSo: []*evidence{
				leaf(func(c *probe.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 0, -60), now.AddDate(0, 0, 30) }),
				leaf(func(c *probe.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 0, -2), now.AddDate(0, 0, 4) }), // of six days
				leaf(func(c *probe.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 0, -90), now.AddDate(0, 0, -1) }),
			},
			NotLearned: chainless,
		}},
		"tls.cert-long-lived": {{
			Fires: []*evidence{leaf(issued(2025, time.June, 400, probe.Yes))}, Known: finding.Seen, Detail: "400 days, and 398 were agreed on",
			NotSo: []*evidence{
				leaf(issued(2025, time.June, 398, probe.Yes)), leaf(issued(2019, time.June, 800, probe.Yes)),
				ours(probe.No, issued(2025, time.June, 3650, probe.Yes)), // nobody promised anything
				handshake(func(h *probe.TLS) { issued(2025, time.June, 3650, probe.No)(&h.Chain[0]); h.SCTs = probe.No }),
			},
			NotLearned: append(chainless, ours(probe.Unknown, issued(2025, time.June, 3650, probe.Yes)), leaf(issued(2025, time.June, 3650, probe.Unknown))),
		}, {
			Fires: []*evidence{leaf(issued(2026, time.April, 398, probe.Yes))}, Known: finding.Seen, Detail: "398 days, and 200 were agreed on",
		}},
		"tls.cert-wildcard": {{
			Fires: names("*.example", "www.example"), Known: finding.Seen, Detail: "*.example", Items: []string{"*.example"},
			NotSo: names("www.example"), NotLearned: chainless,
		}},
		"tls.cert-internal-names": {
			{
				Fires: names("mx.example", "dc1", "dc1.corp", "*.lan.internal"), Known: finding.Seen, Detail: "dc1, dc1.corp, *.lan.internal",
				Items: []string{"dc1", "dc1.corp", "*.lan.internal"}, NotSo: append(names("mx.example", "localhost"), names()...), NotLearned: chainless,
			},
			{
				Fires: []*evidence{leaf(func(c *probe.Certificate) { c.IPAddresses = []string{"192.0.2.7", "10.1.2.3", "fd00::1"} })},
				Known: finding.Seen, Detail: "10.1.2.3, fd00::1", Items: []string{"10.1.2.3", "fd00::1"},
			},
		},
		"tls.sslv2":            fact(func(o *probe.TLSOffers) *probe.Fact { return &o.SSL2 }, probe.Yes, probe.No),
		"tls.sslv3":            fact(func(o *probe.TLSOffers) *probe.Fact { return &o.SSL3 }, probe.Yes, probe.No),
		"tls.anonymous-suites": class(func(w *probe.TLSWeakOffers) *probe.TLSClass { return &w.Anonymous }, "TLS_DH_anon_WITH_AES_128_CBC_SHA"),
		"tls.null-suites":      class(func(w *probe.TLSWeakOffers) *probe.TLSClass { return &w.Null }, "TLS_ECDHE_RSA_WITH_NULL_SHA"),
		"tls.export-suites":    class(func(w *probe.TLSWeakOffers) *probe.TLSClass { return &w.Export }, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA"),
		"tls.rc4":              class(func(w *probe.TLSWeakOffers) *probe.TLSClass { return &w.RC4 }, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"),
		"tls.3des":             class(func(w *probe.TLSWeakOffers) *probe.TLSClass { return &w.Block64 }, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
		"tls.no-forward-secrecy": class(func(w *probe.TLSWeakOffers) *probe.TLSClass { return &w.NoForwardSecrecy },
			"TLS_RSA_WITH_AES_128_CBC_SHA"),
		"tls.weak-dh": {
			{
				Fires: []*evidence{groups(probe.TLSDHGroup{Bits: 1024}, probe.TLSDHGroup{Bits: 1536})}, Known: finding.Seen,
				Detail: "1024 bits, 1536 bits", Items: []string{"1024 bits", "1536 bits"},
				NotSo: []*evidence{groups(), groups(probe.TLSDHGroup{Bits: 2048})}, NotLearned: append(nothingSeen, handshake(), offers(noSuite)),
			},
			{
				Fires: []*evidence{groups(probe.TLSDHGroup{Bits: 1536}, probe.TLSDHGroup{Bits: 2048})}, Known: finding.Seen,
				Detail: "1536 bits", Items: []string{"1536 bits"}, Severity: finding.Medium,
			},
		},
		"tls.common-dh-prime": {{
			Fires: []*evidence{groups(probe.TLSDHGroup{Bits: 1024, Shared: "RFC 2409 group 2"})}, Known: finding.Seen,
			Detail: "RFC 2409 group 2, 1024 bits", Items: []string{"RFC 2409 group 2, 1024 bits"},
			NotSo:      []*evidence{groups(probe.TLSDHGroup{Bits: 1024}), groups(probe.TLSDHGroup{Bits: 2048, Shared: "RFC 7919 ffdhe2048"})},
			NotLearned: append(nothingSeen, handshake(), offers(noSuite)),
		}},
		"tls.compression": append(fact(func(o *probe.TLSOffers) *probe.Fact { return &o.Compression }, probe.Yes, probe.No),
			findingtest.Case[*evidence]{NotSo: []*evidence{offers(func(o *probe.TLSOffers) { o.TLS12, o.Compression = probe.No, probe.Unknown })}}),
		"tls.insecure-renegotiation": append(fact(func(o *probe.TLSOffers) *probe.Fact { return &o.SecureRenegotiation }, probe.No, probe.Yes),
			findingtest.Case[*evidence]{NotSo: []*evidence{offers(func(o *probe.TLSOffers) { o.TLS12, o.SecureRenegotiation = probe.No, probe.Unknown })}}),
		"tls.no-post-quantum": fact(func(o *probe.TLSOffers) *probe.Fact { return &o.PostQuantum }, probe.No, probe.Yes),
	})
}

// Mail servers don't check each other's certificates, and go on in cleartext if there is no TLS.
func TestOpportunisticTLS(t *testing.T) {
	h := healthy()
	h.Mode, h.Trusted, h.TrustError, h.NameMatches = "starttls", probe.No, "x509: unknown authority", probe.No
	h.Offers = &probe.TLSOffers{Weak: &probe.TLSWeakOffers{Anonymous: probe.TLSClass{Accepted: probe.Yes, Version: "1.2", Suite: "TLS_DH_anon_WITH_AES_128_CBC_SHA"}}}
	for port, want := range map[uint16][]finding.Severity{
		25: {finding.Info, finding.Info, finding.Info}, 587: {finding.High, finding.Medium, finding.Medium},
	} {
		r := &probe.Result{Protocol: "smtp", Started: now, Evidence: &evidence{TLS: h}}
		r.Target.Addr = netip.AddrPortFrom(netip.MustParseAddr("192.0.2.7"), port)
		found := map[string]finding.Severity{}
		for _, f := range finding.Evaluate(r, finding.TLS) {
			found[f.ID] = f.Severity
		}
		require.Equal(t, want, []finding.Severity{found["tls.anonymous-suites"], found["tls.cert-untrusted"], found["tls.cert-mismatch"]}, port)
	}
}

func TestTLSRulesAreComplete(t *testing.T) {
	for _, r := range finding.TLS {
		require.NotEmpty(t, r.Title, r.ID)
		require.NotEmpty(t, r.Summary, r.ID)
		require.NotEmpty(t, r.Remediation, r.ID)
		require.NotEmpty(t, r.References, r.ID)
		require.NotEmpty(t, r.CWE, r.ID)
	}
}
