package probe

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatExtensionsSay(t *testing.T) {
	plain := describeCertificate(new(x509.Certificate))
	require.Nil(t, plain.KeyUsage)
	require.Equal(t, No, plain.MustStaple)
	require.Equal(t, No, plain.SCTs)

	full := describeCertificate(&x509.Certificate{
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		Extensions: []pkix.Extension{
			{Id: oidTLSFeature, Value: []byte{0x30, 3, 2, 1, 5}}, {Id: oidSCTs, Value: []byte{4, 0}},
		},
	})
	require.Equal(t, []string{"digitalSignature", "keyCertSign"}, full.KeyUsage)
	require.Equal(t, Yes, full.MustStaple)
	require.Equal(t, Yes, full.SCTs)

	for name, value := range map[string][]byte{"another feature": {0x30, 3, 2, 1, 6}, "no sequence": {2, 1, 5}, "rest": {0x30, 3, 2, 1, 5, 0}} {
		c := &x509.Certificate{Extensions: []pkix.Extension{{Id: oidTLSFeature, Value: value}}}
		require.False(t, mustStaple(c), name)
	}
}
