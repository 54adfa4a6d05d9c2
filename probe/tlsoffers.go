package probe

import (
	"crypto/x509"

	"github.com/handclasp/handclasp/internal/tlshello"
)

// TLSOffers is what a server accepts by TLS, found out by a ClientHello on a connection of its own for each question. Facts are
// unknown, and lists null, if they weren't asked for in this mode, or if the server didn't answer; a list that is empty was
// asked for.
type TLSOffers struct {
	Mode TLSMode `json:"mode"`
	// Connections is how many ClientHellos were asked for.
	Connections int `json:"connections"`

	// SSL2 to TLS13 say whether a hello of just this version gets a ServerHello of it.
	SSL2  Fact `json:"ssl2"`
	SSL3  Fact `json:"ssl3"`
	TLS10 Fact `json:"tls10"`
	TLS11 Fact `json:"tls11"`
	TLS12 Fact `json:"tls12"`
	TLS13 Fact `json:"tls13"`
	// Versions are the accepted ones, oldest first; null if none of the six is known.
	Versions []TLSVersionOffer `json:"versions"`

	// Weak is null in mode "versions".
	Weak *TLSWeakOffers `json:"weak"`
	// DH are the groups that the server brought for Diffie-Hellman over integers before TLS 1.3; null in mode "versions".
	// Mode "weak" sees the one that a server has for most suites, beside those for export and anonymous ones.
	DH []TLSDHGroup `json:"dh"`
	// PostQuantum says whether a post-quantum group is accepted, which takes TLS 1.3; unknown in mode "versions".
	PostQuantum Fact `json:"post_quantum"`
	// PostQuantumGroup is the one seen, such as X25519MLKEM768.
	PostQuantumGroup string `json:"post_quantum_group"`

	// SecureRenegotiation (RFC 5746) and ExtendedMasterSecret (RFC 7627) are those of the highest version before TLS 1.3,
	// which has no need of either; the latter is unknown for SSL 3.0, which can't have it.
	SecureRenegotiation  Fact `json:"secure_renegotiation"`
	ExtendedMasterSecret Fact `json:"extended_master_secret"`
	// Compression says whether any version before TLS 1.3 chose DEFLATE (RFC 3749; CVE-2012-4929).
	Compression Fact `json:"compression"`
	// FallbackSCSV says whether a second try with a lower version is told from a first (RFC 7507); unknown if there is
	// only one version from SSL 3.0 on.
	FallbackSCSV Fact `json:"fallback_scsv"`
	// ClientCertificate says whether the highest version before TLS 1.3 asks for one.
	ClientCertificate Fact `json:"client_certificate_requested"`
	// Chains are the chains seen before TLS 1.3, one for each certificate of the server's own: it may have one for each kind of
	// key. Null if none was seen.
	Chains [][]Certificate `json:"chains"`
}

// A TLSVersionOffer is what a server accepts by one version.
type TLSVersionOffer struct {
	// Version is "SSLv2", "SSLv3", or "1.0" to "1.3".
	Version string `json:"version"`
	// Suite is the one chosen from a hello that offered what is usual, by IANA's name; empty for SSLv2.
	Suite string `json:"suite"`
	// Suites are all that are accepted, by IANA's name, in mode "full", and for SSLv2, whose server lists them. They are in
	// the server's order, or, if it takes the first of the client's that it knows, the strongest first.
	Suites []string `json:"suites"`
	// ServerOrder says whether the order is the server's; unknown if there are fewer than two suites, or it wasn't asked.
	ServerOrder Fact `json:"server_order"`
	// Groups are all that are accepted by TLS 1.3, and by the highest version before it, by IANA's name and in the order
	// of choice, in mode "full". Before TLS 1.3 they are curves: for Diffie-Hellman over integers see [TLSOffers.DH].
	Groups []string `json:"groups"`
}

// TLSWeakOffers are the weak classes of suites.
type TLSWeakOffers struct {
	Anonymous        TLSClass `json:"anonymous"`          // no certificate (RFC 5246 §F.1.1.1)
	Null             TLSClass `json:"null"`               // no encryption
	Export           TLSClass `json:"export"`             // keys of 40 and 56 bits
	RC4              TLSClass `json:"rc4"`                // RFC 7465
	Block64          TLSClass `json:"block64"`            // 3DES and others with blocks of 64 bits (CVE-2016-2183)
	NoForwardSecrecy TLSClass `json:"no_forward_secrecy"` // RFC 9325 §4.1
	DHE              TLSClass `json:"dhe"`                // not weak in itself: see TLSOffers.DH for the groups
}

// A TLSClass says whether a suite of a class is accepted, and names the version and the suite that proves it.
type TLSClass struct {
	Accepted Fact   `json:"accepted"`
	Version  string `json:"version"`
	Suite    string `json:"suite"`
}

// A TLSDHGroup is a group for Diffie-Hellman over integers.
type TLSDHGroup struct {
	Bits          int    `json:"bits"`           // of the prime
	GeneratorBits int    `json:"generator_bits"` // 2 has two
	PrimeSHA256   string `json:"prime_sha256"`   // of the prime's bytes, big-endian without leading zeros; hexadecimal
	// Shared is who published the prime, or ships it as a default; empty for one that isn't known to be shared.
	Shared string `json:"shared"`
	// Version and Suite are what it was seen with first.
	Version string `json:"version"`
	Suite   string `json:"suite"`
}

// offersOf makes evidence of what was found out. Certificates that can't be parsed are left out.
func (s *Session) offersOf(o *tlshello.Offers) *TLSOffers {
	e := &TLSOffers{
		Mode: s.opts.TLS, Connections: o.Connections,
		SSL2: Fact(o.SSL2), SSL3: Fact(o.SSL3), TLS10: Fact(o.TLS10), TLS11: Fact(o.TLS11), TLS12: Fact(o.TLS12), TLS13: Fact(o.TLS13),
		PostQuantum: Fact(o.PostQuantum), PostQuantumGroup: o.PostQuantumGroup,
		SecureRenegotiation: Fact(o.SecureRenegotiation), ExtendedMasterSecret: Fact(o.ExtendedMasterSecret),
		Compression: Fact(o.Compression), FallbackSCSV: Fact(o.FallbackSCSV), ClientCertificate: Fact(o.ClientCertificate),
	}
	if o.Versions != nil {
		e.Versions = []TLSVersionOffer{}
	}
	for _, v := range o.Versions {
		e.Versions = append(e.Versions, TLSVersionOffer{v.Version, v.Suite, v.Suites, Fact(v.ServerOrder), v.Groups})
	}
	if w := o.Weak; w != nil {
		class := func(c tlshello.Class) TLSClass { return TLSClass{Fact(c.Accepted), c.Version, c.Suite} }
		e.Weak = &TLSWeakOffers{
			class(w.Anonymous), class(w.Null), class(w.Export), class(w.RC4), class(w.Block64), class(w.NoForwardSecrecy), class(w.DHE),
		}
	}
	if o.DH != nil {
		e.DH = []TLSDHGroup{}
	}
	for _, g := range o.DH {
		e.DH = append(e.DH, TLSDHGroup(g))
	}
	for _, chain := range o.Chains {
		var described []Certificate
		for _, der := range chain {
			if cert, err := x509.ParseCertificate(der); err == nil {
				described = append(described, s.describeCertificate(cert))
			}
		}
		if described != nil {
			e.Chains = append(e.Chains, described)
		}
	}
	return e
}
