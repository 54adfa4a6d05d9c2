package probe

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
)

var (
	oidSCTs       = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2} // RFC 6962 §3.3
	oidTLSFeature = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}       // RFC 7633 §4.1
)

// extension returns the value of a certificate's extension; nil if it has none.
func extension(cert *x509.Certificate, oid asn1.ObjectIdentifier) []byte {
	for _, e := range cert.Extensions {
		if e.Id.Equal(oid) {
			return e.Value
		}
	}
	return nil
}

// mustStaple reports whether status_request, or its second version, is among the features that the certificate demands.
func mustStaple(cert *x509.Certificate) bool {
	var features []int
	rest, err := asn1.Unmarshal(extension(cert, oidTLSFeature), &features)
	return err == nil && len(rest) == 0 && (slices.Contains(features, 5) || slices.Contains(features, 17))
}

// keyUsages are the names of RFC 5280 §4.2.1.3, in the order of the bits.
var keyUsages = [...]string{
	"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign",
	"encipherOnly", "decipherOnly",
}

// keyUsage lists what the key is for; nil if the certificate doesn't say.
func keyUsage(cert *x509.Certificate) (list []string) {
	for bit, name := range keyUsages {
		if cert.KeyUsage&(1<<bit) != 0 {
			list = append(list, name)
		}
	}
	return list
}
