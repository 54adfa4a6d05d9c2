package finding

import (
	"fmt"

	"github.com/handclasp/handclasp/internal/tlshello"
	"github.com/handclasp/handclasp/probe"
)

const offersPointer = "/evidence/tls/offers"

// onOffers makes a Check of a function over what the server accepts by TLS.
func onOffers(check func(o *probe.TLSOffers, r *probe.Result) Answer) func(*probe.Result) Answer {
	return OnTLS(func(t *probe.TLS, r *probe.Result) Answer {
		if t.Offers == nil {
			return NotLearned()
		}
		return check(t.Offers, r)
	})
}

// onClass makes a Check of a weak class of suites. The suite that was negotiated tells as well: it is the best of both sides.
func onClass(field string, of func(w *probe.TLSWeakOffers) probe.TLSClass, has func(tlshello.Suite) bool) func(*probe.Result) Answer {
	return OnTLS(func(t *probe.TLS, r *probe.Result) Answer {
		if t.Offers != nil && t.Offers.Weak != nil {
			c, at := of(t.Offers.Weak), offersPointer+"/weak/"+field
			if c.Accepted != probe.Unknown {
				return When(c.Accepted, probe.Yes, Fires(Seen, at+"/accepted", at+"/suite").With(c.Suite+" by "+versionText(c.Version)))
			}
		}
		if suite, ok := tlshello.SuiteNamed(t.CipherSuite); ok && has(suite) {
			return Fires(Seen, "/evidence/tls/cipher_suite").With("negotiated " + t.CipherSuite)
		}
		return NotLearned()
	})
}

func versionText(v string) string {
	if v == "SSLv2" || v == "SSLv3" {
		return v
	}
	return "TLS " + v
}

// onDH makes a Check of a function that picks groups for Diffie-Hellman.
func onDH(field string, pick func(g probe.TLSDHGroup) (item string)) func(*probe.Result) Answer {
	return onOffers(func(o *probe.TLSOffers, _ *probe.Result) Answer {
		if o.DH == nil {
			return NotLearned()
		}
		var items []Item
		for i, g := range o.DH {
			if item := pick(g); item != "" {
				items = append(items, Item{item, fmt.Sprintf("%s/dh/%d/%s", offersPointer, i, field)})
			}
		}
		return FiresOn(Seen, items)
	})
}

// tls13Only reports whether the server accepts nothing before TLS 1.3, which has neither compression nor renegotiation.
func tls13Only(o *probe.TLSOffers) bool {
	return o.TLS13 == probe.Yes && o.SSL3 == probe.No && o.TLS10 == probe.No && o.TLS11 == probe.No && o.TLS12 == probe.No
}

// beforeTLS13 makes a Check of a fact that there is before TLS 1.3 alone.
func beforeTLS13(field string, bad probe.Fact, fact func(o *probe.TLSOffers) probe.Fact) func(*probe.Result) Answer {
	return onOffers(func(o *probe.TLSOffers, _ *probe.Result) Answer {
		if tls13Only(o) {
			return NotSo()
		}
		return When(fact(o), bad, Fires(Seen, offersPointer+"/"+field))
	})
}

// opportunistic reports whether TLS is that of mail between servers, which go on in cleartext if there is none, and don't check
// whose certificate it is (RFC 7435 §3): any TLS is better than that.
func opportunistic(t *probe.TLS, r *probe.Result) bool {
	return r.Protocol == "smtp" && r.Target.Addr.Port() == 25 && t.Mode == "starttls"
}

// ratedBy gives an answer severity info if TLS is opportunistic.
func ratedBy(check func(*probe.Result) Answer) func(*probe.Result) Answer {
	return func(r *probe.Result) Answer {
		a := check(r)
		if t, _ := told(r, probe.TLSEvidence.TLSHandshake, "tls"); t != nil && opportunistic(t, r) {
			return a.Rated(Info)
		}
		return a
	}
}

const allowModern = "Allow TLS 1.2 and 1.3 with the suites of RFC 9325 section 4.2 alone: vsftpd ssl_ciphers, ProFTPD TLSCipherSuite, Postfix smtpd_tls_ciphers = high and smtpd_tls_exclude_ciphers, Exim tls_require_ciphers, INN tlsciphers."

// tlsOffers holds the rules over what a server accepts by TLS.
var tlsOffers = []Rule{
	{
		ID: "tls.sslv2", Title: "SSL 2.0", Severity: High, CWE: []int{327}, CVE: []string{"CVE-2016-0800"}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server answers hellos of SSL 2.0, which protects nothing, and by which connections of other versions that use the same key can be read.",
		Remediation: "Update the TLS library, which has no SSL 2.0 since 2016, and switch it off: Postfix smtpd_tls_protocols = >=TLSv1.2, ProFTPD TLSProtocol TLSv1.2 TLSv1.3. Replace the key.",
		References:  []string{"RFC 6176", "CVE-2016-0800", "RFC 9325 section 3.1.1"},
		Check: onOffers(func(o *probe.TLSOffers, _ *probe.Result) Answer {
			return When(o.SSL2, probe.Yes, Fires(Seen, offersPointer+"/ssl2"))
		}),
	},
	{
		ID: "tls.sslv3", Title: "SSL 3.0", Severity: High, CWE: []int{327}, CVE: []string{"CVE-2014-3566"}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server accepts SSL 3.0, from whose connections somebody on the way can read.",
		Remediation: "Switch it off: Postfix smtpd_tls_protocols = >=TLSv1.2, ProFTPD TLSProtocol TLSv1.2 TLSv1.3, vsftpd ssl_sslv3=NO, Exim openssl_options = +no_sslv3, INN tlsprotocols: [ TLSv1.2 TLSv1.3 ].",
		References:  []string{"RFC 7568", "CVE-2014-3566", "RFC 9325 section 3.1.1"},
		Check: onOffers(func(o *probe.TLSOffers, _ *probe.Result) Answer {
			return When(o.SSL3, probe.Yes, Fires(Seen, offersPointer+"/ssl3"))
		}),
	},
	{
		ID: "tls.anonymous-suites", Title: "anonymous suites", Severity: High, Varies: []Severity{High, Info}, CWE: []int{306, 327}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server accepts suites without a certificate, so that somebody on the way can pose as the server. Between mail servers, which don't check certificates, it makes no difference.",
		Remediation: "Exclude aNULL. " + allowModern,
		References:  []string{"RFC 5246 appendix F.1.1.1", "RFC 9325 section 4.1"},
		Check:       ratedBy(onClass("anonymous", func(w *probe.TLSWeakOffers) probe.TLSClass { return w.Anonymous }, tlshello.Suite.Anonymous)),
	},
	{
		ID: "tls.null-suites", Title: "suites without encryption", Severity: High, CWE: []int{319, 327}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server accepts suites that encrypt nothing.",
		Remediation: "Exclude eNULL. " + allowModern,
		References:  []string{"RFC 9325 section 4.1"},
		Check:       onClass("null", func(w *probe.TLSWeakOffers) probe.TLSClass { return w.Null }, tlshello.Suite.Null),
	},
	{
		ID: "tls.export-suites", Title: "export suites", Severity: High, CWE: []int{326, 327}, CVE: []string{"CVE-2015-0204", "CVE-2015-4000"}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server accepts suites whose keys were made short by law, which are found out within hours.",
		Remediation: "Exclude EXPORT, and update the TLS library, which has none since 2016. " + allowModern,
		References:  []string{"RFC 9325 section 4.1", "CVE-2015-0204", "CVE-2015-4000"},
		Check:       onClass("export", func(w *probe.TLSWeakOffers) probe.TLSClass { return w.Export }, tlshello.Suite.Export),
	},
	{
		ID: "tls.rc4", Title: "RC4", Severity: Medium, CWE: []int{327}, CVE: []string{"CVE-2015-2808"}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server accepts RC4, which shows parts of what is said often.",
		Remediation: "Exclude RC4. " + allowModern,
		References:  []string{"RFC 7465", "CVE-2015-2808"},
		Check:       onClass("rc4", func(w *probe.TLSWeakOffers) probe.TLSClass { return w.RC4 }, tlshello.Suite.RC4),
	},
	{
		ID: "tls.3des", Title: "ciphers with small blocks", Severity: Low, CWE: []int{327}, CVE: []string{"CVE-2016-2183"}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server accepts 3DES or another cipher with blocks of 64 bits, which shows parts of very long connections.",
		Remediation: "Exclude 3DES, IDEA and DES. " + allowModern,
		References:  []string{"CVE-2016-2183", "RFC 9325 section 4.1", "NIST SP 800-131A Rev. 2"},
		Check:       onClass("block64", func(w *probe.TLSWeakOffers) probe.TLSClass { return w.Block64 }, tlshello.Suite.Block64),
	},
	{
		ID: "tls.no-forward-secrecy", Title: "no forward secrecy", Severity: Low, CWE: []int{326}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server accepts suites by which recorded connections can be read by whoever gets hold of its key later.",
		Remediation: "Exclude kRSA, so that ECDHE is left. " + allowModern,
		References:  []string{"RFC 9325 section 4.1"},
		Check: onClass("no_forward_secrecy", func(w *probe.TLSWeakOffers) probe.TLSClass { return w.NoForwardSecrecy },
			func(s tlshello.Suite) bool { return !s.ForwardSecrecy() }),
	},
	{
		ID: "tls.weak-dh", Title: "small Diffie-Hellman group", Severity: High, Varies: []Severity{High, Medium}, CWE: []int{326}, CVE: []string{"CVE-2015-4000"}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server brings a group for Diffie-Hellman that is too small for today; one of 1024 bits can be broken by those who can afford it.",
		Remediation: "Use a group of 2048 bits or more, such as ffdhe2048, or ECDHE alone: Postfix smtpd_tls_dh1024_param_file, ProFTPD TLSDHParamFile, vsftpd dh_param_file, Exim tls_dhparam = ffdhe2048.",
		References:  []string{"RFC 7919", "RFC 9325 section 4.1", "CVE-2015-4000"},
		Check: func(r *probe.Result) Answer {
			least := 0
			a := onDH("bits", func(g probe.TLSDHGroup) string {
				if g.Bits >= 2048 {
					return ""
				}
				if least == 0 || g.Bits < least {
					least = g.Bits
				}
				return fmt.Sprintf("%d bits", g.Bits)
			})(r)
			if least > 1024 {
				return a.Rated(Medium)
			}
			return a
		},
	},
	{
		ID: "tls.common-dh-prime", Title: "Diffie-Hellman prime that many share", Severity: Low, CWE: []int{326}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server's prime for Diffie-Hellman is one that many servers have, and small enough that the work of breaking it, done once, pays. From 2048 bits on shared primes are what is recommended.",
		Remediation: "Use ffdhe2048 or larger, or ECDHE alone: Postfix smtpd_tls_dh1024_param_file, ProFTPD TLSDHParamFile, vsftpd dh_param_file, Exim tls_dhparam = ffdhe2048.",
		References:  []string{"RFC 7919", "CVE-2015-4000"},
		Check: onDH("shared", func(g probe.TLSDHGroup) string {
			if g.Shared == "" || g.Bits >= 2048 {
				return ""
			}
			return fmt.Sprintf("%s, %d bits", g.Shared, g.Bits)
		}),
	},
	{
		ID: "tls.compression", Title: "TLS compression", Severity: Medium, CWE: []int{310}, CVE: []string{"CVE-2012-4929"}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server compresses what it encrypts, so that the length tells of the content.",
		Remediation: "Update the TLS library, which has compression off by default since 2013, and leave it off (OpenSSL: SSL_OP_NO_COMPRESSION; Postfix tls_ssl_options = NO_COMPRESSION).",
		References:  []string{"RFC 9325 section 3.3", "CVE-2012-4929"},
		Check:       beforeTLS13("compression", probe.Yes, func(o *probe.TLSOffers) probe.Fact { return o.Compression }),
	},
	{
		ID: "tls.insecure-renegotiation", Title: "insecure renegotiation", Severity: Medium, CWE: []int{757}, CVE: []string{"CVE-2009-3555"}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server doesn't know secure renegotiation, so that somebody on the way can put data of their own before a client's.",
		Remediation: "Update the TLS library: all have had it since 2010.",
		References:  []string{"RFC 5746", "CVE-2009-3555", "RFC 9325 section 3.5"},
		Check:       beforeTLS13("secure_renegotiation", probe.No, func(o *probe.TLSOffers) probe.Fact { return o.SecureRenegotiation }),
	},
	{
		ID: "tls.no-post-quantum", Title: "no post-quantum key exchange", Severity: Info, CWE: []int{327}, Needs: Needs{Knob: "TLS"},
		Summary:     "The server accepts no key exchange that withstands a quantum computer, so that what is recorded today may be read one day.",
		Remediation: "Update to OpenSSL 3.5, GnuTLS 3.8.9 or Go 1.24 and leave X25519MLKEM768 among the groups.",
		References:  []string{"FIPS 203", "draft-ietf-tls-ecdhe-mlkem"},
		Check: onOffers(func(o *probe.TLSOffers, _ *probe.Result) Answer {
			return When(o.PostQuantum, probe.No, Fires(Seen, offersPointer+"/post_quantum"))
		}),
	},
}
