package fingerprint

import (
	"slices"
	"strconv"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// families are the builds of Windows that are one: the later ones switch on what the first already holds, and leave its
// files as they are. An NTLM challenge tells the first, whichever is switched on; the native operating system of SMB1
// tells the other.
var families = [...]struct{ first, last int }{
	{18362, 18363}, // 10 1903 and 1909
	{19041, 19045}, // 10 2004 to 22H2
	{22621, 22631}, // 11 22H2 and 23H2
	{26100, 26300}, // 11 24H2 to 26H2, and Server 2025
}

// family returns the first build of the family that a build belongs to, which is itself for most.
func family(build int) int {
	for _, f := range families {
		if f.first <= build && build <= f.last {
			return f.first
		}
	}
	return build
}

// build returns the build in a version of Windows: 17763 of "10.0.17763" and of "17763"; 0 if there is none.
func build(version string) int {
	n, _ := strconv.Atoi(version[strings.LastIndexByte(version, '.')+1:])
	return n
}

// sameWindows reports whether a and b may be the same Windows, of which a names the later build, or else one product
// if b names two, or has more words.
func sameWindows(a, b probe.Software) bool {
	first, second := build(a.Version), build(b.Version)
	if first == 0 || family(first) != family(second) || !alike(a.Product, b.Product) {
		return false
	}
	if first != second {
		return first > second
	}
	if ambiguous(a.Product) || ambiguous(b.Product) {
		return !ambiguous(a.Product)
	}
	return extends(a.Product, b.Product)
}

// ambiguous reports whether a product is one of two whose builds are the same: the second name lacks its first word.
func ambiguous(product string) bool { return strings.Contains(product, " or ") }

// alike reports whether one of the names that the first product may have is one of the second's, or begins with it.
func alike(first, second string) bool {
	return slices.ContainsFunc(alternatives(first), func(a string) bool {
		return slices.ContainsFunc(alternatives(second), func(b string) bool {
			return strings.EqualFold(a, b) || extends(a, b) || extends(b, a)
		})
	})
}

// alternatives are the names that a product may have.
func alternatives(product string) []string {
	first, second, two := strings.Cut(product, " or ")
	if !two {
		return []string{product}
	}
	word, _, _ := strings.Cut(first, " ")
	return []string{first, word + " " + second}
}
