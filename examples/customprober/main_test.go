package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// redis starts a server that gives one reply to every line.
func redis(t *testing.T, reply string) *lab.Server {
	s, err := lab.Serve(t.Context(), lab.Neighbour{Name: "redis"}, func(c net.Conn) {
		for lines := bufio.NewScanner(c); lines.Scan(); {
			fmt.Fprintf(c, "%s\r\n", reply)
		}
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestRun(t *testing.T) {
	for reply, want := range map[string]string{
		"+PONG": `SERVER: ok, reply "+PONG", open "yes"
high: redis.open: Redis answers anybody, see /evidence/reply
> "PING\r\n" (PING)
< "+PONG\r\n"
`,
		"-NOAUTH Authentication required.": `SERVER: ok, reply "-NOAUTH Authentication required.", open "no"
> "PING\r\n" (PING)
< "-NOAUTH Authentication required.\r\n"
`,
		"-LOADING Redis is loading the dataset in memory": `SERVER: ok, reply "-LOADING Redis is loading the dataset in memory", open ""
> "PING\r\n" (PING)
< "-LOADING Redis is loading the dataset in memory\r\n"
`,
	} {
		s := redis(t, reply)
		var out strings.Builder
		require.NoError(t, run(t.Context(), []string{s.Addr.String()}, &out))
		require.Equal(t, want, strings.ReplaceAll(out.String(), s.Addr.String(), "SERVER"))
	}
}

func TestNotRedis(t *testing.T) {
	s := redis(t, "HTTP/1.1 400 Bad Request")
	var out strings.Builder
	require.ErrorIs(t, run(t.Context(), []string{s.Addr.String()}, &out), probe.OutcomeNotProtocol)
	require.Contains(t, out.String(), `not_protocol, reply "HTTP/1.1 400 Bad Request", open ""`)
	require.Error(t, run(t.Context(), nil, &out))
	require.Error(t, run(t.Context(), []string{"localhost"}, &out))
}

func TestGuard(t *testing.T) {
	label, err := guard(probe.LevelHandshake, []byte("PING\r\n"))
	require.NoError(t, err)
	require.Equal(t, "PING", label)
	for _, forbidden := range []string{
		"", "PING", "PING\n", "ping\r\n", "PING x\r\n", "PING\r\nFLUSHALL\r\n", "FLUSHALL\r\n", "CONFIG SET dir /tmp\r\n",
		"AUTH x\r\n", "KEYS *\r\n", "*1\r\n$8\r\nFLUSHALL\r\n", "PING\r\n\r\n", "PING\x00\r\n",
	} {
		_, err := guard(probe.LevelAnonymous, []byte(forbidden))
		require.Error(t, err, "%q", forbidden)
	}
}

// The suite that every prober must pass plays hostile servers to it.
func TestConform(t *testing.T) { probetest.Conform(t, Prober{}) }
