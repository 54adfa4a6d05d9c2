package weakkeys

import (
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func prime(t testing.TB, bits int) *big.Int {
	p, err := rand.Prime(rand.Reader, bits)
	require.NoError(t, err)
	return p
}

func next(p *big.Int) *big.Int {
	for p = new(big.Int).Add(p, two); !p.ProbablyPrime(10); p.Add(p, two) {
	}
	return p
}

func times(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) }

// rocaFormed returns a prime as the flawed library made them.
func rocaFormed(t testing.TB, bits int) *big.Int {
	m := times(rocaTable().modulus, two)
	for {
		a, err := rand.Int(rand.Reader, m)
		require.NoError(t, err)
		k, err := rand.Int(rand.Reader, new(big.Int).Lsh(one, uint(bits-m.BitLen())))
		require.NoError(t, err)
		p := new(big.Int).Exp(big.NewInt(rocaGenerator), a, m)
		if p.Add(p, k.Mul(k, m)); p.ProbablyPrime(10) {
			return p
		}
	}
}

func TestCheck(t *testing.T) {
	p := prime(t, 512)
	good := times(p, prime(t, 512))
	for name, c := range map[string]struct {
		n    *big.Int
		e    int
		want []Method
	}{
		"a good key":              {good, 65537, nil},
		"a good key, 3":           {good, 3, nil},
		"an even modulus":         {times(p, two), 65537, []Method{SmallFactor}},
		"a small prime":           {times(p, big.NewInt(65521)), 65537, []Method{SmallFactor}},
		"a prime above the limit": {times(p, big.NewInt(65537)), 65537, nil},
		"neighbours":              {times(p, next(p)), 65537, []Method{FermatClose}},
		"one prime twice":         {times(p, p), 65537, []Method{FermatClose}},
		"an even exponent":        {good, 65536, []Method{BadExponent}},
		"exponent 1":              {good, 1, []Method{BadExponent}},
		"exponent 0":              {good, 0, []Method{BadExponent}},
		"both":                    {times(p, next(p)), 2, []Method{FermatClose, BadExponent}},
		"ROCA":                    {times(rocaFormed(t, 512), rocaFormed(t, 512)), 65537, []Method{ROCA}},
		"one prime of ROCA's":     {times(rocaFormed(t, 512), prime(t, 512)), 65537, nil},
		"no key":                  {big.NewInt(15), 65537, nil},
		"minus a key":             {new(big.Int).Neg(good), 65537, nil},
		"too long to look at":     {new(big.Int).Lsh(one, maxBits), 65537, nil},
	} {
		require.Equal(t, c.want, Check(&rsa.PublicKey{N: c.n, E: c.e}), name)
	}
	require.Nil(t, Check(nil))
	require.Nil(t, Check(&rsa.PublicKey{}))
}

// The keys that libraries make have no weakness, however many are tried.
func TestCheckOfGeneratedKeys(t *testing.T) {
	for range 50 {
		require.Nil(t, Check(&rsa.PublicKey{N: times(prime(t, 256), prime(t, 256)), E: 65537}))
	}
}

// Fermat's method by its definition agrees with the one that skips what can't be a square.
func TestIsSquare(t *testing.T) {
	for n := range int64(20_000) {
		root := new(big.Int).Sqrt(big.NewInt(n))
		require.Equal(t, times(root, root).Int64() == n, isSquare(big.NewInt(n)), n)
	}
}

func TestSharedPrimes(t *testing.T) {
	p, q, r := prime(t, 128), prime(t, 128), prime(t, 128)
	other := func() *big.Int { return prime(t, 129) }
	single := times(other(), other())
	moduli := []*big.Int{
		times(p, other()), times(other(), other()), times(q, other()), nil, single, times(p, other()), big.NewInt(3),
		times(q, other()), single, times(q, r), times(r, other()), times(p, p),
	}
	found, all := SharedPrimes(moduli)
	require.True(t, all)
	require.Equal(t, []Shared{{0, 5}, {2, 7}, {5, 0}, {7, 2}, {9, 2}, {10, 9}, {11, 0}}, found)

	for n := range 9 { // trees of every shape
		moduli := []*big.Int{}
		for range n {
			moduli = append(moduli, times(other(), other()))
		}
		found, all := SharedPrimes(moduli)
		require.Empty(t, found)
		require.True(t, all)
		if n > 0 {
			moduli = append(moduli, times(p, other()), times(p, other()))
			found, _ = SharedPrimes(moduli)
			require.Equal(t, []Shared{{n, n + 1}, {n + 1, n}}, found)
		}
	}
}

// The entries were made with printf 'Modulus=C0FFEE0123456789\n' | sha1sum | cut -c21-40, as the text in front of
// openssl-blacklist says, and with printf blob | md5sum | cut -c13-32.
func TestList(t *testing.T) {
	var found []Entry
	require.NoError(t, ReadList(strings.NewReader("# text\n\nc6fb5c550d8f3813e5ab\r\n9eeb4b37dac350f4754a\n"), func(e Entry) { found = append(found, e) }))
	modulus, ok := ModulusEntry(new(big.Int).SetUint64(0xC0FFEE0123456789))
	require.True(t, ok)
	require.ElementsMatch(t, []Entry{modulus, BlobEntry([]byte("blob"))}, found)
	require.NotContains(t, found, BlobEntry([]byte("blot")))
	_, ok = ModulusEntry(big.NewInt(1))
	require.False(t, ok, "no key")

	for name, text := range map[string]string{
		"short": "00005890bc78bcbee3c\n", "long": "00005890bc78bcbee3caa\n", "no digits": "00005890bc78bcbee3cg\n",
		"a whole hash": strings.Repeat("ab", 20) + "\n", "a long line": "#" + strings.Repeat(" ", 1<<11), "a page": "<html>\n",
	} {
		require.ErrorContains(t, ReadList(strings.NewReader("# first\n"+text), func(Entry) {}), "line 2", name)
	}
}

func FuzzReadList(f *testing.F) {
	f.Add("# text\n\n00005890bc78bcbee3ca\n")
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		err := ReadList(strings.NewReader(text), func(Entry) { n++ })
		require.LessOrEqual(t, n, len(text)/20)
		if err != nil {
			require.ErrorContains(t, err, "line ")
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	key := &rsa.PublicKey{N: times(prime(b, 1024), prime(b, 1024)), E: 65537}
	Check(key)
	for b.Loop() {
		Check(key)
	}
}

func BenchmarkSharedPrimes1000(b *testing.B) {
	var moduli []*big.Int
	for range 1000 { // odd numbers do: primes take long to find
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(one, 2048))
		require.NoError(b, err)
		moduli = append(moduli, n.SetBit(n, 0, 1))
	}
	for b.Loop() {
		suspicious(moduli)
	}
}
