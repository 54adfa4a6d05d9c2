package advisory

import (
	"cmp"
	"regexp"
	"strings"

	apk "github.com/knqyf263/go-apk-version"
)

// An order says how an ecosystem's versions follow each other.
type order struct {
	valid   func(version string) bool
	compare func(a, b string) int // of valid versions
}

// alpine is the order of Alpine's versions.
var alpine = order{apk.Valid, func(a, b string) int { return apk.Version(a).Compare(apk.Version(b)) }}

// repack is how Debian marks a project's version whose source it has packed anew.
var repack = regexp.MustCompile(`^[+~](?:dfsg|ds)[\d.]*$`)

// asPackaged completes a version as a server tells it, such as 4.22.8-0+deb13u2, by another one of its package, such as
// 2:4.22.10+dfsg-0+deb13u1: it gets the epoch, and the mark if both are of one version of the project.
func asPackaged(version, other string) string {
	epoch, upstream, revision := splitDebian(version)
	otherEpoch, otherUpstream, _ := splitDebian(other)
	if mark, ok := strings.CutPrefix(otherUpstream, upstream); ok && repack.MatchString(mark) {
		upstream = otherUpstream
	}
	if revision != "" {
		upstream += "-" + revision
	}
	if epoch = cmp.Or(epoch, otherEpoch); epoch != "" {
		return epoch + ":" + upstream
	}
	return upstream
}

// olderPackage reports whether a package's version, as a server tells it, is older than another.
func olderPackage(o order, version, than string) bool {
	version = asPackaged(version, than)
	return o.valid(version) && o.compare(version, than) < 0
}

// compareUpstream compares versions as projects themselves count: numbers by their value, so that 10.0 follows 9.9;
// letters behind a number are later than it, as OpenSSH's 9.8p1, Samba's 3.0.28a and ProFTPD's 1.3.3c are, unless they
// say that it isn't out yet, as ProFTPD's 1.3.5rc3 does. What separates the parts doesn't matter: Exim's 4.86_2 is its
// 4.86.2.
func compareUpstream(a, b string) int {
	for a != "" || b != "" {
		var x, y part
		x, a = nextPart(a)
		y, b = nextPart(b)
		if c := x.compare(y); c != 0 {
			return c
		}
	}
	return 0
}

// A part of a version is a number or a word.
type part struct {
	rank int // of what it is: see rankOf
	text string
}

// The ranks. A version that ends is later than a pre-release of it and earlier than anything else that goes on.
const (
	rankPre = iota
	rankEnd
	rankWord
	rankNumber
)

func nextPart(s string) (part, string) {
	s = strings.TrimLeft(s, ".-_+~ ")
	if s == "" {
		return part{rank: rankEnd}, ""
	}
	if digit(rune(s[0])) {
		n, rest := number(s)
		return part{rankNumber, n}, rest
	}
	n := strings.IndexFunc(s, func(r rune) bool { return digit(r) || strings.ContainsRune(".-_+~ ", r) })
	if n < 0 {
		n = len(s)
	}
	p := part{rankWord, strings.ToLower(s[:n])}
	switch p.text {
	case "rc", "alpha", "beta", "pre", "dev":
		p.rank = rankPre
	}
	return p, s[n:]
}

func digit(r rune) bool { return '0' <= r && r <= '9' }

func isNot(f func(rune) bool) func(rune) bool { return func(r rune) bool { return !f(r) } }

func (p part) compare(q part) int {
	if c := cmp.Compare(p.rank, q.rank); c != 0 || p.rank != rankNumber {
		return cmp.Or(c, strings.Compare(p.text, q.text))
	}
	return compareNumbers(p.text, q.text)
}
