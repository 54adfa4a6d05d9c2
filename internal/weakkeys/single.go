package weakkeys

import (
	"math/big"
	"sync"
)

// smallLimit is where trial division ends: what no key generator lets through begins far above.
const smallLimit = 1 << 16

// smallPrimes are the primes below smallLimit, multiplied together, so that one gcd tries them all.
var smallPrimes = sync.OnceValue(func() *big.Int {
	composite := make([]bool, smallLimit)
	var primes []*big.Int
	for p := 2; p < smallLimit; p++ {
		if composite[p] {
			continue
		}
		primes = append(primes, big.NewInt(int64(p)))
		for multiple := p * p; multiple < smallLimit; multiple += p {
			composite[multiple] = true
		}
	}
	return product(primes)
})

func product(list []*big.Int) *big.Int {
	switch len(list) {
	case 0:
		return big.NewInt(1)
	case 1:
		return list[0]
	}
	half := len(list) / 2
	return new(big.Int).Mul(product(list[:half]), product(list[half:]))
}

// smallFactor reports whether a prime below smallLimit divides n, and isn't all of it.
func smallFactor(n *big.Int) bool {
	rest := new(big.Int).Mod(smallPrimes(), n)
	g := new(big.Int).GCD(nil, nil, rest, n)
	return g.Cmp(one) > 0
}

var one = big.NewInt(1)

// fermatSteps is how often Fermat's method is tried. A key whose primes were drawn apart has a chance of less than
// 2^-200 to be found by so few; the ones that are found were made by looking for the next prime, and take one step.
const fermatSteps = 100

// closePrimes reports whether n = a² - b² for an a that is at most fermatSteps above n's square root.
func closePrimes(n *big.Int) bool {
	a := new(big.Int).Sqrt(n)
	if square := new(big.Int).Mul(a, a); square.Cmp(n) == 0 {
		return true // one prime twice
	}
	a.Add(a, one)
	rest := new(big.Int).Mul(a, a)
	rest.Sub(rest, n)
	step := new(big.Int).Lsh(a, 1)
	step.Add(step, one) // (a+1)² = a² + 2a+1
	for range fermatSteps {
		if isSquare(rest) {
			return true
		}
		rest.Add(rest, step)
		step.Add(step, two)
	}
	return false
}

var two = big.NewInt(2)

// isSquare takes a root only of what is a square modulo 64 and 45,045: one number in 60 or so.
func isSquare(n *big.Int) bool {
	low := n.Bits()
	if len(low) == 0 {
		return true
	}
	if squaresMod64>>(uint64(low[0])&63)&1 == 0 {
		return false
	}
	var m big.Int
	rest := m.Mod(n, oddModulus).Int64()
	for _, p := range []int64{63, 65, 11} { // 3² 7, 5 13, 11
		if !squareModulo(rest%p, p) {
			return false
		}
	}
	root := new(big.Int).Sqrt(n)
	return root.Mul(root, root).Cmp(n) == 0
}

// squaresMod64 has bit r set if r is a square modulo 64: 0, 1, 4, 9, 16, 17, 25, 33, 36, 41, 49 and 57.
const squaresMod64 = 1 | 1<<1 | 1<<4 | 1<<9 | 1<<16 | 1<<17 | 1<<25 | 1<<33 | 1<<36 | 1<<41 | 1<<49 | 1<<57

var oddModulus = big.NewInt(63 * 65 * 11)

func squareModulo(r, p int64) bool {
	for x := range p/2 + 1 {
		if x*x%p == r {
			return true
		}
	}
	return false
}
