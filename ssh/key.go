package ssh

import (
	//lint:ignore SA1019 old servers have such keys
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"math"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// describeKey says of a key what evidence holds.
func describeKey(key ssh.PublicKey) HostKey {
	h := HostKey{Type: key.Type()}
	plain := key
	if cert, ok := key.(*ssh.Certificate); ok {
		plain = cert.Key
		h.Certificate = describeCertificate(cert)
	}
	h.Bits, h.SHA256 = bits(plain), ssh.FingerprintSHA256(plain)
	return h
}

func bits(key ssh.PublicKey) int {
	crypto, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return 0
	}
	switch k := crypto.CryptoPublicKey().(type) {
	case *rsa.PublicKey:
		return k.N.BitLen()
	case *dsa.PublicKey:
		return k.P.BitLen()
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize
	case ed25519.PublicKey:
		return 8 * len(k)
	}
	return 0
}

// leastVerifiable is the size of the smallest RSA key whose signatures Go verifies.
const leastVerifiable = 1024

// verifiable reports whether a signature by the key can be verified.
func verifiable(h HostKey) bool {
	return !strings.HasPrefix(h.Type, ssh.KeyAlgoRSA) || h.Bits >= leastVerifiable
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
