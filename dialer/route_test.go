package dialer_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/dialer"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
)

// hears is a probe that reads what the server says first.
type hears struct{}

func (hears) Spec() probe.Spec { return probe.Spec{Protocol: "ftp"} }

func (hears) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	c, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	_, err = c.Read(make([]byte, 100))
	return nil, err
}

// by connects by a route.
func by(t *testing.T, r dialer.Route, target probe.Target) *probe.Result {
	t.Helper()
	dial, err := r.Dialer()
	require.NoError(t, err)
	return probe.Run(t.Context(), hears{}, target, &probe.Options{Dial: dial})
}

func mirror(t *testing.T) probe.Target {
	t.Helper()
	m, err := lab.Mirror(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close() })
	return probe.Target{Network: probe.TCP, Addr: m.Addr}
}

func heard(r *probe.Result) string {
	for _, e := range r.Transcript {
		if e.Dir == probe.DirRecv {
			return string(e.Data)
		}
	}
	return ""
}

func TestRouteSource(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("all of 127.0.0.0/8 is loopback on Linux only")
	}
	target := mirror(t)
	r := by(t, dialer.Route{Source: netip.MustParseAddr("127.0.0.3")}, target)
	require.Contains(t, heard(r), "127.0.0.3")
	r = by(t, dialer.Route{Interface: "lo"}, target)
	require.Contains(t, heard(r), "127.0.0.1")
	r = by(t, dialer.Route{Interface: "lo", Source: netip.MustParseAddr("127.0.0.4")}, target)
	require.Contains(t, heard(r), "127.0.0.4")

	r = by(t, dialer.Route{Source: netip.MustParseAddr("127.0.0.3")}, probe.Target{Addr: netip.MustParseAddrPort("[::1]:21")})
	require.Equal(t, probe.OutcomeUnreachable, r.Outcome)
	require.ErrorContains(t, r.Err, "the source address 127.0.0.3 is of the other IP version")
}

func TestRouteOfDatagrams(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("all of 127.0.0.0/8 is loopback on Linux only")
	}
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	dial, err := dialer.Route{Source: netip.MustParseAddr("127.0.0.3"), Interface: "lo"}.Dialer()
	require.NoError(t, err)
	c, err := dial(t.Context(), "udp", server.LocalAddr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "hello")
	require.NoError(t, err)
	_, from, err := server.ReadFrom(make([]byte, 10))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.3", from.(*net.UDPAddr).IP.String())
}

func TestRouteProxy(t *testing.T) {
	target := mirror(t)
	socks, err := lab.SOCKS5(t.Context())
	require.NoError(t, err)
	defer socks.Close()
	route := dialer.Route{Proxy: "socks5://" + socks.Addr.String()}
	r := by(t, route, target)
	require.Contains(t, heard(r), "127.0.0.1")
	require.Equal(t, []netip.AddrPort{target.Addr}, socks.Seen())

	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gone := netip.MustParseAddrPort(closed.Addr().String())
	require.NoError(t, closed.Close())

	// The proxy's word on the target is the target's outcome.
	r = by(t, route, probe.Target{Addr: gone})
	require.Equal(t, probe.OutcomeRefused, r.Outcome)
	require.EqualError(t, r.Err, "dial: the proxy says: connection refused")
	require.NotErrorIs(t, r.Err, dialer.ErrProxy)
	r = by(t, route, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:21")})
	require.Equal(t, probe.OutcomeUnreachable, r.Outcome)
	require.EqualError(t, r.Err, "dial: the proxy: connection not allowed by ruleset")
	require.ErrorIs(t, r.Err, dialer.ErrProxy)

	// A proxy that waits does so for the target.
	waiting, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer waiting.Close()
	dial, err := dialer.Route{Proxy: "socks5://" + waiting.Addr().String()}.Dialer()
	require.NoError(t, err)
	r = probe.Run(t.Context(), hears{}, target, &probe.Options{Dial: dial, Limits: probe.Limits{Dial: 100 * time.Millisecond}})
	require.Equal(t, probe.OutcomeTimeout, r.Outcome, r.Err)
	require.NotErrorIs(t, r.Err, dialer.ErrProxy)

	// A proxy that refuses says nothing of the target.
	r = by(t, dialer.Route{Proxy: "socks5://" + gone.String()}, target)
	require.Equal(t, probe.OutcomeUnreachable, r.Outcome)
	require.ErrorContains(t, r.Err, "the proxy "+gone.String()+" can't be reached")
	require.ErrorIs(t, r.Err, dialer.ErrProxy)

	r = by(t, route, probe.Target{Network: probe.UDP, Addr: target.Addr})
	require.Equal(t, probe.OutcomeUnreachable, r.Outcome)
	require.ErrorContains(t, r.Err, "a SOCKS5 proxy carries TCP only, and this is udp")
}

func TestRouteErrors(t *testing.T) {
	dial, err := dialer.Route{}.Dialer()
	require.NoError(t, err)
	require.Nil(t, dial)
	for want, r := range map[string]dialer.Route{
		`source 192.0.2.7: it is no address of this machine`:                            {Source: netip.MustParseAddr("192.0.2.7")},
		`proxy: not a URL: write socks5://HOST:PORT`:                                    {Proxy: "127.0.0.1:1080"},
		`proxy: "http" isn't spoken: write socks5://HOST:PORT`:                          {Proxy: "http://127.0.0.1:3128"},
		`proxy: names are resolved here and not by the proxy: write socks5://HOST:PORT`: {Proxy: "socks5h://127.0.0.1"},
		`proxy: a path, query or fragment: write socks5://HOST:PORT`:                    {Proxy: "socks5://127.0.0.1/x"},
	} {
		_, err := r.Dialer()
		require.EqualError(t, err, want)
	}
	_, err = dialer.Route{Interface: "nosuch0"}.Dialer()
	require.ErrorContains(t, err, `interface "nosuch0": there is none of this name: there are `)
}
