package main

import (
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func output(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, run(t.Context(), args, &out))
	return out.String()
}

func TestRun(t *testing.T) {
	server, err := lab.Mirror(t.Context())
	require.NoError(t, err)
	defer server.Close()
	socks, err := lab.SOCKS5(t.Context())
	require.NoError(t, err)
	defer socks.Close()
	addr := server.Addr.String()

	require.Equal(t, "hello 127.0.0.1\n", output(t, addr))
	require.Empty(t, socks.Seen())

	require.Equal(t, "hello 127.0.0.1\n", output(t, "-socks", socks.Addr.String(), addr))
	require.Equal(t, []netip.AddrPort{server.Addr}, socks.Seen())

	if runtime.GOOS == "linux" { // where all of 127.0.0.0/8 is loopback
		require.Equal(t, "hello 127.0.0.2\n", output(t, "-source", "127.0.0.2", addr))
	}
	require.Equal(t, "hello 127.0.0.1\n", output(t, "-socks", socks.Addr.String(), "-source", "127.0.0.1", addr))
}

func TestErrors(t *testing.T) {
	socks, err := lab.SOCKS5(t.Context())
	require.NoError(t, err)
	defer socks.Close()
	var out strings.Builder
	// The proxy of the lab reaches loopback only.
	err = run(t.Context(), []string{"-socks", socks.Addr.String(), "192.0.2.7:21"}, &out)
	require.ErrorIs(t, err, probe.OutcomeUnreachable)
	require.ErrorContains(t, run(t.Context(), []string{"-source", "192.0.2.8", "192.0.2.7:21"}, &out), "no address of this machine")
	require.ErrorContains(t, run(t.Context(), []string{"-source", "home", "192.0.2.7:21"}, &out), "usage")
	require.ErrorContains(t, run(t.Context(), nil, &out), "usage")
	require.Empty(t, out.String())
}
