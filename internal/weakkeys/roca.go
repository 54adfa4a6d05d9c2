package weakkeys

import (
	"math/big"
	"sync"
)

// The primes of the flawed library have the form k·M + (65537^a mod M), M being the product of the first primes: 39 of
// them for the shortest keys, more for longer ones, so that the 39 are in all (Nemec et al., The Return of Coppersmith's
// Attack, 2017, §2.1). Their product is then a power of 65537 modulo M as well (§2.3), which of random numbers one in
// about 2^150 is.
const (
	rocaGenerator = 65537
	rocaLargest   = 167 // the 39th prime
)

// A rocaPrime is one of the primes, with the logarithm of each power of the generator modulo it; -1 for what is none.
type rocaPrime struct {
	prime, order int
	log          []int
}

type rocaFacts struct {
	modulus *big.Int
	primes  []rocaPrime
}

var rocaTable = sync.OnceValue(func() *rocaFacts {
	f := &rocaFacts{modulus: big.NewInt(1)}
	for p := 3; p <= rocaLargest; p++ {
		if !big.NewInt(int64(p)).ProbablyPrime(0) {
			continue
		}
		f.modulus.Mul(f.modulus, big.NewInt(int64(p)))
		r := rocaPrime{prime: p, log: make([]int, p)}
		for i := range r.log {
			r.log[i] = -1
		}
		for power := 1; r.log[power] < 0; power = power * rocaGenerator % p {
			r.log[power] = r.order
			r.order++
		}
		f.primes = append(f.primes, r)
	}
	return f
})

// roca reports whether n is a power of the generator modulo the product of the primes: it is one modulo each of them, and
// the exponents, each known modulo the order of the generator there, are those of one number. For that, each two must
// agree modulo what their orders have in common.
func roca(n *big.Int) bool {
	facts := rocaTable()
	var exponents []congruence
	rest := new(big.Int).Mod(n, facts.modulus)
	var m, p big.Int
	for _, r := range facts.primes {
		log := r.log[m.Mod(rest, p.SetInt64(int64(r.prime))).Int64()]
		if log < 0 {
			return false
		}
		for _, e := range exponents {
			if common := gcd(e.modulus, r.order); e.value%common != log%common {
				return false
			}
		}
		exponents = append(exponents, congruence{log, r.order})
	}
	return n.Bit(0) == 1
}

type congruence struct{ value, modulus int }

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
