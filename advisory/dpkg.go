package advisory

import (
	"cmp"
	"strings"
)

// dpkg is the order of versions that Debian and Ubuntu share (Debian Policy §5.6.12). It is written out here since a
// look-up makes some ten comparisons, and the library that the tests compare it with takes a microsecond for each.
var dpkg = order{validDebian, compareDebian}

// splitDebian returns a version's epoch, 0 if it has none, the project's version and the revision.
func splitDebian(v string) (epoch, upstream, revision string) {
	epoch, upstream, ok := strings.Cut(v, ":")
	if !ok {
		epoch, upstream = "", v
	}
	if i := strings.LastIndexByte(upstream, '-'); i >= 0 {
		upstream, revision = upstream[:i], upstream[i+1:]
	}
	return strings.TrimLeft(epoch, "0"), upstream, revision
}

func validDebian(v string) bool {
	epoch, upstream, revision := splitDebian(v)
	return !strings.HasPrefix(v, ":") && strings.IndexFunc(epoch, isNot(digit)) < 0 && upstream != "" && digit(rune(upstream[0])) &&
		strings.IndexFunc(upstream+revision, isNot(inVersion)) < 0
}

func inVersion(r rune) bool {
	return digit(r) || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || strings.ContainsRune(".+~-:_", r)
}

func compareDebian(a, b string) int {
	epochA, upstreamA, revisionA := splitDebian(a)
	epochB, upstreamB, revisionB := splitDebian(b)
	return cmp.Or(compareNumbers(epochA, epochB), compareRuns(upstreamA, upstreamB), compareRuns(revisionA, revisionB))
}

// compareNumbers compares numbers of any length that don't begin with 0.
func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// compareRuns compares, in turn, what isn't digits by letters and the rest by number, until there is a difference.
func compareRuns(a, b string) int {
	for a != "" || b != "" {
		for a != "" && !digit(rune(a[0])) || b != "" && !digit(rune(b[0])) {
			var x, y int
			x, a = weight(a)
			y, b = weight(b)
			if x != y {
				return cmp.Compare(x, y)
			}
		}
		var x, y string
		x, a = number(a)
		y, b = number(b)
		if c := compareNumbers(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// weight returns how heavy what comes first is, and what follows it: a tilde is lighter than the end, or a number, and
// that than a letter, and that than anything else.
func weight(s string) (int, string) {
	switch {
	case s == "" || digit(rune(s[0])):
		return 0, s
	case s[0] == '~':
		return -1, s[1:]
	case 'a' <= s[0] && s[0] <= 'z' || 'A' <= s[0] && s[0] <= 'Z':
		return int(s[0]), s[1:]
	}
	return int(s[0]) + 256, s[1:]
}

// number returns the digits that come first, without zeros before them, and what follows.
func number(s string) (string, string) {
	n := strings.IndexFunc(s, isNot(digit))
	if n < 0 {
		n = len(s)
	}
	return strings.TrimLeft(s[:n], "0"), s[n:]
}
