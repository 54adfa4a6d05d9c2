package lab_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/rsync"
)

// askRsync reads what the daemon says first, and asks for a module.
func askRsync(t *testing.T, s *lab.Server, module string) *client {
	t.Helper()
	c := dial(t, s)
	for _, line := range []string{"@RSYNCD: 31.0", "Welcome to files.lab.test", "pub            \tis open to anybody", ""} {
		c.expect(line)
	}
	require.NoError(t, c.PrintfLine("@RSYNCD: 31.0"))
	require.NoError(t, c.PrintfLine("%s", module))
	return c
}

func TestOpenRsync(t *testing.T) {
	started, err := lab.OpenRsync(t.Context())
	s := must(t, started, err)
	for _, request := range []string{"", "#list"} {
		c := askRsync(t, s, request)
		c.expect("pub            \tfiles for anybody")
		c.expect("backup         \tlast night's")
		c.expect("@RSYNCD: EXIT")
		c.closed()
	}
	for request, answer := range map[string]string{"#early_input=5": "@ERROR: Unknown command '#early_input=5'", "no such": "@ERROR: Unknown module 'no such'"} {
		c := askRsync(t, s, request)
		c.expect(answer)
		c.closed()
	}
	for _, open := range []string{"pub", "attic"} {
		c := askRsync(t, s, open)
		c.expect("@RSYNCD: OK")
		require.NoError(t, c.PrintfLine("--server"))
		c.closed()
	}
	c := askRsync(t, s, "backup")
	challenge, err := c.ReadLine()
	require.NoError(t, err)
	require.Regexp(t, `^@RSYNCD: AUTHREQD [A-Za-z0-9+/]{22}$`, challenge)
	c.say("alice 1B2M2Y8AsgTpgAmY7PhCfg", "@ERROR: auth failed on module backup")
	c.closed()
}

func TestRsyncNonsense(t *testing.T) {
	started, err := lab.OpenRsync(t.Context())
	s := must(t, started, err)
	c := dial(t, s)
	for range 4 {
		_, err := c.ReadLine()
		require.NoError(t, err)
	}
	c.say("hello", "@ERROR: protocol startup error")
	c.closed()

	c = askRsync(t, s, string(bytes.Repeat([]byte("x"), 2000)))
	c.closed()
}

// What a prober learns of it.
func TestRsyncProbed(t *testing.T) {
	started, err := lab.OpenRsync(t.Context())
	s := must(t, started, err)
	p := rsync.Prober{Modules: []string{"attic"}}
	r := probe.Run(t.Context(), p, probe.Target{Addr: s.Addr}, &probe.Options{Level: probe.LevelAnonymous})
	require.NoError(t, r.Err)
	e, _ := probe.As[*rsync.Evidence](r)
	require.Equal(t, "Welcome to files.lab.test\npub            \tis open to anybody", e.MOTD)
	require.Len(t, e.Modules, 3)
	require.Equal(t, rsync.AccessOpen, e.Modules[0].Access)
	require.Equal(t, rsync.AccessAuth, e.Modules[1].Access)
	require.Equal(t, probe.No, e.Modules[2].Listed)
	require.Equal(t, rsync.AccessOpen, e.Modules[2].Access)
}
