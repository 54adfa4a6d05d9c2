package fleet

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
)

// A server that anybody may use is reached from this machine alone.
func TestWhereServersListen(t *testing.T) {
	for name, c := range map[string]struct {
		listen, config string
		refused        bool
	}{
		"by itself":            {"", "", false},
		"loopback":             {"127.0.0.9:0", "", false},
		"loopback of IPv6":     {"[::1]:0", "", false},
		"an address":           {"198.51.100.7:4222", "", true},
		"all addresses":        {"0.0.0.0:4222", "", true},
		"all of IPv6":          {"[::]:4222", "", true},
		"a name":               {"localhost:4222", "", true}, // of which nobody knows what it is tomorrow
		"the configuration's":  {"", "host: 0.0.0.0", true},
		"users":                {"198.51.100.7:4222", `authorization {users = [{user: a, password: b}]}`, false},
		"a token":              {"198.51.100.7:4222", `authorization {token: t}`, false},
		"accounts":             {"198.51.100.7:4222", `accounts {A {users = [{user: a, password: b}]}}`, false},
		"users, and a default": {"198.51.100.7:4222", "no_auth_user: a\nauthorization {users = [{user: a, password: b}]}", true},
	} {
		t.Run(name, func(t *testing.T) {
			e := EngineOptions{Store: t.TempDir(), Listen: c.listen}
			if c.config != "" {
				e.Config = filepath.Join(t.TempDir(), "nats.conf")
				require.NoError(t, os.WriteFile(e.Config, []byte(c.config), 0o600))
			}
			o, err := e.options()
			if c.refused {
				require.ErrorContains(t, err, "nobody would have to say who he is")
				return
			}
			require.NoError(t, err)
			require.True(t, o.JetStream)
		})
	}
}

// One server at a time keeps its streams in a folder, and one that can't start says at once why.
func TestWhatServersNeed(t *testing.T) {
	store := t.TempDir()
	e, err := StartEngine(EngineOptions{Store: store, Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	_, err = StartEngine(EngineOptions{Store: store, Listen: "127.0.0.1:0"})
	require.ErrorContains(t, err, "is another server's, which runs")
	address := e.Addr().String()
	_, err = StartEngine(EngineOptions{Store: t.TempDir(), Listen: address})
	require.ErrorContains(t, err, address)
	e.Close()
	again, err := StartEngine(EngineOptions{Store: store, Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	again.Close()
	_, err = StartEngine(EngineOptions{Store: filepath.Join(store, "lock"), Listen: "127.0.0.1:0"})
	require.ErrorContains(t, err, "the store: ")
}

// What a worker was told is safe is on the disk by then.
func TestServerWritesThrough(t *testing.T) {
	c := newCamp(t)
	is, err := c.engine.Jsz(&server.JSzOptions{})
	require.NoError(t, err)
	require.True(t, is.Config.SyncAlways)
}
