package dialer_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/dialer"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
)

func TestPublic(t *testing.T) {
	for _, text := range []string{
		"192.0.2.7", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.0", "169.253.1.1", "2001:db8::7", "2606:4700::1111",
		"::ffff:192.0.2.7", "64:ff9b::c000:207", "2002:c000:207::1",
	} {
		require.True(t, dialer.Public(netip.MustParseAddr(text)), text)
	}
	for _, text := range []string{
		"127.0.0.1", "127.66.1.2", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
		"0.0.0.0", "0.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fc00::1", "fec0::1", "ff02::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:a00:1::1", "2002:7f00:1::",
	} {
		require.False(t, dialer.Public(netip.MustParseAddr(text)), text)
	}
	require.False(t, dialer.Public(netip.Addr{}))
}

func TestRoutePublicOnly(t *testing.T) {
	target := mirror(t)
	socks, err := lab.SOCKS5(t.Context())
	require.NoError(t, err)
	defer socks.Close()
	for _, route := range []dialer.Route{
		{PublicOnly: true}, {PublicOnly: true, Source: netip.MustParseAddr("127.0.0.1")}, {PublicOnly: true, Proxy: "socks5://" + socks.Addr.String()},
	} {
		r := by(t, route, target)
		require.Equal(t, probe.OutcomeForbidden, r.Outcome, "%v", r.Err)
		require.EqualError(t, r.Err, "dial: "+target.Addr.String()+" isn't public")
	}
	require.Empty(t, socks.Seen())
	// The proxy itself may be anywhere; what it says of a public target is the target's outcome.
	r := by(t, dialer.Route{PublicOnly: true, Proxy: "socks5://" + socks.Addr.String()}, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:21")})
	require.ErrorIs(t, r.Err, dialer.ErrProxy)
}
