package main

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
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

// listEntry is what openssl-blacklist calls a modulus.
func listEntry(modulus *big.Int) string {
	sum := sha1.Sum(fmt.Appendf(nil, "Modulus=%X\n", modulus))
	return hex.EncodeToString(sum[10:])
}

func TestKeys(t *testing.T) {
	mersenne := func(n uint) *big.Int { return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), n), big.NewInt(1)) }
	p, q, r, s := mersenne(521), mersenne(607), mersenne(1279), mersenne(2203) // each is a prime
	one, two, alone := new(big.Int).Mul(p, q), new(big.Int).Mul(p, r), new(big.Int).Mul(r, s)
	for name, c := range map[string]struct {
		lines string
		list  string // of weak keys; empty for none
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
		"listed": {
			lines: storedKey("192.0.2.1", one) + storedKey("192.0.2.2", alone),
			list:  "# Debian\n00000000000000000000\n" + listEntry(alone) + "\n",
			want:  "192.0.2.2:22\t/evidence/host_keys/0/key\tdebian-2008\tLIST\t\n",
			code:  exitFindings,
		},
		"not listed":           {lines: storedKey("192.0.2.1", one), list: "00000000000000000000\n"},
		"one key on two hosts": {lines: storedKey("192.0.2.1", alone) + storedKey("192.0.2.2", alone)},
	} {
		path := filepath.Join(t.TempDir(), "results.jsonl")
		require.NoError(t, os.WriteFile(path, []byte(c.lines), 0o600))
		out, err := os.Create(filepath.Join(t.TempDir(), "out"))
		require.NoError(t, err)
		a := &app{stdout: out, stderr: os.Stderr, probers: handclasp.Probers()}
		var lists []string
		if c.list != "" {
			lists = []string{filepath.Join(t.TempDir(), "blacklist")}
			require.NoError(t, os.WriteFile(lists[0], []byte(c.list), 0o600))
			c.want = strings.ReplaceAll(c.want, "LIST", lists[0])
		}
		err = a.keys([]string{path}, lists)
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
