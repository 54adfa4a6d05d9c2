package tlshello

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
)

// SharedPrime returns who published a prime, or ships it as a default, such as "RFC 3526 group 14" or "nginx"; empty for
// one that isn't known to be shared.
func SharedPrime(prime *big.Int) string { return sharedPrimes[primeHash(prime)] }

func primeHash(prime *big.Int) string {
	sum := sha256.Sum256(prime.Bytes())
	return hex.EncodeToString(sum[:])
}
