package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
)

// storedKey is a line of results with one RSA host key.
func storedKey(host string, modulus *big.Int) string {
	var blob []byte
	for _, part := range [][]byte{[]byte("ssh-rsa"), {1, 0, 1}, append([]byte{0}, modulus.Bytes()...)} {
		blob = append(binary.BigEndian.AppendUint32(blob, uint32(len(part))), part...)
	}
	return fmt.Sprintf(`{"schema":"handclasp.result/1","protocol":"ssh","target":{"network":"tcp","addr":"%s:22","name":""},"started":"2026-01-02T03:04:05.000Z",`+
		`"elapsed_ms":1,"level":"handshake","outcome":"ok","error":null,"evidence":{"host_keys":[{"type":"ssh-rsa","key":"%s"}]},`+
		`"software":[],"findings":[],"transcript":[]}`+"\n", host, base64.StdEncoding.EncodeToString(blob))
}

func TestKeys(t *testing.T) {
	mersenne := func(n uint) *big.Int { return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), n), big.NewInt(1)) }
	p, q, r, s := mersenne(521), mersenne(607), mersenne(1279), mersenne(2203) // each is a prime
	one, two, alone := new(big.Int).Mul(p, q), new(big.Int).Mul(p, r), new(big.Int).Mul(r, s)
	for name, c := range map[string]struct {
		lines string
		want  string
		code  int
	}{
		"none shared": {lines: storedKey("192.0.2.1", one) + storedKey("192.0.2.2", alone)},
		"shared": {
			lines: storedKey("192.0.2.1", one) + storedKey("192.0.2.2", two),
			want: "192.0.2.1:22\t/evidence/host_keys/0/key\tshared-prime\t192.0.2.2:22\t/evidence/host_keys/0/key\n" +
				"192.0.2.2:22\t/evidence/host_keys/0/key\tshared-prime\t192.0.2.1:22\t/evidence/host_keys/0/key\n",
			code: exitFindings,
		},
		"one key on two hosts": {lines: storedKey("192.0.2.1", alone) + storedKey("192.0.2.2", alone)},
	} {
		path := filepath.Join(t.TempDir(), "results.jsonl")
		require.NoError(t, os.WriteFile(path, []byte(c.lines), 0o600))
		out, err := os.Create(filepath.Join(t.TempDir(), "out"))
		require.NoError(t, err)
		a := &app{stdout: out, stderr: os.Stderr, probers: handclasp.Probers()}
		err = a.keys([]string{path})
		require.NoError(t, out.Close())
		said, readErr := os.ReadFile(out.Name())
		require.NoError(t, readErr)
		require.Equal(t, c.want, string(said), name)
		if c.code == 0 {
			require.NoError(t, err, name)
		} else {
			require.Equal(t, exit(c.code), err, name)
		}
	}
}
