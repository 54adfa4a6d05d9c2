package probe

import (
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChainsAreBounded(t *testing.T) {
	c := new(Chains)
	asked := 0
	for i := range 2 * chainsKept {
		for range 2 {
			j := c.of([]*x509.Certificate{{Raw: fmt.Append(nil, i)}}, func() judged {
				asked++
				return judged{trustError: fmt.Sprint(i)}
			})
			require.Equal(t, fmt.Sprint(i), j.trustError)
		}
	}
	require.Equal(t, 2*chainsKept, asked, "once each")
	require.Len(t, c.known, chainsKept)
}

// A chain is known by all its certificates: a server that leaves out the intermediate isn't trusted because another sent it.
func TestChainsOfOneLeaf(t *testing.T) {
	c := new(Chains)
	leaf, between := &x509.Certificate{Raw: []byte("leaf")}, &x509.Certificate{Raw: []byte("intermediate")}
	whole := c.of([]*x509.Certificate{leaf, between}, func() judged { return judged{trusted: Yes} })
	cut := c.of([]*x509.Certificate{leaf}, func() judged { return judged{trusted: No} })
	require.Equal(t, []Fact{Yes, No}, []Fact{whole.trusted, cut.trusted})
}
