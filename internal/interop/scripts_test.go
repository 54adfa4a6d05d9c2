package interop_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Servers that are libraries are run by the scripts in testdata/servers.

// python serves by a script on loopback, with the port as the first argument. The packages are Debian's, for Debian's
// interpreter.
func python(t testing.TB, script, pkg string, args ...string) (addr netip.AddrPort, release string) {
	t.Helper()
	release = version(t, pkg)
	addr = serveScript(t, script, need(t, "usr/bin/python3")[0], nil, args...)
	return addr, release
}

// node serves by a script that uses a package of npm's.
func node(t testing.TB, script, pkg string, args ...string) (addr netip.AddrPort, release string) {
	t.Helper()
	modules := filepath.Join(interopRoot(), "npm", "node_modules")
	text, err := os.ReadFile(filepath.Join(modules, pkg, "package.json"))
	if err != nil {
		unavailable(t, "npm's %s is not installed; .ci/interop-servers does", pkg)
	}
	var about struct{ Version string }
	if err := json.Unmarshal(text, &about); err != nil {
		t.Fatal(err)
	}
	addr = serveScript(t, script, need(t, "node")[0], []string{"NODE_PATH=" + modules}, args...)
	return addr, about.Version
}

func serveScript(t testing.TB, script, interpreter string, env []string, args ...string) netip.AddrPort {
	t.Helper()
	addr := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	path, err := filepath.Abs(filepath.Join("testdata", "servers", script))
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{path, strconv.Itoa(int(addr.Port()))}, args...)
	start(t, process{Path: interpreter, Args: args, Env: env, Dir: serverDir(t, ""), Listen: addr})
	return addr
}
