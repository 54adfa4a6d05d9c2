package ssh

import (
	"bytes"
	"io"
	"strings"

	"golang.org/x/crypto/ssh"
)

// What the library is told to offer: all that it implements, the insecure too, so that as many servers as possible have
// something in common with it; no secret is ever sent. The lists are spelled out, and not asked of the library, so that
// conversations that were recorded replay with its later versions.
var (
	// The first key exchanges take little time and draw their key from the randomness that they are given, and so can be
	// replayed; those of NIST's curves draw their own since Go 1.26.
	offeredKex = []string{
		ssh.KeyExchangeCurve25519, "curve25519-sha256@libssh.org", ssh.KeyExchangeMLKEM768X25519,
		ssh.KeyExchangeDH14SHA256, ssh.KeyExchangeDH16SHA512, ssh.KeyExchangeDHGEXSHA256,
		ssh.KeyExchangeECDHP256, ssh.KeyExchangeECDHP384, ssh.KeyExchangeECDHP521,
		ssh.InsecureKeyExchangeDH14SHA1, ssh.InsecureKeyExchangeDHGEXSHA1, ssh.InsecureKeyExchangeDH1SHA1,
	}
	offeredCiphers = []string{
		ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherChaCha20Poly1305,
		ssh.CipherAES128CTR, ssh.CipherAES192CTR, ssh.CipherAES256CTR,
		ssh.InsecureCipherAES128CBC, ssh.InsecureCipherTripleDESCBC,
		ssh.InsecureCipherRC4256, ssh.InsecureCipherRC4128, ssh.InsecureCipherRC4,
	}
	offeredMACs = []string{
		ssh.HMACSHA256ETM, ssh.HMACSHA512ETM, ssh.HMACSHA256, ssh.HMACSHA512, ssh.HMACSHA1, ssh.InsecureHMACSHA196,
	}
	// Plain keys come before certificates, which hold the same ones, and small signatures before large ones.
	offeredHostKeys = []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSA, "ssh-dss",
		ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
		ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSAv01, "ssh-dss-cert-v01@openssh.com",
	}
)

// largeGroups reports whether keys are exchanged in a group of numbers with a server that has these lists: the first method
// of the client that the server has (RFC 4253 §7.1).
func largeGroups(lists []byte) bool {
	methods, _, _ := cutString(lists[min(len(lists), 1+len(kexInit{}.Cookie)):])
	for _, method := range offeredKex {
		for theirs := range bytes.SplitSeq(methods, []byte(",")) {
			if string(theirs) == method {
				return strings.HasPrefix(method, "diffie-hellman-")
			}
		}
	}
	return false
}

func offered(random io.Reader) ssh.Config {
	return ssh.Config{Rand: random, KeyExchanges: offeredKex, Ciphers: offeredCiphers, MACs: offeredMACs}
}

// certSuffix ends the names of host keys that are certificates (OpenSSH's PROTOCOL.certkeys).
const certSuffix = "-cert-v01@openssh.com"

// keyType returns the format of the keys that sign by a host-key algorithm: RSA keys do by three (RFC 8332 §2).
func keyType(algorithm string) string {
	switch algorithm {
	case ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512:
		return ssh.KeyAlgoRSA
	case ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSASHA512v01:
		return ssh.CertAlgoRSAv01
	}
	return algorithm
}

// keyTypes returns the types of a list of host-key algorithms, each once.
func keyTypes(algorithms []string) (types []string) {
	seen := map[string]bool{"": true} // a server may list very many
	for _, a := range algorithms {
		if t := keyType(a); !seen[t] {
			seen[t] = true
			types = append(types, t)
		}
	}
	return types
}

// algorithmsFor returns the algorithms by which keys of a type are asked for, none if that isn't possible, and all
// for the empty type.
func algorithmsFor(wanted string) (list []string) {
	if wanted == "" {
		return offeredHostKeys
	}
	for _, a := range offeredHostKeys {
		if keyType(a) == wanted {
			list = append(list, a)
		}
	}
	return list
}
