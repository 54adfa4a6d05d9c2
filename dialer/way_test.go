package dialer

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// If sockets can't be bound to an interface, they come from that of its addresses that suits the target.
func TestWayWithoutBinding(t *testing.T) {
	addr := netip.MustParseAddr
	w := way{name: "eth0", addrs: []netip.Addr{addr("fe80::3"), addr("198.51.100.3"), addr("2001:db8::3")}}
	for to, want := range map[string]string{
		"192.0.2.7": "198.51.100.3", "2001:db8::7": "2001:db8::3", "fe80::7%eth0": "fe80::3%eth0", "169.254.0.7": "198.51.100.3",
	} {
		from, err := w.from(addr(to))
		require.NoError(t, err)
		require.Equal(t, want, from.String(), to)
	}
	w.addrs = w.addrs[1:2]
	_, err := w.from(addr("2001:db8::7"))
	require.ErrorIs(t, err, ErrNoWay)
	require.EqualError(t, err, "no way: the interface eth0 has no address of the same IP version")
}
