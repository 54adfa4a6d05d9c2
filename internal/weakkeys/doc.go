// Package weakkeys finds public keys whose private key anybody can compute, from the public key alone. It says by which
// method, and by which other key of a set, and never a factor.
//
// The checks of one RSA key cost about as much as one verification of a signature; see [Check]. Those over a set of keys
// grow a little faster than its size; see [SharedPrimes].
package weakkeys
