package tlshello

import (
	"maps"
	"slices"
)

// A Group is a group for the key exchange, by its number in IANA's registry (TLS Supported Groups, RFC 8446 §4.2.7).
type Group uint16

// groupNames are IANA's names, and those of two groups that were in use before their standard.
var groupNames = map[Group]string{
	1: "sect163k1", 2: "sect163r1", 3: "sect163r2", 4: "sect193r1", 5: "sect193r2", 6: "sect233k1", 7: "sect233r1",
	8: "sect239k1", 9: "sect283k1", 10: "sect283r1", 11: "sect409k1", 12: "sect409r1", 13: "sect571k1", 14: "sect571r1",
	15: "secp160k1", 16: "secp160r1", 17: "secp160r2", 18: "secp192k1", 19: "secp192r1", 20: "secp224k1",
	21: "secp224r1", 22: "secp256k1", 23: "secp256r1", 24: "secp384r1", 25: "secp521r1",
	26: "brainpoolP256r1", 27: "brainpoolP384r1", 28: "brainpoolP512r1", 29: "x25519", 30: "x448",
	31: "brainpoolP256r1tls13", 32: "brainpoolP384r1tls13", 33: "brainpoolP512r1tls13",
	34: "GC256A", 35: "GC256B", 36: "GC256C", 37: "GC256D", 38: "GC512A", 39: "GC512B", 40: "GC512C", 41: "curveSM2",
	256: "ffdhe2048", 257: "ffdhe3072", 258: "ffdhe4096", 259: "ffdhe6144", 260: "ffdhe8192",
	0x0200: "MLKEM512", 0x0201: "MLKEM768", 0x0202: "MLKEM1024",
	0x11eb: "SecP256r1MLKEM768", 0x11ec: "X25519MLKEM768", 0x11ed: "SecP384r1MLKEM1024", 0x11ee: "curveSM2MLKEM768",
	0x6399: "X25519Kyber768Draft00", 0x639a: "SecP256r1Kyber768Draft00",
}

// String returns IANA's name, "0x1234" for a number without one.
func (g Group) String() string {
	if name, ok := groupNames[g]; ok {
		return name
	}
	return unnamed(uint16(g))
}

// Groups returns all groups that have a name, in the order of their numbers.
func Groups() []Group { return slices.Sorted(maps.Keys(groupNames)) }

// PostQuantum reports whether the group withstands a quantum computer.
func (g Group) PostQuantum() bool {
	return g >= 0x0200 && g <= 0x0202 || g >= 0x11eb && g <= 0x11ee || g == 0x6399 || g == 0x639a
}

// Groups as they are offered, the one that a usual client likes best first.
var (
	postQuantumGroups = []Group{0x11ec, 0x11eb, 0x11ed, 0x11ee, 0x0201, 0x0202, 0x0200, 0x6399, 0x639a}

	// curves are for TLS 1.2 and before. The groups of RFC 7919 aren't among them: a server that is offered one takes it
	// for Diffie-Hellman instead of its own (§4), which is the one to find out.
	curves = []Group{29, 23, 24, 25, 30, 26, 27, 28, 22, 41, 21, 20, 19, 18, 14, 13, 12, 11, 10, 9, 8, 7, 6, 17, 16, 15, 5, 4, 3, 2, 1}

	// integerGroups are those of RFC 7919.
	integerGroups = []Group{256, 257, 258, 259, 260}

	// groups13 are for TLS 1.3 (RFC 8446 §4.2.7, RFC 8734, RFC 9367, draft-ietf-tls-ecdhe-mlkem).
	groups13 = append(append([]Group{}, postQuantumGroups...), 29, 23, 24, 25, 30, 31, 32, 33, 41, 256, 257, 258, 259, 260, 34, 35, 36, 37, 38, 39, 40)
)

func offeredGroups(v Version) []Group {
	switch v {
	case SSL3: // has no extensions
		return nil
	case TLS13:
		return groups13
	}
	return curves
}
