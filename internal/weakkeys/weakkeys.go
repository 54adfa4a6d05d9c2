package weakkeys

import (
	"crypto/rsa"
	"math/big"
)

// A Method is how a private key is found out. The names are part of evidence: they are added to and never changed.
type Method string

// The methods.
const (
	// SmallFactor: a prime below 2^16 divides the modulus.
	SmallFactor Method = "small-factor"
	// FermatClose: the two primes are so close to each other that Fermat's method finds them (CVE-2022-26320).
	FermatClose Method = "fermat-close-primes"
	// BadExponent: the public exponent is even, or 1, or less: there is no private key to it, or it is no secret.
	BadExponent Method = "bad-exponent"
	// SharedPrime: the modulus has a prime in common with another one (Heninger et al., Mining Your Ps and Qs, 2012).
	SharedPrime Method = "shared-prime"
	// ROCA: the primes have the form that Infineon's library gave them (CVE-2017-15361). It is a fingerprint: the key can be
	// broken if the structure is what it seems, which chance gives one other key in about 2^150.
	ROCA Method = "roca"
	// Debian2008: the key is on a list of those that Debian's OpenSSL could make (CVE-2008-0166).
	Debian2008 Method = "debian-2008"
)

// maxBits bounds the moduli that are looked at: OpenSSL's bound (OPENSSL_RSA_MAX_MODULUS_BITS). minBits is what is no key.
const (
	maxBits = 16384
	minBits = 16
)

// Check returns the methods that work on one RSA key, in the order of the constants; nil if none does, or if the key is
// out of bounds: a modulus of less than 16 bits or more than 16,384. [SharedPrime] and [Debian2008] need more than a
// key: see [SharedPrimes] and [ReadList].
func Check(key *rsa.PublicKey) (methods []Method) {
	if key == nil || !inBounds(key.N) {
		return nil
	}
	add := func(m Method, found bool) {
		if found {
			methods = append(methods, m)
		}
	}
	small := smallFactor(key.N)
	add(SmallFactor, small)
	add(FermatClose, !small && closePrimes(key.N)) // an even modulus has no such form
	add(BadExponent, key.E < 2 || key.E%2 == 0)
	add(ROCA, roca(key.N))
	return methods
}

func inBounds(n *big.Int) bool {
	return n != nil && n.Sign() > 0 && n.BitLen() >= minBits && n.BitLen() <= maxBits
}
