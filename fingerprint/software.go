package fingerprint

import (
	"slices"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// Software returns what the evidence of r names: the service, its operating system, the device. It looks at the banners
// of evidence that implements [probe.BannerEvidence] and at the NTLM challenge of evidence that implements
// [probe.NTLMEvidence]. Each product is listed once, by the first banner that tells its version, or else by the first
// that names it; of two names of Windows for one build, or for two builds that are one but for what is switched on, the
// more exact one counts. A banner of the kind smb.dialect names nothing, but refutes a version in the challenge that is
// older. The list is empty, and not nil, if nothing is recognised.
func (db *DB) Software(r *probe.Result) []probe.Software {
	list := []probe.Software{}
	if db == nil || r == nil {
		return list
	}
	for _, b := range banners(r.Evidence) {
		for _, s := range db.asked.get(b, db.named) {
			list = add(list, s)
		}
	}
	return list
}

// banners returns the texts in the evidence that may name software. A version in an NTLM challenge is a claim, which the
// dialect of SMB that the server prefers may refute: it stands behind the claim.
func banners(e probe.Evidence) (list []probe.Banner) {
	dialect := ""
	if e, ok := e.(probe.BannerEvidence); ok {
		list = e.Banners()
		for _, b := range list {
			if b.Kind == "smb.dialect" {
				dialect = ", SMB " + b.Text
			}
		}
	}
	if e, ok := e.(probe.NTLMEvidence); ok {
		if n := e.NTLMChallenge(); n != nil && n.OSVersion != "" {
			list = append(list, probe.Banner{Kind: "ntlm.os_version", Source: "ntlm", Text: n.OSVersion + dialect})
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

// says reports whether a tells all that b does: the same product, and b no version that a doesn't know; a product whose
// name begins with b's, as "Windows Server 2019" does with "Windows"; or the same Windows, named more exactly.
func says(a, b probe.Software) bool {
	switch {
	case same(a, b):
		return a.Version != "" || b.Version == ""
	case !strings.EqualFold(a.Vendor, b.Vendor):
		return false
	case b.Version == "":
		return extends(a.Product, b.Product)
	}
	return sameWindows(a, b)
}

// extends reports whether a name is another one with more words behind it.
func extends(name, other string) bool {
	return len(name) > len(other) && name[len(other)] == ' ' && strings.EqualFold(name[:len(other)], other)
}

// same reports whether a and b are one product. Sets of fingerprints spell vendors in their own ways, and one server
// doesn't run two products of one name.
func same(a, b probe.Software) bool {
	return strings.EqualFold(a.Product, b.Product) || a.CPE != "" && b.CPE != "" && sameProduct(a.CPE, b.CPE)
}

// sameProduct reports whether two CPE names are of one product. Most are told apart by their part, "a", "o" or "h".
func sameProduct(a, b string) bool {
	restA, okA := strings.CutPrefix(a, "cpe:2.3:")
	restB, okB := strings.CutPrefix(b, "cpe:2.3:")
	if okA && okB && restA != "" && restB != "" && restA[0] != restB[0] {
		return false
	}
	return productOf(a) == productOf(b)
}

// productOf returns a CPE name up to its product.
func productOf(cpe string) string {
	fields := splitFormatted(strings.TrimPrefix(cpe, "cpe:2.3:"))
	return strings.Join(fields[:min(len(fields), cpeVersion)], ":")
}
