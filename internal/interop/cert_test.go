package interop_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certFiles are PEM files. CA is the issuer, or the certificate itself if it is self-signed.
type certFiles struct{ Cert, Key, CA string }

// certOptions say what is wrong with a certificate; the zero value is a valid one for localhost and the loopback
// addresses, RSA 2048, signed by a private CA.
type certOptions struct {
	Name       string // another DNS name, alone: it doesn't match the addresses
	Expired    bool   // a month ago
	SelfSigned bool
	ECDSA      bool   // P-256 in place of RSA
	Owner      string // the user that reads the key, if that isn't root
}

func makeCert(t testing.TB, o certOptions) certFiles {
	t.Helper()
	from, to := time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if o.Expired {
		from, to = from.AddDate(0, -2, 0), to.AddDate(0, -1, 0)
	}
	leaf := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    from, NotAfter: to,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if o.Name != "" {
		leaf.Subject.CommonName, leaf.DNSNames, leaf.IPAddresses = o.Name, []string{o.Name}, nil
	}
	key := newKey(o.ECDSA)

	// A CA that outlives the leaf: only the leaf's own dates decide.
	ca, caKey := leaf, key
	if !o.SelfSigned {
		caKey = newKey(true)
		ca = &x509.Certificate{
			SerialNumber: serial(),
			Subject:      pkix.Name{CommonName: "handclasp test CA"},
			NotBefore:    from.AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(1, 0, 0),
			KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		}
	}
	dir := serverDir(t, o.Owner)
	certDER := must(x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey))
	caDER := certDER
	if !o.SelfSigned {
		caDER = must(x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey))
	}
	files := certFiles{
		Cert: writePEM(t, dir, "cert.pem", "CERTIFICATE", certDER),
		Key:  writePEM(t, dir, "key.pem", "PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key))),
		CA:   writePEM(t, dir, "ca.pem", "CERTIFICATE", caDER),
	}
	chown(t, files.Key, o.Owner)
	return files
}

func newKey(ec bool) crypto.Signer {
	if ec {
		return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}
	return must(rsa.GenerateKey(rand.Reader, 2048))
}

func serial() *big.Int { return must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))) }

func writePEM(t testing.TB, dir, name, kind string, der []byte) string {
	t.Helper()
	mode := os.FileMode(0o644)
	if kind == "PRIVATE KEY" {
		mode = 0o600 // some servers refuse a key that others can read
	}
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	return writeFile(t, filepath.Join(dir, name), string(text), mode)
}
