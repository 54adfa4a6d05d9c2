package interop_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// unavailable skips the test, or fails it if the machine promised to have every server.
func unavailable(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("HANDCLASP_INTEROP") == "required" {
		t.Fatalf(format+"; HANDCLASP_INTEROP=required", args...)
	}
	t.Skipf(format, args...)
}

// interopRoot is where packages that exclude each other are unpacked, a folder each.
func interopRoot() string {
	root := cmp.Or(os.Getenv("HANDCLASP_INTEROP_ROOT"), filepath.Join("..", "..", ".cache", "interop"))
	abs, err := filepath.Abs(root)
	if err != nil {
		return root
	}
	return abs
}

// need finds programs or files by base name ("vsftpd") or, within the private roots and /, by path
// ("usr/lib/*/libnss_wrapper.so"), which may be a pattern. It skips the test if one is missing, or isn't to be looked for.
func need(t testing.TB, names ...string) (paths []string) {
	t.Helper()
	if os.Getenv("HANDCLASP_INTEROP") == "skip" {
		t.Skip("HANDCLASP_INTEROP=skip")
	}
	for _, name := range names {
		p := find(name)
		if p == "" {
			unavailable(t, "%s is not installed; .ci/interop-servers does", name)
		}
		paths = append(paths, p)
	}
	return paths
}

func find(name string) string {
	var patterns []string
	private := filepath.Join(interopRoot(), "*")
	if strings.Contains(name, "/") {
		patterns = []string{filepath.Join(private, name), "/" + name}
	} else {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
		for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
			patterns = append(patterns, filepath.Join(dir, name))
		}
		for _, dir := range []string{"usr/sbin", "usr/bin", "sbin", "bin"} {
			patterns = append(patterns, filepath.Join(private, dir, name))
		}
	}
	for _, pattern := range patterns {
		for _, p := range must(filepath.Glob(pattern)) {
			if fi, err := os.Stat(p); err == nil && !fi.IsDir() {
				return p
			}
		}
	}
	return ""
}

// privateRoot returns the root below which path was unpacked, for servers that must be told where their modules
// are; it is "/" for a program that was installed as usual.
func privateRoot(path string) string {
	rel, err := filepath.Rel(interopRoot(), path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return "/"
	}
	pkg, _, _ := strings.Cut(rel, "/")
	return filepath.Join(interopRoot(), pkg)
}

// version returns the package's version: of the private root if there is one, else of the installed package.
func version(t testing.TB, pkg string) string {
	t.Helper()
	if b, err := os.ReadFile(filepath.Join(interopRoot(), pkg, ".version")); err == nil {
		return strings.TrimSpace(string(b))
	}
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", pkg).Output()
	if err != nil || len(out) == 0 {
		unavailable(t, "the version of %s is not known", pkg)
	}
	return string(out)
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		unavailable(t, "the server must be started by root")
	}
}

// ports remembers what was handed out: a server may take a while to bind, and the next caller must not get it too.
var ports struct {
	sync.Mutex
	taken map[int]bool
}

// freePortRange returns the first of n consecutive free loopback ports. They lie below the range from which the kernel
// takes ports for outgoing connections, so that none of these gets in before the server.
func freePortRange(t testing.TB, n int) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.taken == nil {
		ports.taken = make(map[int]bool)
	}
next:
	for range 1000 {
		first := 10000 + rand.IntN(20000)
		for p := first; p < first+n; p++ {
			if ports.taken[p] || !bindable(p) {
				continue next
			}
		}
		for p := first; p < first+n; p++ {
			ports.taken[p] = true
		}
		return first
	}
	t.Fatalf("no %d consecutive free ports", n)
	return 0
}

// hasIPv6 reports whether the loopback interface has an IPv6 address.
func hasIPv6() bool { return listens(netip.IPv6Loopback(), 0) }

func listens(addr netip.Addr, port int) bool {
	l, err := net.Listen("tcp", netip.AddrPortFrom(addr, uint16(port)).String())
	if err != nil {
		return false
	}
	l.Close()
	return true
}

func bindable(port int) bool {
	return listens(loopback, port) && (listens(netip.IPv6Loopback(), port) || !hasIPv6())
}

// freePort returns a port that is free on loopback.
func freePort(t testing.TB) int {
	t.Helper()
	return freePortRange(t, 1)
}

// freePorts returns n distinct ports.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	list := make([]int, n)
	for i := range list {
		list[i] = freePort(t)
	}
	return list
}

// serverDir returns a temporary directory that every user can enter: t.TempDir's parent is closed to a server that
// has given up root. A non-empty owner gets it as its own.
func serverDir(t testing.TB, owner string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "handclasp-interop-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	chown(t, dir, owner)
	return dir
}

// writeFile writes a file, and the folders above it, whatever the umask is.
func writeFile(t testing.TB, path, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// chown gives path to the named user and its group; an empty name leaves it alone.
func chown(t testing.TB, path, owner string) {
	t.Helper()
	if owner == "" {
		return
	}
	needRoot(t)
	u, err := user.Lookup(owner)
	if err != nil {
		unavailable(t, "there is no user %s", owner)
	}
	if err := os.Chown(path, must(strconv.Atoi(u.Uid)), must(strconv.Atoi(u.Gid))); err != nil {
		t.Fatal(err)
	}
}

// lines joins configuration lines.
func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }

// tail returns the end of each file, for a failure's message.
func tail(paths ...string) string {
	const enough = 8 << 10
	var b strings.Builder
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if p == "" || (err == nil && len(bytes.TrimSpace(text)) == 0) {
			continue
		}
		fmt.Fprintf(&b, "--- %s\n%s\n", filepath.Base(p), text[max(0, len(text)-enough):])
		if err != nil {
			fmt.Fprintln(&b, err)
		}
	}
	return b.String()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
