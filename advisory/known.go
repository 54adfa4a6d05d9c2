package advisory

import (
	"slices"
	"strings"
	"sync"

	"github.com/handclasp/handclasp/probe"
)

// A known vulnerability is one of the built-in table: one that was used in attacks or is famous, of a server whose
// banner gives the version that decides. The facts are those of the CVE record and of what it refers to.
type known struct {
	id, name string
	products []string // by the names that package fingerprint gives
	affected []bounds
	// builds: what is told of the version may be less than what decides, as 15.2.3 is if 15.2.3.742 is the first
	// mended build.
	builds bool
	// packages has the first mended version of the package for each release whose package was affected; for a product
	// whose banner tells the package's revision.
	packages map[string]string  // by ecosystem, such as "debian:12"
	when     func(Subject) bool // what must be so besides; nil if nothing must
	cvss     string
	cwe      []int
	kev      string // day; empty if it isn't listed
	refs     []string
}

// bounds are versions from one on up to before another one; empty is unbounded.
type bounds struct{ from, to string }

// builtinTable returns the table, which isn't to be changed.
var builtinTable = sync.OnceValue(func() []known {
	return slices.Concat(knownSSH, knownFTP, knownMail, knownFiles)
})

// builtinAbout holds the entries of the table by product.
var builtinAbout = sync.OnceValue(func() map[string][]*known {
	about := map[string][]*known{}
	table := builtinTable()
	for i := range table {
		for _, product := range table[i].products {
			about[product] = append(about[product], &table[i])
		}
	}
	return about
})

// about returns the entries about a product, which a Windows is whatever it is called besides.
func about(product string) []*known {
	if strings.HasPrefix(product, "Windows ") {
		product = "Windows"
	}
	return builtinAbout()[product]
}

// has reports whether a version is among the affected, and the version that mends it.
func (k *known) has(version string) (fixed string, ok bool) {
	for _, b := range k.affected {
		if b.from != "" && compareUpstream(version, b.from) < 0 {
			continue
		}
		if b.to == "" || compareUpstream(version, b.to) < 0 {
			undecided := k.builds && version != b.to && within(b.to, version)
			return b.to, !undecided
		}
	}
	return "", false
}

// vulnerability returns the entry as a vulnerability.
func (k *known) vulnerability(fixed string) Vulnerability {
	v := Vulnerability{
		ID: k.id, Name: k.name, Fixed: fixed, CVSS: k.cvss, CWE: k.cwe,
		References: append([]string{"https://nvd.nist.gov/vuln/detail/" + k.id}, k.refs...),
	}
	if k.kev != "" {
		v.KEV = day(k.kev)
	}
	v.rate()
	return v
}

// builtinOfVersion returns what the table says of a product by its own version.
func builtinOfVersion(s *Subject, sw *probe.Software) (list []Vulnerability) {
	if sw.Version == "" {
		return nil
	}
	for _, k := range about(sw.Product) {
		if k.when != nil && !k.when(*s) {
			continue
		}
		if fixed, ok := k.has(sw.Version); ok {
			list = append(list, k.vulnerability(fixed))
		}
	}
	return list
}

// builtinOfPackage returns what the table says of a product by the version of its package.
func builtinOfPackage(product, ecosystem, version string) (list []Vulnerability) {
	for _, k := range about(product) {
		fixed, ok := k.packages[ecosystem]
		if ok && olderPackage(orderOf(ecosystem), version, fixed) {
			list = append(list, k.vulnerability(fixed))
		}
	}
	return list
}
