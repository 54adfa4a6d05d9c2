package finding

import (
	"fmt"
	"slices"

	"github.com/handclasp/handclasp/internal/tlshello"
	"github.com/handclasp/handclasp/probe"
)

// versionFacts are the facts of the versions, by their names, and their JSON fields.
func versionFacts(o *probe.TLSOffers) (names, fields []string, facts []probe.Fact) {
	return ListTLSVersions.names(), []string{"ssl2", "ssl3", "tls10", "tls11", "tls12", "tls13"},
		[]probe.Fact{o.SSL2, o.SSL3, o.TLS10, o.TLS11, o.TLS12, o.TLS13}
}

func versionsOf(t *probe.TLS) (o offering) {
	if t.Offers == nil {
		if t.Version != "" {
			o.items = []Item{{t.Version, "/evidence/tls/version"}}
		}
		return o
	}
	names, fields, facts := versionFacts(t.Offers)
	pointer := func(i int) string { return offersPointer + "/" + fields[i] }
	o.whole = true
	for i, fact := range facts {
		o.whole = o.whole && fact != probe.Unknown
		if fact == probe.Yes {
			o.items = append(o.items, Item{names[i], pointer(i)})
		}
	}
	o.refused = func(name string) bool { i := slices.Index(names, name); return i >= 0 && facts[i] == probe.No }
	o.absence = func(name string) string { return pointer(max(0, slices.Index(names, name))) }
	return o
}

func suitesOf(t *probe.TLS) (o offering) {
	add := func(name, pointer string) {
		if name != "" {
			o.items = append(o.items, Item{name, pointer})
		}
	}
	if offers := t.Offers; offers != nil {
		versions := versionsOf(t)
		o.whole = offers.Mode == probe.TLSModeFull && versions.whole
		for i, v := range offers.Versions {
			at := fmt.Sprintf("%s/versions/%d/suite", offersPointer, i)
			o.whole = o.whole && v.Suites != nil
			for j, name := range v.Suites {
				add(name, fmt.Sprintf("%ss/%d", at, j))
			}
			add(v.Suite, at)
		}
		if w := offers.Weak; w != nil {
			for _, c := range weakClasses(w) {
				add(c.Suite, offersPointer+"/weak/"+c.name+"/suite")
			}
		}
		o.refused = refusedSuites(offers, versions)
		o.absence = func(string) string { return offersPointer + "/versions" }
	}
	add(t.CipherSuite, "/evidence/tls/cipher_suite")
	return o
}

// A weakClass is a class of suites that was asked for as a whole.
type weakClass struct {
	name string
	probe.TLSClass
	has func(tlshello.Suite) bool
}

func weakClasses(w *probe.TLSWeakOffers) []weakClass {
	return []weakClass{
		{"anonymous", w.Anonymous, tlshello.Suite.Anonymous}, {"null", w.Null, tlshello.Suite.Null}, {"export", w.Export, tlshello.Suite.Export},
		{"rc4", w.RC4, tlshello.Suite.RC4}, {"block64", w.Block64, tlshello.Suite.Block64},
		{"no_forward_secrecy", w.NoForwardSecrecy, func(s tlshello.Suite) bool { return !s.ForwardSecrecy() }}, {"dhe", w.DHE, tlshello.Suite.DHE},
	}
}

// refusedSuites tells which suites can't be accepted: those of a class that isn't, and those of versions that aren't.
func refusedSuites(offers *probe.TLSOffers, versions offering) func(name string) bool {
	var refused []func(tlshello.Suite) bool
	if w := offers.Weak; w != nil {
		for _, c := range weakClasses(w) {
			if c.Accepted == probe.No {
				refused = append(refused, c.has)
			}
		}
	}
	if versions.refused("1.3") {
		refused = append(refused, tlshello.Suite.TLS13)
	}
	if tls13Only(offers) {
		refused = append(refused, func(s tlshello.Suite) bool { return !s.TLS13() })
	}
	return func(name string) bool {
		s, ok := tlshello.SuiteNamed(name)
		return ok && slices.ContainsFunc(refused, func(in func(tlshello.Suite) bool) bool { return in(s) })
	}
}

// negotiatedGroups are IANA's names of what crypto/tls calls otherwise.
var negotiatedGroups = map[string]string{"X25519": "x25519", "CurveP256": "secp256r1", "CurveP384": "secp384r1", "CurveP521": "secp521r1"}

func groupsOf(t *probe.TLS) (o offering) {
	if offers := t.Offers; offers != nil {
		o.whole = offers.Mode == probe.TLSModeFull && versionsOf(t).whole
		for i, v := range offers.Versions {
			newest := v.Version == "1.3" || i == len(offers.Versions)-1 || i == len(offers.Versions)-2 && offers.TLS13 == probe.Yes
			o.whole = o.whole && (v.Groups != nil || !newest || v.Version == "SSLv2" || v.Version == "SSLv3")
			for j, name := range v.Groups {
				o.items = append(o.items, Item{name, fmt.Sprintf("%s/versions/%d/groups/%d", offersPointer, i, j)})
			}
		}
		if offers.PostQuantumGroup != "" {
			o.items = append(o.items, Item{offers.PostQuantumGroup, offersPointer + "/post_quantum_group"})
		}
		o.absence = func(string) string { return offersPointer + "/versions" }
	}
	if name := t.KeyExchange; name != "" {
		if iana, ok := negotiatedGroups[name]; ok {
			name = iana
		}
		o.items = append(o.items, Item{name, "/evidence/tls/key_exchange"})
	}
	return o
}

func dhOf(t *probe.TLS) (o offering) {
	if t.Offers == nil {
		return o
	}
	o.whole = t.Offers.DH != nil
	for i, g := range t.Offers.DH {
		o.items = append(o.items, Item{fmt.Sprintf("%d bits", g.Bits), fmt.Sprintf("%s/dh/%d/bits", offersPointer, i)})
		o.bits = append(o.bits, g.Bits)
	}
	return o
}
