// Package keys judges the public keys that servers showed, whatever the protocol: whether anybody can compute the private key.
package keys

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/weakkeys"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/ssh"
)

// A Key is an RSA key that a result holds.
type Key struct {
	Pointer string // the JSON pointer to it: a certificate's DER, or the blob of an SSH host key
	Public  *rsa.PublicKey
}

// Of returns the RSA keys in a result, that of its TLS certificate first, and whether it holds any keys of any kind. Keys that can't be
// parsed, and exponents of more than 31 bits, are left out.
func Of(r *probe.Result) (list []Key, shown bool) {
	if e, ok := r.Evidence.(probe.TLSEvidence); ok && e.TLSHandshake() != nil {
		// The server's own: what is above it in the chain is other people's, and the same in many results.
		if chain := e.TLSHandshake().Chain; len(chain) > 0 {
			if kind := chain[0].KeyType; kind != "" && kind != "RSA" { // it was parsed when it came
				shown = true
			} else if cert, err := x509.ParseCertificate(chain[0].DER); err == nil {
				shown = true
				if key, ok := cert.PublicKey.(*rsa.PublicKey); ok {
					list = append(list, Key{"/evidence/tls/chain/0/der", key})
				}
			}
		}
	}
	if e, ok := probe.As[*ssh.Evidence](r); ok {
		for i, k := range e.HostKeys {
			shown = shown || len(k.Key) > 0
			if key, ok := parseBlob(k.Key); ok {
				list = append(list, Key{hostKeyPointer(i), key})
			}
		}
	}
	return list, shown
}

// parseBlob reads a plain RSA key (RFC 4253 §6.6).
func parseBlob(b []byte) (*rsa.PublicKey, bool) {
	var parts [3][]byte // the format, the exponent, the modulus
	for i := range parts {
		if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
			return nil, false
		}
		size := int(binary.BigEndian.Uint32(b))
		parts[i], b = b[4:4+size], b[4+size:]
	}
	e := new(big.Int).SetBytes(parts[1])
	if string(parts[0]) != "ssh-rsa" || len(b) > 0 || !e.IsInt64() || e.Int64() > math.MaxInt32 {
		return nil, false
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(parts[2]), E: int(e.Int64())}, true
}

// Rules judge keys one by one. Primes that keys of several hosts share are found by [Shared].
var Rules = finding.Described([]finding.Rule{{
	ID: "key.weak", Title: "a private key that anybody can compute", Severity: finding.Critical, Varies: []finding.Severity{finding.Critical, finding.High},
	CWE:         []int{1391},
	Summary:     "The public key is made so that the private key can be computed from it, by which anybody can pose as the server.",
	Remediation: "Make a new key on a system with a random number generator and a library of today, replace it, and revoke the certificate. If the maker of a device chose the key, update the firmware first.",
	References:  []string{"CVE-2022-26320", "CVE-2017-15361", "NIST SP 800-57 Part 1 Rev. 5"},
	Check:       weak,
}})

// weak answers for the keys of one result. ROCA's fingerprint is a conclusion, and the others are seen in the key itself.
func weak(r *probe.Result) finding.Answer {
	list, shown := Of(r)
	var items []finding.Item
	known := finding.Inferred
	for _, k := range list {
		for _, m := range weakkeys.Check(k.Public) {
			items = append(items, finding.Item{Value: string(m), Basis: k.Pointer})
			if m != weakkeys.ROCA {
				known = finding.Seen
			}
		}
	}
	switch {
	case len(items) > 0 && known == finding.Inferred:
		return finding.FiresOn(known, items).Rated(finding.High)
	case len(items) > 0:
		return finding.FiresOn(known, items)
	case shown:
		return finding.NotSo()
	}
	if e, ok := r.Evidence.(probe.TLSEvidence); r.Protocol != "ssh" && finding.Speaks(r) != "" && (!ok || e.TLSHandshake() == nil) {
		return finding.NotSo() // it shows no keys
	}
	return finding.NotLearned()
}

// A Holder is a key and the result that holds it.
type Holder struct {
	Target   probe.Target
	Protocol string
	Key
}

// A Pair are two different keys with a prime in common: both private keys can be computed.
type Pair struct{ Holder, Peer Holder }

// A Collection gathers the keys of many results.
type Collection struct {
	holders []Holder
	seen    map[string]bool             // by modulus and endpoint
	entries map[weakkeys.Entry][]Holder // by what lists of weak keys call a key
}

// Add takes over the keys of a result, each endpoint's once.
func (c *Collection) Add(r *probe.Result) {
	if c.seen == nil {
		c.seen, c.entries = map[string]bool{}, map[weakkeys.Entry][]Holder{}
	}
	list, _ := Of(r)
	c.addEntries(r, list)
	for _, k := range list {
		id := string(k.Public.N.Bytes()) + "\x00" + r.Target.Addr.String()
		if !c.seen[id] {
			c.seen[id] = true
			c.holders = append(c.holders, Holder{r.Target, r.Protocol, k})
		}
	}
}

// addEntries notes what lists of weak keys would call the keys of a result, those by DSA too.
func (c *Collection) addEntries(r *probe.Result, list []Key) {
	add := func(e weakkeys.Entry, k Key) {
		h := Holder{r.Target, r.Protocol, k}
		same := func(o Holder) bool { return o.Target.Addr == h.Target.Addr && o.Pointer == h.Pointer }
		if !slices.ContainsFunc(c.entries[e], same) {
			c.entries[e] = append(c.entries[e], h)
		}
	}
	for _, k := range list {
		if e, ok := weakkeys.ModulusEntry(k.Public.N); ok {
			add(e, k)
		}
	}
	if e, ok := probe.As[*ssh.Evidence](r); ok {
		for i, k := range e.HostKeys {
			if len(k.Key) > 0 && k.Certificate == nil {
				add(weakkeys.BlobEntry(k.Key), Key{Pointer: hostKeyPointer(i)})
			}
		}
	}
}

// Listed returns the keys that a list of weak keys has, in the list's order; those of SSH have no Public unless the list is of
// moduli. The list is that of Debian's packages openssl-blacklist or openssh-blacklist, or several behind each other: keys that Debian's
// OpenSSL could make before May 2008 (CVE-2008-0166). An error names the line that can't be read.
func (c *Collection) Listed(list io.Reader) (found []Holder, err error) {
	known := map[weakkeys.Entry]bool{}
	err = weakkeys.ReadList(list, func(e weakkeys.Entry) {
		if holders := c.entries[e]; holders != nil && !known[e] {
			known[e], found = true, append(found, holders...)
		}
	})
	return found, err
}

func hostKeyPointer(i int) string { return fmt.Sprintf("/evidence/host_keys/%d/key", i) }

// Keys returns the keys that were gathered, in their order.
func (c *Collection) Keys() []Holder { return c.holders }

// Shared returns the keys that have a prime in common with another one; all is false if there were too many to compare them
// all.
func (c *Collection) Shared() (pairs []Pair, all bool) {
	moduli := make([]*big.Int, len(c.holders))
	for i, h := range c.holders {
		moduli[i] = h.Public.N
	}
	found, all := weakkeys.SharedPrimes(moduli)
	for _, s := range found {
		pairs = append(pairs, Pair{c.holders[s.Index], c.holders[s.Peer]})
	}
	return pairs, all
}
