package probe

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDistinguishedName(t *testing.T) {
	attribute := func(value any, arcs ...int) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: arcs, Value: value}
	}
	names := map[string]pkix.RDNSequence{
		"empty":    {},
		"usual":    {{attribute("DE", 2, 5, 4, 6)}, {attribute("Example, Inc.", 2, 5, 4, 10)}, {attribute("mx", 2, 5, 4, 3)}},
		"repeated": {{attribute("a", 2, 5, 4, 11)}, {attribute("b", 2, 5, 4, 11)}, {attribute("mx", 2, 5, 4, 3)}},
		"others":   {{attribute("a@example.org", 1, 2, 840, 113549, 1, 9, 1)}, {attribute("example", 0, 9, 2342, 19200300, 100, 1, 25)}, {attribute("mx", 2, 5, 4, 3)}},
	}
	for title, sequence := range names {
		var n pkix.Name
		n.FillFromRDNSequence(&sequence)
		require.Equal(t, n.String(), distinguishedName(n), title)
	}
}

// A handshake has room for 20,000 attributes, for which Go's own String takes a second, and a hundred times that for
// ten times as many.
func TestDistinguishedNameOfManyAttributes(t *testing.T) {
	var n pkix.Name
	for range 200_000 {
		n.Names = append(n.Names, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 99}, Value: ""})
	}
	start := time.Now()
	require.NotEmpty(t, distinguishedName(n))
	require.Less(t, time.Since(start), 10*time.Second, "quadratic")
}

// One certificate with "99991231235959-1200" would else keep a whole result from being written.
func TestCertificateTimesBeyondJSON(t *testing.T) {
	west := time.FixedZone("", -12*60*60)
	c := describeCertificate(&x509.Certificate{
		NotBefore: time.Date(0, time.January, 1, 0, 0, 0, 0, time.FixedZone("", 12*60*60)),
		NotAfter:  time.Date(9999, time.December, 31, 23, 59, 59, 0, west),
	})
	b, err := json.Marshal(c)
	require.NoError(t, err)
	var back Certificate
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, c, back)
	require.Equal(t, 0, c.NotBefore.Year())
	require.Equal(t, 9999, c.NotAfter.Year())
}
