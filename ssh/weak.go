package ssh

import (
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
)

// in returns the algorithms of a list that a test picks.
func in(list []string, field string, pick func(string) bool) []finding.Item {
	return finding.Items(list, "/evidence/algorithms/"+field, pick)
}

// weak fires on algorithms that were found.
func weak(found ...[]finding.Item) finding.Answer {
	return finding.FiresOn(finding.Seen, slices.Concat(found...))
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
