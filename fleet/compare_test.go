package fleet

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
)

// What is added to a result's line comes off again, and what wasn't added stays.
func TestTracesOfLines(t *testing.T) {
	to := tracing{"x", finding.Trace{Name: "a.example", Addr: netip.MustParseAddrPort("192.0.2.1:22"), Marks: map[string][]finding.Mark{"ssh.shared-key": {{Value: "k", Basis: "/evidence"}}}}}
	const line = `{"text":",\"compare\":{}","findings":[]}`
	with, err := appendTrace([]byte(line), to)
	require.NoError(t, err)
	rest, is, ok := cutTrace(with)
	require.True(t, ok)
	require.Equal(t, line, string(rest))
	require.Equal(t, to, is)
	for _, other := range []string{line, "", "}", tracingMember, `{"a":1,"compare":`, `{"a":1,"compare":}`, `{"a":1,"compare":{}`, `{"a":1,"compare":"x"}`} {
		rest, _, ok := cutTrace([]byte(other))
		require.False(t, ok, other)
		require.Equal(t, other, string(rest))
	}
}
