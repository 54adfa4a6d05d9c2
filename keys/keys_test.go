package keys_test

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/finding/findingtest"
	"github.com/handclasp/handclasp/keys"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smtp"
	"github.com/handclasp/handclasp/ssh"
)

func primes(t *testing.T, n int) (list []*big.Int) {
	for range n {
		p, err := rand.Prime(rand.Reader, 512)
		require.NoError(t, err)
		list = append(list, p)
	}
	return list
}

func public(p, q *big.Int, e int) *rsa.PublicKey {
	return &rsa.PublicKey{N: new(big.Int).Mul(p, q), E: e}
}

// blob is a key as SSH sends it (RFC 4253 §6.6).
func blob(k *rsa.PublicKey) (b []byte) {
	add := func(s []byte) { b = append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...) }
	add([]byte("ssh-rsa"))
	add(big.NewInt(int64(k.E)).Bytes())
	add(append([]byte{0}, k.N.Bytes()...))
	return b
}

func shows(list ...*rsa.PublicKey) *ssh.Evidence {
	e := &ssh.Evidence{HostKeys: []ssh.HostKey{}}
	for _, k := range list {
		e.HostKeys = append(e.HostKeys, ssh.HostKey{Type: "ssh-rsa", Key: blob(k)})
	}
	return e
}

func result(e probe.Evidence, host string) *probe.Result {
	return &probe.Result{
		Protocol: e.Protocol(), Outcome: probe.OutcomeOK, Evidence: e,
		Target: probe.Target{Addr: netip.AddrPortFrom(netip.MustParseAddr(host), 22)},
	}
}

func TestRules(t *testing.T) {
	p := primes(t, 3)
	good := public(p[0], p[1], 65537)
	close := new(big.Int).Add(p[0], big.NewInt(2))
	for !close.ProbablyPrime(20) {
		close.Add(close, big.NewInt(2))
	}
	findingtest.Rules(t, keys.Rules, func(e *ssh.Evidence) *probe.Result { return result(e, "192.0.2.7") }, map[string][]findingtest.Case[*ssh.Evidence]{
		"key.weak": {
			{
				Fires: []*ssh.Evidence{shows(good, public(p[0], p[2], 1))}, Known: finding.Seen, Detail: "bad-exponent", Items: []string{"bad-exponent"},
				NotSo:      []*ssh.Evidence{shows(good), {HostKeys: []ssh.HostKey{{Type: "ssh-ed25519", Key: []byte{0}}}}},
				NotLearned: []*ssh.Evidence{{}, {HostKeys: []ssh.HostKey{{Type: "ssh-rsa"}}}},
			},
			{
				Fires: []*ssh.Evidence{shows(public(p[0], close, 65537))}, Known: finding.Seen, Detail: "fermat-close-primes",
				Items: []string{"fermat-close-primes"},
			},
			{
				Fires: []*ssh.Evidence{shows(public(p[0], big.NewInt(641), 65537))}, Known: finding.Seen, Detail: "small-factor",
				Items: []string{"small-factor"},
			},
		},
	})
}

// A certificate's key is judged as well, from what is stored of it.
func TestKeyOfACertificate(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, &key.PublicKey, key)
	require.NoError(t, err)
	e := new(smtp.Evidence)
	e.TLS = &probe.TLS{Chain: []probe.Certificate{{DER: der}}}
	list, shown := keys.Of(result(e, "192.0.2.7"))
	require.True(t, shown)
	require.Len(t, list, 1)
	require.Equal(t, "/evidence/tls/chain/0/der", list[0].Pointer)
	require.Equal(t, key.N, list[0].Public.N)
}

func TestSharedPrimes(t *testing.T) {
	p := primes(t, 5)
	var c keys.Collection
	one, two := public(p[0], p[1], 65537), public(p[0], p[2], 65537)
	c.Add(result(shows(one), "192.0.2.1"))
	c.Add(result(shows(one), "192.0.2.1")) // once more
	c.Add(result(shows(public(p[3], p[4], 65537)), "192.0.2.2"))
	c.Add(result(shows(two), "192.0.2.3"))
	require.Len(t, c.Keys(), 3)
	pairs, all := c.Shared()
	require.True(t, all)
	require.Len(t, pairs, 2)
	require.Equal(t, "192.0.2.1:22", pairs[0].Holder.Target.Addr.String())
	require.Equal(t, "192.0.2.3:22", pairs[0].Peer.Target.Addr.String())
}

// Blobs are the server's.
func FuzzOf(f *testing.F) {
	f.Add(blob(&rsa.PublicKey{N: big.NewInt(3233), E: 17}))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, _ := keys.Of(&probe.Result{Protocol: "ssh", Evidence: &ssh.Evidence{HostKeys: []ssh.HostKey{{Key: b}}}})
		for _, k := range list {
			require.NotNil(t, k.Public.N)
			require.GreaterOrEqual(t, k.Public.E, 0)
		}
	})
}

// A key is found in a list by its modulus or by its blob, whatever its type, at each endpoint that has it.
func TestListed(t *testing.T) {
	p := primes(t, 4)
	weak, other := public(p[0], p[1], 65537), public(p[2], p[3], 65537)
	dsa := []byte("a key of another type")
	ssh1 := shows(other, weak)
	ssh1.HostKeys = append(ssh1.HostKeys, ssh.HostKey{Type: "ssh-dss", Key: dsa})
	var c keys.Collection
	c.Add(result(ssh1, "192.0.2.1"))
	c.Add(result(shows(weak), "192.0.2.2"))
	c.Add(result(shows(weak), "192.0.2.2"))
	sha := sha1.Sum(fmt.Appendf(nil, "Modulus=%X\n", weak.N))
	byBlob, ofDSA := md5.Sum(blob(weak)), md5.Sum(dsa)
	line := func(sum []byte) string { return hex.EncodeToString(sum[len(sum)-10:]) + "\n" }
	for list, want := range map[string][]string{
		line(sha[:]):                      {"192.0.2.1 /evidence/host_keys/1/key", "192.0.2.2 /evidence/host_keys/0/key"},
		line(byBlob[:]) + line(byBlob[:]): {"192.0.2.1 /evidence/host_keys/1/key", "192.0.2.2 /evidence/host_keys/0/key"},
		"# remark\n" + line(ofDSA[:]):     {"192.0.2.1 /evidence/host_keys/2/key"},
		line(make([]byte, 10)):            nil,
	} {
		found, err := c.Listed(strings.NewReader(list))
		require.NoError(t, err)
		var got []string
		for _, h := range found {
			got = append(got, h.Target.Addr.Addr().String()+" "+h.Pointer)
		}
		require.Equal(t, want, got)
	}
	_, err := c.Listed(strings.NewReader("nonsense\n"))
	require.ErrorContains(t, err, "line 1: not 20 hexadecimal digits")
}
