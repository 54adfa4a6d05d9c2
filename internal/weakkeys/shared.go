package weakkeys

import "math/big"

// maxSet bounds how many moduli are compared at once. Of 2,048 bits each, 1,000 take 0.8 s and 10,000 take 22 s and 150 MB
// on one core, ten times as many taking 27 times as long; so 20,000 take about a minute.
const maxSet = 20_000

// A Shared says that a modulus has a prime in common with another one. Both are positions in what was given.
type Shared struct{ Index, Peer int }

// SharedPrimes returns the moduli that have a prime in common with another one, in their order, each with the first peer
// that has it. Equal moduli are one key, which says nothing about primes: only the first of them is compared. Moduli that
// are nil or out of bounds are left out, and so are those beyond the first 20,000 different ones; all reports whether
// none was left out for that. It is done with Bernstein's product and remainder trees (How to find smooth parts of
// integers, 2004), which costs far less than comparing all pairs; see maxSet for what it costs.
func SharedPrimes(moduli []*big.Int) (found []Shared, all bool) {
	var distinct []*big.Int
	var index []int
	seen := map[string]bool{}
	all = true
	for i, n := range moduli {
		if !inBounds(n) || seen[string(n.Bytes())] {
			continue
		}
		if len(distinct) == maxSet {
			all = false
			break
		}
		seen[string(n.Bytes())] = true
		distinct, index = append(distinct, n), append(index, i)
	}
	suspects := suspicious(distinct)
	for _, i := range suspects {
		for _, j := range suspects {
			if i != j && new(big.Int).GCD(nil, nil, distinct[i], distinct[j]).Cmp(one) > 0 {
				found = append(found, Shared{index[i], index[j]})
				break
			}
		}
	}
	return found, all
}

// suspicious returns the positions of moduli that have a factor in common with the product of all others.
func suspicious(moduli []*big.Int) (positions []int) {
	if len(moduli) < 2 {
		return nil
	}
	levels := [][]*big.Int{moduli}
	for level := moduli; len(level) > 1; {
		above := make([]*big.Int, 0, (len(level)+1)/2)
		for i := 0; i < len(level); i += 2 {
			above = append(above, product(level[i:min(i+2, len(level))]))
		}
		levels, level = append(levels, above), above
	}
	// From the top down: what is left of the product of all modulo the square of each number.
	rests := levels[len(levels)-1]
	for l := len(levels) - 2; l >= 0; l-- {
		below := make([]*big.Int, len(levels[l]))
		for i, n := range levels[l] {
			square := new(big.Int).Mul(n, n)
			below[i] = square.Mod(rests[i/2], square)
		}
		rests = below
	}
	for i, n := range moduli {
		others := new(big.Int).Quo(rests[i], n) // of the product of the others, what is left modulo n
		if others.GCD(nil, nil, others, n).Cmp(one) > 0 {
			positions = append(positions, i)
		}
	}
	return positions
}
