package fingerprint

import (
	"fmt"
	"net/url"
	"strings"
)

// The attributes of a CPE name (NISTIR 7695 §5.2), in the order of a formatted string (§6.2).
const (
	cpePart = iota
	cpeVendor
	cpeProduct
	cpeVersion
	cpeUpdate
	cpeEdition
	cpeLanguage
	cpeSoftwareEdition
	cpeTargetSoftware
	cpeTargetHardware
	cpeOther
	cpeAttributes
)

// maxCPEValue bounds an attribute, in bytes: what a server says its version is may be as long as it likes.
const maxCPEValue = 128

// A cpeTemplate is a CPE name whose attributes are templates. No template stands for the logical value ANY.
type cpeTemplate [cpeAttributes][]piece

// parseCPE reads a name in the form of a URI (NISTIR 7695 §6.1), as Recog has them, or of a formatted string (§6.2). It
// is split before anything is filled in, so that no banner can move what follows.
func parseCPE(s string) (t cpeTemplate, err error) {
	var attributes []string
	if rest, ok := strings.CutPrefix(s, "cpe:2.3:"); ok {
		attributes = splitFormatted(rest)
	} else if rest, ok := strings.CutPrefix(s, "cpe:/"); ok {
		if attributes, err = splitURI(rest); err != nil {
			return t, fmt.Errorf("CPE %q: %w", s, err)
		}
	} else {
		return t, fmt.Errorf("CPE %q: a name begins with cpe:/ or cpe:2.3", s)
	}
	if len(attributes) > cpeAttributes {
		return t, fmt.Errorf("CPE %q: %d attributes: at most %d are defined", s, len(attributes), cpeAttributes)
	}
	for i, a := range attributes {
		// "-" says that the attribute doesn't apply; fingerprints write it for versions that they don't know.
		if a != "*" && a != "-" {
			t[i] = parseTemplate(a)
		}
	}
	if p := t[cpePart]; len(p) != 1 || p[0].name || !strings.Contains(" a o h ", " "+p[0].text+" ") {
		return t, fmt.Errorf("CPE %q: the part is a, o or h", s)
	}
	if t[cpeVendor] == nil || t[cpeProduct] == nil {
		return t, fmt.Errorf("CPE %q: it names no product", s)
	}
	return t, nil
}

// splitURI splits a URI at its colons and unpacks the edition (§6.1.2.1.2), which may hold five attributes.
func splitURI(s string) ([]string, error) {
	fields := strings.Split(s, ":")
	if len(fields) > 7 {
		return nil, fmt.Errorf("%d components: a URI has at most 7", len(fields))
	}
	var a [cpeAttributes]string
	copy(a[:], fields)
	if packed := strings.Split(a[cpeEdition], "~"); len(packed) == 6 {
		a[cpeEdition] = packed[1]
		copy(a[cpeSoftwareEdition:], packed[2:])
	}
	for i, v := range a {
		plain, err := url.PathUnescape(v)
		if err != nil {
			return nil, err
		}
		a[i] = plain
	}
	return a[:], nil
}

// splitFormatted splits a formatted string at its colons and takes the quotes away.
func splitFormatted(s string) (attributes []string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == ':':
			attributes = append(attributes, b.String())
			b.Reset()
		default:
			b.WriteByte(s[i])
		}
	}
	return append(attributes, b.String())
}

// bind returns the formatted string; empty if vendor or product turn out to be nothing.
func (t cpeTemplate) bind(expand func([]piece) string) string {
	var b strings.Builder
	b.WriteString("cpe:2.3")
	for i, pieces := range t {
		value := quoteCPE(expand(pieces))
		if value == "*" && i <= cpeProduct {
			return ""
		}
		b.WriteByte(':')
		b.WriteString(value)
	}
	return b.String()
}

// quoteCPE writes a value as a formatted string has it (§5.3.2, §6.2): in lower case, without blanks, and quoted but for
// letters, digits, "_", "." and "-". What it can't write becomes ANY.
func quoteCPE(v string) string {
	v = strings.Join(strings.Fields(v), "_")
	if v == "" || v == "-" || len(v) > maxCPEValue {
		return "*"
	}
	var b strings.Builder
	for _, c := range []byte(v) {
		switch {
		case 'A' <= c && c <= 'Z':
			b.WriteByte(c | 0x20)
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '.', c == '-':
			b.WriteByte(c)
		case '!' <= c && c <= '~':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			return "*"
		}
	}
	return b.String()
}
