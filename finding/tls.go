package finding

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// OnTLS makes a Check of a function over the TLS handshake in a result's evidence, whatever its protocol. It isn't so if
// the server offers no TLS or the protocol has none.
func OnTLS(check func(t *probe.TLS, r *probe.Result) Answer) func(*probe.Result) Answer {
	return onOffer(func(r *probe.Result) Answer {
		if t, _ := told(r, probe.TLSEvidence.TLSHandshake, "tls"); t != nil {
			return check(t, r)
		}
		return NotLearned()
	})
}

// onOffer answers for what presupposes that TLS is offered.
func onOffer(check func(r *probe.Result) Answer) func(*probe.Result) Answer {
	return func(r *probe.Result) Answer {
		a := check(r)
		if a.Learned() {
			return a
		}
		return When(withoutTLS(r), probe.No, NotSo())
	}
}

// withoutTLS is No if the server offers no TLS or the protocol has none, else Unknown.
func withoutTLS(r *probe.Result) probe.Fact {
	if offers, ok := r.Evidence.(probe.OfferEvidence); ok && offers.OffersTLS() == probe.No {
		return probe.No
	}
	if _, has := told(r, probe.TLSEvidence.TLSHandshake, "tls"); !has && Speaks(r) != "" {
		return probe.No
	}
	return probe.Unknown
}

// onChain makes a Check of a function that picks certificates of the chain.
func onChain(field string, pick func(i int, c probe.Certificate, r *probe.Result) (item string)) func(*probe.Result) Answer {
	return OnTLS(func(t *probe.TLS, r *probe.Result) Answer {
		if len(t.Chain) == 0 {
			return NotLearned()
		}
		var items []Item
		for i, c := range t.Chain {
			if item := pick(i, c, r); item != "" {
				items = append(items, Item{item, fmt.Sprintf("/evidence/tls/chain/%d/%s", i, field)})
			}
		}
		return FiresOn(Seen, items)
	})
}

// TLS holds the rules over certificates, versions and suites, for every protocol that speaks TLS.
var TLS = Of(OverTLS, slices.Concat(tlsHandshake, tlsCertificate, tlsOffers))

// tlsHandshake holds those that one handshake mostly tells enough for.
var tlsHandshake = []Rule{
	{
		ID: "tls.cert-expired", Title: "certificate expired", Severity: Medium, CWE: []int{298},
		Summary:     "The server's certificate is past its validity, so that clients that check refuse it and people get used to ignoring warnings.",
		Remediation: "Renew the certificate and automate it (ACME); point vsftpd rsa_cert_file, ProFTPD TLSRSACertificateFile, Postfix smtpd_tls_chain_files, Exim tls_certificate or INN tlscertfile at the new one and reload.",
		References:  []string{"RFC 5280 sections 4.1.2.5 and 6.1.3"},
		Check: onChain("not_after", func(i int, c probe.Certificate, r *probe.Result) string {
			if i > 0 || !c.NotAfter.Before(r.Started) {
				return ""
			}
			return c.NotAfter.Format("2006-01-02")
		}),
	},
	{
		ID: "tls.cert-untrusted", Title: "certificate not trusted", Severity: Medium, Varies: []Severity{Medium, Info}, CWE: []int{295},
		Summary:     "The certificate chain leads to no trusted root, so that clients can't tell the server from an impostor.",
		Remediation: "Install a certificate of a public CA, or of your own CA that your clients trust, together with its intermediates: vsftpd rsa_cert_file, ProFTPD TLSCertificateChainFile, Postfix smtpd_tls_chain_files, Exim tls_certificate, INN tlscertfile.",
		References:  []string{"RFC 5280 section 6", "RFC 7817 section 3", "RFC 8143 section 2"},
		Check: ratedBy(OnTLS(func(t *probe.TLS, _ *probe.Result) Answer {
			return When(t.Trusted, probe.No, Fires(Seen, "/evidence/tls/trusted", "/evidence/tls/trust_error").With(strings.TrimPrefix(t.TrustError, "x509: ")))
		})),
	},
	{
		ID: "tls.cert-mismatch", Title: "certificate for another name", Severity: Medium, Varies: []Severity{Medium, Info}, CWE: []int{297},
		Summary:     "The certificate isn't for the name by which the server was reached, so that clients that check refuse it.",
		Remediation: "Issue a certificate whose subject alternative names hold every name that clients use for this server.",
		References:  []string{"RFC 9525 section 6", "RFC 7817 section 3"},
		Check: ratedBy(OnTLS(func(t *probe.TLS, r *probe.Result) Answer {
			return When(t.NameMatches, probe.No, Fires(Seen, "/evidence/tls/name_matches", "/evidence/tls/chain/0/dns_names").With("not for "+r.Target.Name))
		})),
	},
	{
		ID: "tls.legacy-version", Title: "TLS 1.0 or 1.1", Severity: Medium, CWE: []int{327},
		Summary: "The server accepts a version of TLS that was deprecated for its weak primitives.",
		Remediation: "Allow TLS 1.2 and 1.3 only. vsftpd: ssl_tlsv1=NO, and for TLS 1.1 ssl_tlsv11=NO (3.0.5; ssl_tlsv1_1=NO in the packages of Red Hat and SUSE), " +
			"or MinProtocol = TLSv1.2 in openssl.cnf (3.0.3, which has neither name and doesn't start with them). ProFTPD: TLSProtocol TLSv1.2 TLSv1.3. " +
			"Postfix: smtpd_tls_protocols and smtpd_tls_mandatory_protocols = >=TLSv1.2 (before 3.6: !SSLv2, !SSLv3, !TLSv1, !TLSv1.1). " +
			"Exim: openssl_options = +no_sslv2 +no_sslv3 +no_tlsv1 +no_tlsv1_1, or with GnuTLS tls_require_ciphers = NORMAL:-VERS-TLS1.0:-VERS-TLS1.1. " +
			"INN: tlsprotocols: [ TLSv1.2 TLSv1.3 ].",
		References: []string{"RFC 8996", "RFC 9325 section 3.1.1", "NIST SP 800-52 Rev. 2 section 3.1"},
		Check:      OnTLS(legacyVersion),
	},
	{
		ID: "tls.weak-key", Title: "weak key in the certificate", Severity: Low, CWE: []int{326},
		Summary:     "A certificate of the chain has an RSA key that is too short for today.",
		Remediation: "Issue a certificate with an RSA key of at least 2048 bits, or an ECDSA key on P-256.",
		References:  []string{"RFC 9325 section 4.5", "NIST SP 800-57 Part 1 Rev. 5"},
		Check: onChain("key_bits", func(_ int, c probe.Certificate, _ *probe.Result) string {
			if c.KeyType != "RSA" || c.KeyBits >= 2048 {
				return ""
			}
			return fmt.Sprintf("RSA %d", c.KeyBits)
		}),
	},
	{
		ID: "tls.weak-signature", Title: "weak signature in the chain", Severity: Low, CWE: []int{328},
		Summary:     "A certificate of the chain is signed with MD5 or SHA-1, for which collisions can be made.",
		Remediation: "Issue the certificate anew, signed with SHA-256 or better.",
		References:  []string{"RFC 9325 section 4.5", "RFC 6151", "RFC 6194"},
		Check: onChain("signature_algorithm", func(i int, c probe.Certificate, _ *probe.Result) string {
			// Nobody relies on a root's signature of itself.
			if i > 0 && c.SelfSigned || !slices.Contains(weakSignatures, c.SignatureAlgorithm) {
				return ""
			}
			return c.SignatureAlgorithm
		}),
	},
}

// legacyVersion is not so only if it was asked which versions are accepted: the one that was negotiated is the best of both
// sides, and says nothing of lower ones.
func legacyVersion(t *probe.TLS, _ *probe.Result) Answer {
	legacy := func(v string) bool { return v == "1.0" || v == "1.1" }
	if o := t.Offers; o != nil {
		var items []Item
		if o.TLS10 == probe.Yes {
			items = append(items, Item{"TLS 1.0", offersPointer + "/tls10"})
		}
		if o.TLS11 == probe.Yes {
			items = append(items, Item{"TLS 1.1", offersPointer + "/tls11"})
		}
		if items != nil || o.TLS10 == probe.No && o.TLS11 == probe.No {
			return FiresOn(Seen, items)
		}
	}
	switch {
	case legacy(t.Version):
		return Fires(Seen, "/evidence/tls/version").About(Item{"TLS " + t.Version, "/evidence/tls/version"}).With("negotiated " + t.Version)
	case t.Versions != nil:
		items := Items(t.Versions, "/evidence/tls/versions", legacy)
		for i := range items {
			items[i].Value = "TLS " + items[i].Value
		}
		return FiresOn(Seen, items)
	}
	return NotLearned()
}

var weakSignatures = []string{"MD2-RSA", "MD5-RSA", "SHA1-RSA", "DSA-SHA1", "ECDSA-SHA1"}
