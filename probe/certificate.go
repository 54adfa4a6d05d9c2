package probe

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Certificate is what an X.509 certificate says (RFC 5280 §4.1). Text in it is the server's.
type Certificate struct {
	Subject     string   `json:"subject"` // RFC 2253 distinguished name; may be empty
	Issuer      string   `json:"issuer"`
	Serial      string   `json:"serial"` // hexadecimal, without leading zeros
	DNSNames    []string `json:"dns_names" diff:"identifying"`
	IPAddresses []string `json:"ip_addresses"`
	// NotBefore and NotAfter are in UTC, to the second. A time zone may carry them out of the years 0 to 9999, which is
	// all that JSON can hold (RFC 3339): they are then the nearest second within.
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	// KeyType is "RSA", "ECDSA" or "Ed25519", else empty.
	KeyType string `json:"key_type"`
	// KeyBits is the size of an RSA modulus or an ECDSA group, 256 for Ed25519; 0 if the type isn't known.
	KeyBits int `json:"key_bits"`
	// SignatureAlgorithm is spelled as by crypto/x509, such as "SHA256-RSA" or "ECDSA-SHA256".
	SignatureAlgorithm string `json:"signature_algorithm"`
	SHA256             string `json:"sha256"` // of the whole certificate, hexadecimal
	// KeySHA256 is that of the public key alone (SubjectPublicKeyInfo), which renewed certificates may keep; empty in results
	// of before there was such a field.
	KeySHA256 string `json:"key_sha256" diff:"identifying"`
	// KeyUsage is what the key is for (RFC 5280 §4.2.1.3), such as "digitalSignature"; null if the certificate doesn't say.
	KeyUsage []string `json:"key_usage"`
	// MustStaple says whether the certificate demands a stapled OCSP response (RFC 7633).
	MustStaple Fact `json:"must_staple"`
	// SCTs says whether timestamps of Certificate Transparency are embedded (RFC 6962 §3.3).
	SCTs Fact `json:"scts"`
	// SelfSigned says that the certificate names itself as its issuer, and its own key if it names the issuer's. Its
	// signature isn't verified with that key: it would cost as much as a third of the handshake and prove nothing more
	// about the server.
	SelfSigned bool `json:"self_signed"`
	// DER is the certificate itself; absent if Options.NoDER left it out.
	DER []byte `json:"der,omitempty"`
}

func describeCertificate(cert *x509.Certificate) Certificate {
	sum, key := sha256.Sum256(cert.Raw), sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	c := Certificate{
		DNSNames:           []string{},
		IPAddresses:        []string{},
		NotBefore:          representable(cert.NotBefore),
		NotAfter:           representable(cert.NotAfter),
		SignatureAlgorithm: cert.SignatureAlgorithm.String(),
		SHA256:             hex.EncodeToString(sum[:]),
		KeySHA256:          hex.EncodeToString(key[:]),
		KeyUsage:           keyUsage(cert),
		MustStaple:         FactOf(mustStaple(cert)),
		SCTs:               FactOf(extension(cert, oidSCTs) != nil),
		SelfSigned:         selfSigned(cert),
	}
	c.Subject, _ = UTF8([]byte(distinguishedName(cert.Subject)))
	c.Issuer, _ = UTF8([]byte(distinguishedName(cert.Issuer)))
	if cert.SerialNumber != nil {
		c.Serial = cert.SerialNumber.Text(16)
	}
	for _, name := range cert.DNSNames {
		clean, _ := UTF8([]byte(name))
		c.DNSNames = append(c.DNSNames, clean)
	}
	for _, ip := range cert.IPAddresses {
		c.IPAddresses = append(c.IPAddresses, ip.String())
	}
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		c.KeyType, c.KeyBits = "RSA", key.N.BitLen()
	case *ecdsa.PublicKey:
		c.KeyType, c.KeyBits = "ECDSA", key.Params().BitSize
	case ed25519.PublicKey:
		c.KeyType, c.KeyBits = "Ed25519", 256
	}
	return c
}

// describeCertificate keeps the certificate itself beside what it says, unless that isn't wanted.
func (s *Session) describeCertificate(cert *x509.Certificate) Certificate {
	c := describeCertificate(cert)
	if !s.opts.NoDER {
		c.DER = bytes.Clone(cert.Raw)
	}
	return c
}

// representable is t in UTC, moved into the years that time.Time marshals.
func representable(t time.Time) time.Time {
	t = t.UTC()
	switch {
	case t.Year() > 9999:
		return time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
	case t.Year() < 0:
		return time.Date(0, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	return t
}

// distinguishedName is n.String(), which takes a time that grows with the square of the number of attributes: seconds
// for the 20,000 that fit in a handshake.
func distinguishedName(n pkix.Name) string {
	sets := n.ToRDNSequence() // those that have a field in pkix.Name
	named := map[string]bool{}
	for _, set := range sets {
		for _, attribute := range set {
			named[attribute.Type.String()] = true
		}
	}
	var others pkix.RDNSequence
	for _, attribute := range n.Names {
		if !named[attribute.Type.String()] {
			others = append(others, []pkix.AttributeTypeAndValue{attribute})
		}
	}
	var b strings.Builder
	for _, set := range slices.Backward(append(others, sets...)) { // RFC 2253 §2.1 begins with the last
		for i, attribute := range set {
			switch {
			case i > 0:
				b.WriteByte('+')
			case b.Len() > 0:
				b.WriteByte(',')
			}
			b.WriteString(pkix.RDNSequence{{attribute}}.String())
		}
	}
	return b.String()
}

func selfSigned(cert *x509.Certificate) bool {
	return bytes.Equal(cert.RawSubject, cert.RawIssuer) &&
		(len(cert.AuthorityKeyId) == 0 || bytes.Equal(cert.AuthorityKeyId, cert.SubjectKeyId))
}

// judge describes the chain, and fills in what depends on roots, name and time.
func (t *TLS) judge(chain []*x509.Certificate, s *Session) {
	if len(chain) == 0 {
		return
	}
	j := s.opts.Chains.of(chain, func() judged { return s.judge(chain) })
	t.Chain, t.Trusted, t.TrustError = j.chain, j.trusted, j.trustError
	if s.target.Name != "" {
		t.NameMatches = FactOf(chain[0].VerifyHostname(s.target.Name) == nil)
	}
}

func (s *Session) judge(chain []*x509.Certificate) (j judged) {
	for _, cert := range chain {
		j.chain = append(j.chain, s.describeCertificate(cert))
	}
	leaf := chain[0]
	opts := x509.VerifyOptions{
		Roots:         s.opts.RootCAs,
		Intermediates: x509.NewCertPool(),
		CurrentTime:   withinValidity(s.log.start, leaf),
	}
	for _, cert := range chain[1:] {
		opts.Intermediates.AddCert(cert)
	}
	switch _, err := leaf.Verify(opts); {
	case err == nil:
		j.trusted = Yes
	case opts.Roots == nil && noSystemRoots():
		j.trustError = "the system has no roots to judge by"
	default:
		j.trusted = No
		j.trustError = trustError(err)
	}
	return j
}

// noSystemRoots reports whether the system trusts nobody, as in a container without a package of certificates.
var noSystemRoots = sync.OnceValue(func() bool {
	pool, err := x509.SystemCertPool()
	return err != nil || pool.Equal(x509.NewCertPool())
})

// withinValidity is now, or the moment of the leaf's validity that is nearest to it.
func withinValidity(now time.Time, leaf *x509.Certificate) time.Time {
	switch {
	case now.After(leaf.NotAfter):
		return leaf.NotAfter
	case now.Before(leaf.NotBefore):
		return leaf.NotBefore
	}
	return now
}
