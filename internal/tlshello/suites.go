package tlshello

import (
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Suite is a cipher suite. What it is made of is read from its name, which has the form
// TLS_keyexchange_WITH_cipher_hash (RFC 5246 §A.5), or TLS_cipher_hash from TLS 1.3 on (RFC 8446 §B.4).
type Suite struct {
	// ID is the suite's number. Those of SSL 2.0 have 24 bits, others 16.
	ID uint32
	// Name is IANA's, such as TLS_RSA_WITH_AES_128_CBC_SHA; "0x1234" for a number that the tables don't have.
	Name string
}

// The signalling values that are no suites.
const (
	emptyRenegotiationSCSV = 0x00ff // RFC 5746 §3.3
	fallbackSCSV           = 0x5600 // RFC 7507 §2
)

// SuiteOf returns the suite with this number, of SSL 3.0 and TLS.
func SuiteOf(id uint16) Suite {
	i, ok := slices.BinarySearchFunc(suites, uint32(id), func(s Suite, id uint32) int { return int(s.ID) - int(id) })
	if !ok {
		return Suite{uint32(id), unnamed(id)}
	}
	return suites[i]
}

// SuiteNamed returns the suite of SSL 3.0 and TLS with this name.
func SuiteNamed(name string) (Suite, bool) {
	s, ok := byName()[name]
	return s, ok
}

var byName = sync.OnceValue(func() map[string]Suite {
	named := make(map[string]Suite, len(suites))
	for _, s := range suites {
		named[s.Name] = s
	}
	return named
})

// Suites returns all suites of SSL 3.0 and TLS that have a name.
func Suites() []Suite { return slices.DeleteFunc(slices.Clone(suites), Suite.signal) }

func unnamed(id uint16) string {
	return "0x" + strings.ToUpper(strconv.FormatUint(1<<16|uint64(id), 16)[1:])
}

// parts splits the name at _WITH_; the key exchange of a TLS 1.3 suite is empty.
func (s Suite) parts() (exchange, cipher string) {
	name := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(s.Name, "TLS_"), "SSL_"), "CK_")
	exchange, cipher, ok := strings.Cut(name, "_WITH_")
	if !ok {
		return "", name
	}
	if s.ID > 0xffff { // SSL_CK_cipher_WITH_hash: the key goes by RSA always
		return "RSA", name
	}
	return exchange, cipher
}

// TLS13 reports whether the suite is one of TLS 1.3, which chooses the key exchange apart from it.
func (s Suite) TLS13() bool {
	exchange, _ := s.parts()
	mgm := strings.Contains(s.Name, "_MGM_") // RFC 9367 names those of TLS 1.3 in the old form
	return (exchange == "" || mgm) && strings.HasPrefix(s.Name, "TLS_") && !s.signal()
}

func (s Suite) signal() bool { return s.ID == emptyRenegotiationSCSV || s.ID == fallbackSCSV }

// TLS12 reports whether the suite needs TLS 1.2: it is an AEAD, or its hash is one that came with 1.2 (RFC 5246 §5).
// The CBC and NULL suites with a pre-shared key are for every version (RFC 5487 §3, RFC 5489 §3).
func (s Suite) TLS12() bool {
	exchange, cipher := s.parts()
	if s.TLS13() || s.ID > 0xffff {
		return false
	}
	aead := strings.Contains(cipher, "GCM") || strings.Contains(cipher, "CCM") || strings.Contains(cipher, "POLY1305") ||
		strings.Contains(cipher, "_OMAC") || exchange == "GOSTR341112_256"
	return aead || !strings.HasSuffix(exchange, "PSK") && (strings.HasSuffix(cipher, "SHA256") || strings.HasSuffix(cipher, "SHA384"))
}

// KeyExchange returns how the key is agreed on and the server proves itself, as the name has it: "RSA", "ECDHE_RSA",
// "DH_anon"; empty in TLS 1.3.
func (s Suite) KeyExchange() string {
	exchange, _ := s.parts()
	exchange, _, _ = strings.Cut(exchange, "_EXPORT")
	return exchange
}

// DHE reports whether the server sends a group of its own for Diffie-Hellman over integers.
func (s Suite) DHE() bool {
	exchange := s.KeyExchange()
	return strings.HasPrefix(exchange, "DHE_") || exchange == "DH_anon" || exchange == "PSK_DHE"
}

// ECDHE reports whether a named curve is agreed on for each connection, by a suite of TLS 1.2 or before.
func (s Suite) ECDHE() bool {
	exchange := s.KeyExchange()
	return strings.HasPrefix(exchange, "ECDHE_") || exchange == "ECDH_anon"
}

// ForwardSecrecy reports whether recorded connections stay secret if the server's key is found out later.
func (s Suite) ForwardSecrecy() bool {
	return s.DHE() || s.ECDHE() || s.TLS13() || strings.HasPrefix(s.KeyExchange(), "SRP_") || s.KeyExchange() == "ECCPWD"
}

// Anonymous reports whether the server proves nothing of itself (RFC 5246 §F.1.1.1).
func (s Suite) Anonymous() bool { return strings.HasSuffix(s.KeyExchange(), "_anon") }

// Null reports whether nothing is encrypted (RFC 5246 §A.5, RFC 9150).
func (s Suite) Null() bool {
	_, cipher := s.parts()
	return strings.HasPrefix(cipher, "NULL") || strings.HasPrefix(cipher, "CK_NULL") || s.Name == "TLS_SHA256_SHA256" || s.Name == "TLS_SHA384_SHA384"
}

// Export reports whether the key is short by the laws of the 1990s: 40 bits, or 56 (RFC 4346 §A.5).
func (s Suite) Export() bool { return strings.Contains(s.Name, "EXPORT") }

// RC4 reports whether the cipher is RC4, which RFC 7465 forbids.
func (s Suite) RC4() bool { return strings.Contains(s.Name, "_RC4_") }

// Block64 reports whether the cipher's blocks have 64 bits (CVE-2016-2183): DES and 3DES, IDEA, RC2, GOST 28147, Magma.
func (s Suite) Block64() bool {
	return slices.ContainsFunc([]string{"DES_", "DES40_", "DES64_", "IDEA_", "RC2_", "28147", "MAGMA"},
		func(cipher string) bool {
			return strings.Contains(s.Name, "_"+cipher) || strings.Contains(s.Name, "3"+cipher)
		})
}

// common reports whether a usual TLS library may accept the suite in its usual configuration, by a certificate or none.
func (s Suite) common() bool {
	exchange, cipher := s.parts()
	switch s.KeyExchange() {
	case "RSA", "DHE_RSA", "DH_anon", "ECDHE_RSA", "ECDHE_ECDSA", "ECDH_anon", "":
	default:
		return false
	}
	return !strings.Contains(cipher, "ARIA") && !strings.Contains(exchange, "1024") && !strings.HasSuffix(s.Name, "_OLD") &&
		!(strings.Contains(cipher, "CAMELLIA") && (strings.HasSuffix(cipher, "GCM_SHA256") || strings.HasSuffix(cipher, "GCM_SHA384")))
}

// suites2 are the cipher kinds of SSL 2.0 (draft-hickman-netscape-ssl-00 §C.4), and those that SSLeay added.
var suites2 = []Suite{
	{0x010080, "SSL_CK_RC4_128_WITH_MD5"},
	{0x020080, "SSL_CK_RC4_128_EXPORT40_WITH_MD5"},
	{0x030080, "SSL_CK_RC2_128_CBC_WITH_MD5"},
	{0x040080, "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5"},
	{0x050080, "SSL_CK_IDEA_128_CBC_WITH_MD5"},
	{0x060040, "SSL_CK_DES_64_CBC_WITH_MD5"},
	{0x0700c0, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"},
	{0x080080, "SSL_CK_RC4_64_WITH_MD5"},
}

func suite2(id uint32) Suite {
	if i := slices.IndexFunc(suites2, func(s Suite) bool { return s.ID == id }); i >= 0 {
		return suites2[i]
	}
	return Suite{id, "0x" + strings.ToUpper(strconv.FormatUint(1<<24|uint64(id), 16)[1:])}
}
