package ssh

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
)

// A named is an algorithm and the JSON pointer to it.
type named struct{ name, pointer string }

// mostNamed is how many algorithms of a list a proof names: servers have some tens in all.
const mostNamed = 32

// in returns the algorithms of a list that a test picks.
func in(list []string, field string, pick func(string) bool) (found []named) {
	for i, name := range list {
		if pick(name) && len(found) < mostNamed {
			found = append(found, named{name, fmt.Sprintf("/evidence/algorithms/%s/%d", field, i)})
		}
	}
	return found
}

// proofOf proves by algorithms that were found: nil for none. The detail names each once.
func proofOf(found ...[]named) *finding.Proof {
	all := slices.Concat(found...)
	if len(all) == 0 {
		return nil
	}
	var basis, names []string
	for _, a := range all {
		basis = append(basis, a.pointer)
		if !slices.Contains(names, a.name) {
			names = append(names, a.name)
		}
	}
	return finding.Seen(basis...).With(few(names))
}

// few joins names, and counts those that are too many to show.
func few(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// weakKex picks what RFC 9142 §4 marks SHOULD NOT or MUST NOT. It leaves diffie-hellman-group14-sha1 at MAY.
func weakKex(name string) bool {
	switch name {
	case "diffie-hellman-group1-sha1", "diffie-hellman-group-exchange-sha1", "rsa1024-sha1":
		return true
	}
	return hasPrefix(name, "gss-gex-sha1-", "gss-group1-sha1-", "gss-group14-sha1-") // a mechanism's name follows
}

// weakHostKey picks signatures over SHA-1: RSA's (RFC 8332 §1, §5.1) and DSA's, whose keys have 1024 bits besides.
func weakHostKey(name string) bool {
	switch name {
	case "ssh-rsa", "ssh-dss", "x509v3-sign-rsa", "x509v3-sign-dss", "x509v3-ssh-rsa", "x509v3-ssh-dss": // RFC 6187 §3
		return true
	}
	return hasPrefix(name, "ssh-rsa-cert-v0", "ssh-dss-cert-v0") // OpenSSH's PROTOCOL.certkeys
}

// weakCipher picks RC4 (RFC 8758), CBC, whose plaintext can be recovered in part (CVE-2008-5161), and none at all.
func weakCipher(name string) bool {
	return name == "none" || hasPrefix(name, "arcfour") || isCBC(name)
}

func isCBC(name string) bool {
	base, _, _ := strings.Cut(name, "@")
	return strings.HasSuffix(base, "-cbc")
}

// weakMAC picks MD5 (RFC 6151 §2.3), tags of 96 bits, and none at all.
func weakMAC(name string) bool {
	base, _, _ := strings.Cut(name, "@")
	base = strings.TrimSuffix(base, "-etm")
	return name == "none" || hasPrefix(base, "hmac-md5") || strings.HasSuffix(base, "-96")
}

func isEncryptThenMAC(name string) bool { return strings.HasSuffix(name, "-etm@openssh.com") }

func isChaCha(name string) bool { return name == "chacha20-poly1305@openssh.com" }

// postQuantum picks key exchanges that a quantum computer doesn't break: ML-KEM and its draft's name Kyber, NTRU Prime.
func postQuantum(name string) bool {
	return strings.Contains(name, "mlkem") || strings.Contains(name, "kyber") || strings.Contains(name, "sntrup")
}

func hasPrefix(name string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}
