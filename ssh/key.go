package ssh

import (
	"crypto/sha256"
	"encoding/base64"
	"math"
	"math/bits"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// describeKey says of a key's blob (RFC 4253 §6.6) what evidence holds. It reports false for what isn't one. The sizes of plain
// keys are read from the blob, since the library refuses some that servers have.
func describeKey(blob []byte) (h HostKey, ok bool) {
	kind, rest, ok := cutString(blob)
	if !ok || len(kind) == 0 {
		return h, false
	}
	h = HostKey{Type: text(string(kind)), Key: blob}
	if strings.HasSuffix(h.Type, certSuffix) {
		key, err := ssh.ParsePublicKey(blob)
		cert, isCert := key.(*ssh.Certificate)
		if err != nil || !isCert {
			return h, false
		}
		h.Certificate = describeCertificate(cert)
		blob = cert.Key.Marshal()
		if kind, rest, ok = cutString(blob); !ok {
			return h, false
		}
	}
	sum := sha256.Sum256(blob)
	h.SHA256 = "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
	h.Bits, ok = keyBits(string(kind), rest)
	return h, ok
}

// keyBits reads the size of a key from what comes behind its type; 0 for a type that isn't known. It reports false if the
// key is broken.
func keyBits(kind string, rest []byte) (n int, ok bool) {
	var parts [][]byte
	for len(rest) > 0 {
		var part []byte
		if part, rest, ok = cutString(rest); !ok {
			return 0, false
		}
		parts = append(parts, part)
	}
	curves := map[string]int{"nistp256": 256, "nistp384": 384, "nistp521": 521} // RFC 5656 §10.1
	switch {
	case kind == ssh.KeyAlgoRSA && len(parts) == 2: // e and n
		n = bitLen(parts[1])
	case kind == "ssh-dss" && len(parts) == 4: // p, q, g and y
		n = bitLen(parts[0])
	case kind == ssh.KeyAlgoED25519 && len(parts) == 1:
		n = 8 * len(parts[0])
	case strings.HasPrefix(kind, "ecdsa-sha2-") && len(parts) == 2: // the curve and a point
		n = curves[string(parts[0])]
	default:
		return 0, kind != ssh.KeyAlgoRSA && kind != "ssh-dss"
	}
	return n, n > 0
}

// bitLen is the size of a number (RFC 4251 §5: mpint); 0 for one that isn't positive.
func bitLen(mpint []byte) int {
	if len(mpint) == 0 || mpint[0]&0x80 != 0 {
		return 0
	}
	for len(mpint) > 0 && mpint[0] == 0 {
		mpint = mpint[1:]
	}
	if len(mpint) == 0 {
		return 0
	}
	return 8*(len(mpint)-1) + bits.Len8(mpint[0])
}

// leastVerifiable is the size of the smallest RSA key whose signatures Go verifies.
const leastVerifiable = 1024

// verifiable reports whether the library verifies signatures by the key: it refuses some that are well-formed, such as RSA
// with an exponent of more than 24 bits.
func verifiable(h HostKey) bool {
	_, err := ssh.ParsePublicKey(h.Key)
	return err == nil && (!strings.HasPrefix(h.Type, ssh.KeyAlgoRSA) || h.Bits >= leastVerifiable)
}

func describeCertificate(cert *ssh.Certificate) *Certificate {
	c := &Certificate{
		KeyID: text(cert.KeyId), Serial: cert.Serial, Principals: clean(cert.ValidPrincipals),
		ValidAfter: validity(cert.ValidAfter), ValidBefore: validity(cert.ValidBefore),
	}
	if cert.SignatureKey != nil {
		c.AuthoritySHA256 = ssh.FingerprintSHA256(cert.SignatureKey)
	}
	return c
}

// validity returns the time, nil for "always" and "for ever" (0 and 2⁶⁴−1) and what JSON has no room for.
func validity(seconds uint64) *time.Time {
	if seconds == 0 || seconds > math.MaxInt64 {
		return nil
	}
	t := time.Unix(int64(seconds), 0).UTC()
	if t.Year() < 1970 || t.Year() > 9999 {
		return nil
	}
	return &t
}
