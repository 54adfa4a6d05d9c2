package tlshello

import (
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
)

// A ServerHello is the server's choice (RFC 5246 §7.4.1.3, RFC 8446 §4.1.3), or a HelloRetryRequest (RFC 8446 §4.1.4).
type ServerHello struct {
	Version Version
	Suite   Suite
	// Retry says that it is a HelloRetryRequest.
	Retry bool
	// Group is the one that TLS 1.3 chose; 0 before TLS 1.3.
	Group Group
	// Compressed says that a compression method was chosen (RFC 3749).
	Compressed bool
	// SecureRenegotiation says that the server answered renegotiation_info (RFC 5746 §3.4), ExtendedMasterSecret that it
	// will hash the handshake into the keys (RFC 7627 §5.1). TLS 1.3 has neither.
	SecureRenegotiation, ExtendedMasterSecret bool
}

// retryRandom is the random of a HelloRetryRequest (RFC 8446 §4.1.3).
const retryRandom = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

// ParseServerHello reads the body of a ServerHello.
func ParseServerHello(b []byte) (*ServerHello, error) {
	s := cryptobyte.String(b)
	var version, suite uint16
	var random []byte
	var session, extensions cryptobyte.String
	var compression uint8
	if !s.ReadUint16(&version) || !s.ReadBytes(&random, 32) || !s.ReadUint8LengthPrefixed(&session) || len(session) > 32 ||
		!s.ReadUint16(&suite) || !s.ReadUint8(&compression) ||
		!s.Empty() && (!s.ReadUint16LengthPrefixed(&extensions) || !s.Empty()) {
		return nil, malformed("ServerHello")
	}
	h := &ServerHello{
		Version: Version(version), Suite: SuiteOf(suite), Compressed: compression != 0, Retry: string(random) == retryRandom,
	}
	for !extensions.Empty() {
		var kind uint16
		var body cryptobyte.String
		if !extensions.ReadUint16(&kind) || !extensions.ReadUint16LengthPrefixed(&body) || !h.extension(kind, body) {
			return nil, malformed("ServerHello's extensions")
		}
	}
	return h, nil
}

func (h *ServerHello) extension(kind uint16, body cryptobyte.String) (ok bool) {
	switch kind {
	case extSupportedVersions:
		return body.ReadUint16((*uint16)(&h.Version)) && body.Empty()
	case extKeyShare: // behind the group, a ServerHello has a share, which nobody asked for
		return body.ReadUint16((*uint16)(&h.Group))
	case extRenegotiationInfo:
		h.SecureRenegotiation = true
	case extExtendedMasterSecret:
		h.ExtendedMasterSecret = true
	}
	return true
}

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

// ParseCertificate reads the body of a Certificate message before TLS 1.3 (RFC 5246 §7.4.2): the chain in DER, the
// server's own first. The certificates aren't looked into.
func ParseCertificate(b []byte) ([][]byte, error) {
	s := cryptobyte.String(b)
	var list cryptobyte.String
	if !s.ReadUint24LengthPrefixed(&list) || !s.Empty() {
		return nil, malformed("Certificate")
	}
	chain := [][]byte{}
	for !list.Empty() {
		var der cryptobyte.String
		if !list.ReadUint24LengthPrefixed(&der) || len(der) == 0 {
			return nil, malformed("Certificate")
		}
		chain = append(chain, der)
	}
	return chain, nil
}

// A KeyExchange is what the server brings to an ephemeral key exchange before TLS 1.3 (RFC 5246 §7.4.3). Its own share
// and its signature are left out.
type KeyExchange struct {
	// Prime and Generator are the group of DHE, else nil.
	Prime, Generator *big.Int
	// Group is the named curve of ECDHE (RFC 8422 §5.4); 0 for DHE, and for a curve that is spelled out.
	Group Group
}

// namedCurve is the type of the only curves that RFC 8422 §5.4 still has.
const namedCurve = 3

// ParseKeyExchange reads the body of a ServerKeyExchange for a suite of DHE or ECDHE; nil for others, such as the short
// RSA keys of export suites.
func ParseKeyExchange(b []byte, suite Suite) (*KeyExchange, error) {
	s := cryptobyte.String(b)
	var hint cryptobyte.String // RFC 4279 §3: before what there is without a pre-shared key
	if psk := suite.KeyExchange(); (psk == "DHE_PSK" || psk == "PSK_DHE" || psk == "ECDHE_PSK") && !s.ReadUint16LengthPrefixed(&hint) {
		return nil, malformed("ServerKeyExchange")
	}
	switch {
	case suite.DHE():
		var prime, generator, share cryptobyte.String
		if !s.ReadUint16LengthPrefixed(&prime) || !s.ReadUint16LengthPrefixed(&generator) || !s.ReadUint16LengthPrefixed(&share) {
			return nil, malformed("ServerKeyExchange of DHE")
		}
		if len(prime) > maxPrime || len(generator) > maxPrime {
			return nil, malformed("ServerKeyExchange with a prime too long")
		}
		return &KeyExchange{Prime: new(big.Int).SetBytes(prime), Generator: new(big.Int).SetBytes(generator)}, nil
	case suite.ECDHE():
		var kind uint8
		k := new(KeyExchange)
		if !s.ReadUint8(&kind) || kind == namedCurve && !s.ReadUint16((*uint16)(&k.Group)) {
			return nil, malformed("ServerKeyExchange of ECDHE")
		}
		return k, nil
	}
	return nil, nil
}

// maxPrime is the length of the longest prime that is looked at: 16 Kibit, above OpenSSL's 10,000 bits
// (OPENSSL_DH_MAX_MODULUS_BITS).
const maxPrime = 2 << 10
