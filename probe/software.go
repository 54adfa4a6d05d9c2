package probe

import "strings"

// Name is the product and its version as people say them, behind the vendor if the product is called by what it does or by a
// few letters: "Samba 4.17.12", "Apache HTTP Server 2.2.3", "Cisco IOS". It is empty if there is no product.
func (s Software) Name() string {
	words := []string{s.Product}
	if s.Product != "" && !strings.HasPrefix(s.Product, s.Vendor) && !telling(s.Product) {
		words = []string{s.Vendor, s.Product}
	}
	return strings.TrimSpace(strings.Join(append(words, s.Version), " "))
}

// telling reports whether a word of a product's name is its own.
func telling(product string) bool {
	for word := range strings.FieldsFuncSeq(strings.ToLower(product), func(r rune) bool { return r < 'a' || r > 'z' }) {
		switch word {
		case "email", "firmware", "gateway", "internet", "messaging", "printer", "router", "secure", "security", "server", "service",
			"smtpd", "switch":
		default:
			if len(word) > 4 {
				return true
			}
		}
	}
	return false
}
