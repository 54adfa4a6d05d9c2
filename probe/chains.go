package probe

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"sync"
)

// chainsKept bounds a [Chains]: the certificates of large hosters, which many hosts share, are among few.
const chainsKept = 512

// Chains remembers what certificate chains say, and whether they are trusted, for probes that share it: many hosts of a
// scan have the same certificate. Its zero value is ready for use, by several goroutines at once. It belongs to the
// Options that it was first used with: their roots are what trust was judged by.
type Chains struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]judged
}

// judged is what doesn't depend on the target.
type judged struct {
	chain      []Certificate
	trusted    Fact
	trustError string
}

// of returns what judge says of the chain, once for the same one.
func (c *Chains) of(chain []*x509.Certificate, judge func() judged) judged {
	if c == nil {
		return judge()
	}
	h := sha256.New()
	for _, cert := range chain {
		h.Write(cert.Raw) // DER tells its own length, so that two chains can't be the same bytes
	}
	key := [sha256.Size]byte(h.Sum(nil))
	c.mu.Lock()
	j, ok := c.known[key]
	c.mu.Unlock()
	if ok {
		j.chain = cloneChain(j.chain)
		return j
	}
	j = judge()
	kept := j
	kept.chain = cloneChain(j.chain)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[[sha256.Size]byte]judged{}
	}
	for old := range c.known {
		if len(c.known) < chainsKept {
			break
		}
		delete(c.known, old) // any: the common ones come again
	}
	c.known[key] = kept
	return j
}

// cloneChain keeps evidence, which is its holder's, apart.
func cloneChain(chain []Certificate) []Certificate {
	chain = slices.Clone(chain)
	for i := range chain {
		chain[i].DNSNames = append([]string{}, chain[i].DNSNames...)
		chain[i].IPAddresses = append([]string{}, chain[i].IPAddresses...)
		chain[i].KeyUsage = slices.Clone(chain[i].KeyUsage)
	}
	return chain
}
