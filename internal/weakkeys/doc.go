// Package weakkeys finds public keys whose private key anybody can compute, from the public key alone. It says by which
// method, and by which other key of a set, and never a factor.
//
// The checks of one RSA key of 2,048 bits take 0.2 ms; see [Check]. Those over a set of keys grow faster than its size; see
// [SharedPrimes].
package weakkeys
