package fingerprint

import (
	"slices"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// Software returns what the evidence of r names: the service, its operating system, the device. It looks at the banners
// of evidence that implements [probe.BannerEvidence] and at the NTLM challenge of evidence that implements
// [probe.NTLMEvidence]. Each product is listed once, by the first banner that tells its version, or else by the first
// that names it; of two names of Windows for one build the more exact one counts. The list is empty, and not nil, where
// nothing is recognised.
func (db *DB) Software(r *probe.Result) []probe.Software {
	list := []probe.Software{}
	if db == nil || r == nil {
		return list
	}
	for _, b := range banners(r.Evidence) {
		for _, s := range db.named(b) {
			list = add(list, s)
		}
	}
	return list
}

// banners returns the texts in the evidence that may name software.
func banners(e probe.Evidence) (list []probe.Banner) {
	if e, ok := e.(probe.BannerEvidence); ok {
		list = e.Banners()
	}
	if e, ok := e.(probe.NTLMEvidence); ok {
		if n := e.NTLMChallenge(); n != nil {
			list = append(list, probe.Banner{Kind: "ntlm.os_version", Source: "ntlm", Text: n.OSVersion})
		}
	}
	return list
}

// named returns what a banner names. A fingerprint that matches and names nothing, which says that the text is too
// common to tell anything, doesn't keep the next DB from being asked.
func (db *DB) named(b probe.Banner) []probe.Software {
	if b.Text == "" {
		return nil
	}
	for ; db != nil; db = db.next {
		if m, ok := db.match(b.Kind, cut(b.Text)); ok {
			if list := m.Software(b.Source); list != nil {
				return list
			}
		}
	}
	return nil
}

// add adds s to the list unless something there says as much; it takes the place of what says less.
func add(list []probe.Software, s probe.Software) []probe.Software {
	if slices.ContainsFunc(list, func(known probe.Software) bool { return says(known, s) }) {
		return list
	}
	less := func(known probe.Software) bool { return says(s, known) }
	if i := slices.IndexFunc(list, less); i >= 0 {
		list[i] = s
		return append(list[:i+1], slices.DeleteFunc(list[i+1:], less)...)
	}
	return append(list, s)
}

// says reports whether a tells all that b does: the same product, and b no version that a doesn't know; or a product
// whose name begins with b's, as "Windows Server 2019" does with "Windows"; or one of the two that b may be, as "Windows
// Server 2019" with "Windows Server 2019 or 10 1809", where both are of one build.
func says(a, b probe.Software) bool {
	switch {
	case same(a, b):
		return a.Version != "" || b.Version == ""
	case !strings.EqualFold(a.Vendor, b.Vendor):
		return false
	case b.Version == "":
		return extends(a.Product, b.Product)
	case ambiguous(b):
		return !ambiguous(a) && oneBuild(a.Version, b.Version) && slices.ContainsFunc(alternatives(b.Product), func(name string) bool {
			return strings.EqualFold(name, a.Product) || extends(name, a.Product)
		})
	}
	return !ambiguous(a) && extends(a.Product, b.Product) && oneBuild(b.Version, a.Version)
}

// extends reports whether a name is another one with more words behind it.
func extends(name, other string) bool {
	return len(name) > len(other) && name[len(other)] == ' ' && strings.EqualFold(name[:len(other)], other)
}

// oneBuild reports whether short, such as "17763", is the build in long, such as "10.0.17763".
func oneBuild(short, long string) bool {
	return short != "" && (short == long || strings.HasSuffix(long, "."+short))
}

// ambiguous reports whether the product is one of two whose builds are the same: the second name lacks its first word.
func ambiguous(s probe.Software) bool { return strings.Contains(s.Product, " or ") }

// alternatives are the two.
func alternatives(product string) []string {
	first, second, _ := strings.Cut(product, " or ")
	family, _, _ := strings.Cut(first, " ")
	return []string{first, family + " " + second}
}

// same reports whether a and b are one product. Sets of fingerprints spell vendors in their own ways, and one server
// doesn't run two products of one name.
func same(a, b probe.Software) bool {
	return strings.EqualFold(a.Product, b.Product) || a.CPE != "" && b.CPE != "" && productOf(a.CPE) == productOf(b.CPE)
}

// productOf returns a CPE name up to its product.
func productOf(cpe string) string {
	fields := splitFormatted(strings.TrimPrefix(cpe, "cpe:2.3:"))
	return strings.Join(fields[:min(len(fields), cpeVersion)], ":")
}
