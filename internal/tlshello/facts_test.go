package tlshello

import (
	"crypto/tls"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSuiteTable(t *testing.T) {
	require.True(t, slices.IsSortedFunc(suites, func(a, b Suite) int { return int(a.ID) - int(b.ID) }))
	seen := map[string]bool{}
	for _, s := range suites {
		require.False(t, seen[s.Name], s.Name)
		seen[s.Name] = true
		require.Equal(t, s, SuiteOf(uint16(s.ID)))
		named, ok := SuiteNamed(s.Name)
		require.True(t, ok && named == s)
	}
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		require.Equal(t, s.Name, SuiteOf(s.ID).Name)
		require.Equal(t, !slices.Contains(s.SupportedVersions, tls.VersionTLS12), SuiteOf(s.ID).TLS13())
		require.Equal(t, !slices.Contains(s.SupportedVersions, tls.VersionTLS10), SuiteOf(s.ID).TLS12() || SuiteOf(s.ID).TLS13(), s.Name)
	}
	require.Equal(t, "0xABCD", SuiteOf(0xabcd).Name)
}

func TestSuiteProperties(t *testing.T) {
	type properties struct{ anonymous, null, export, rc4, block64, forward, tls12, dhe bool }
	for name, want := range map[string]properties{
		"TLS_DH_anon_EXPORT_WITH_RC4_40_MD5":          {anonymous: true, export: true, rc4: true, forward: true, dhe: true},
		"TLS_ECDH_anon_WITH_NULL_SHA":                 {anonymous: true, null: true, forward: true},
		"TLS_RSA_WITH_3DES_EDE_CBC_SHA":               {block64: true},
		"TLS_RSA_WITH_DES_CBC_SHA":                    {block64: true},
		"TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA":       {export: true, block64: true, forward: true, dhe: true},
		"TLS_RSA_WITH_IDEA_CBC_SHA":                   {block64: true},
		"TLS_GOSTR341001_WITH_28147_CNT_IMIT":         {block64: true},
		"TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC":     {block64: true, tls12: true},
		"TLS_RSA_WITH_NULL_SHA256":                    {null: true, tls12: true},
		"TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA":         {},
		"TLS_DHE_PSK_WITH_AES_128_CBC_SHA256":         {forward: true, dhe: true},
		"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256":       {forward: true, tls12: true},
		"TLS_RSA_PSK_WITH_RC4_128_SHA":                {rc4: true},
		"TLS_AES_128_GCM_SHA256":                      {forward: true},
		"TLS_SHA256_SHA256":                           {forward: true, null: true},
		"TLS_GOSTR341112_256_WITH_MAGMA_MGM_L":        {forward: true, block64: true},
		"SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA":          {block64: true},
		"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": {forward: true, tls12: true},
	} {
		s, ok := SuiteNamed(name)
		require.True(t, ok, name)
		require.Equal(t, want, properties{s.Anonymous(), s.Null(), s.Export(), s.RC4(), s.Block64(), s.ForwardSecrecy(), s.TLS12(), s.DHE()}, name)
	}
	for _, s := range suites2 {
		require.False(t, s.ForwardSecrecy() || s.Anonymous() || s.TLS13() || s.Null(), s.Name)
	}
	require.True(t, suites2[3].Export() && suites2[3].Block64() && suites2[0].RC4() && suites2[6].Block64())
}

// The primes of RFC 2409 and 3526 are 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + x), those of RFC 7919 have e
// for pi; x is the least that makes them safe primes.
func TestSharedPrimesThatRFCsDerive(t *testing.T) {
	const most = 8192
	pi, e := piTimes2To(most), eTimes2To(most)
	for name, c := range map[string]struct {
		constant *big.Int
		n        uint
		x        int64
	}{
		"RFC 2409 group 1": {pi, 768, 149686}, "RFC 2409 group 2": {pi, 1024, 129093}, "RFC 3526 group 5": {pi, 1536, 741804},
		"RFC 3526 group 14": {pi, 2048, 124476}, "RFC 3526 group 15": {pi, 3072, 1690314}, "RFC 3526 group 16": {pi, 4096, 240904},
		"RFC 3526 group 17": {pi, 6144, 929484}, "RFC 3526 group 18": {pi, 8192, 4743158},
		"RFC 7919 ffdhe2048": {e, 2048, 560316}, "RFC 7919 ffdhe3072": {e, 3072, 2625351}, "RFC 7919 ffdhe4096": {e, 4096, 5736041},
		"RFC 7919 ffdhe6144": {e, 6144, 15705020}, "RFC 7919 ffdhe8192": {e, 8192, 10965728},
	} {
		middle := new(big.Int).Rsh(c.constant, most-(c.n-130))
		middle.Add(middle, big.NewInt(c.x)).Lsh(middle, 64)
		p := new(big.Int).Sub(power(c.n), power(c.n-64))
		p.Add(p, middle).Sub(p, big.NewInt(1))
		require.Equal(t, name, SharedPrime(p))
		require.Empty(t, SharedPrime(p.Add(p, big.NewInt(2))))
	}
}

func power(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }

// piTimes2To is by Machin: pi/4 = 4 arctan(1/5) - arctan(1/239). The last of 64 bits more are lost to rounding.
func piTimes2To(n uint) *big.Int {
	arctan := func(x int64) *big.Int {
		sum, term := new(big.Int), new(big.Int).Div(power(n+64), big.NewInt(x))
		for k := int64(1); term.Sign() > 0; k += 2 {
			part := new(big.Int).Div(term, big.NewInt(k))
			if k%4 == 3 {
				part.Neg(part)
			}
			sum.Add(sum, part)
			term.Div(term, big.NewInt(x*x))
		}
		return sum
	}
	pi := new(big.Int).Mul(arctan(5), big.NewInt(16))
	return pi.Sub(pi, new(big.Int).Mul(arctan(239), big.NewInt(4))).Rsh(pi, 64)
}

func eTimes2To(n uint) *big.Int {
	sum, term := new(big.Int), power(n+64)
	for k := int64(1); term.Sign() > 0; k++ {
		sum.Add(sum, term)
		term.Div(term, big.NewInt(k))
	}
	return sum.Rsh(sum, 64)
}

func TestGroups(t *testing.T) {
	for _, g := range append(slices.Clone(groups13), curves...) {
		require.NotContains(t, g.String(), "0x")
	}
	require.Equal(t, "X25519MLKEM768", Group(tls.X25519MLKEM768).String())
	require.True(t, Group(tls.X25519MLKEM768).PostQuantum())
	require.False(t, Group(tls.X25519).PostQuantum())
	require.Equal(t, "0x0A0A", Group(0x0a0a).String())
}
