package probe

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whatever a certificate says, its evidence is written and read back.
func FuzzCertificate(f *testing.F) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(f, err)
	for _, name := range []pkix.Name{
		{CommonName: "ftp.example", Organization: []string{"A", "B+C"}, Country: []string{"NO"}},
		{ExtraNames: []pkix.AttributeTypeAndValue{{Type: []int{1, 2, 3}, Value: "caf\u00e9, \x00"}, {Type: []int{2, 5, 4, 10}, Value: "#x"}}},
	} {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(7), Subject: name, DNSNames: []string{"*.example"}, NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(f, err)
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		want := describeCertificate(cert)
		data, err := json.Marshal(want)
		require.NoError(t, err)
		var got Certificate
		require.NoError(t, json.Unmarshal(data, &got))
		require.Equal(t, want, got)
		plain, _ := UTF8([]byte(cert.Subject.String()))
		require.Equal(t, plain, want.Subject)
	})
}

// A stored result may be anybody's file: what is read is written the same again.
func FuzzResult(f *testing.F) {
	f.Add([]byte(`{"schema":"handclasp.result/1","protocol":"ftp","target":{"network":"tcp","addr":"192.0.2.7:21","name":""},
		"started":"2026-01-02T03:04:05.678Z","elapsed_ms":41,"level":"handshake","outcome":"closed","error":{"op":"read","message":"EOF"},
		"evidence":{"greeting":null},"software":[],"transcript":[{"at_ms":3,"conn":1,"dir":"recv","text":"\ufffd","lossy":true,"base64":"/w=="}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Decode(data)
		if err != nil {
			return
		}
		written, err := json.Marshal(first)
		require.NoError(t, err)
		second, err := Decode(written)
		require.NoError(t, err)
		again, err := json.Marshal(second)
		require.NoError(t, err)
		require.JSONEq(t, string(written), string(again))
	})
}
