package interop_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An rsyncServer is a running rsync daemon.
type rsyncServer struct {
	Addr     netip.AddrPort
	Version  string
	Dir      string // its own folder
	Implicit bool   // TLS from the first byte
	Fake     bool   // it is a few lines of this package
}

// An rsyncConfig is what differs between daemons. In its lines, DIR is a folder of the daemon's own, which holds the
// folder "files" and a file of secrets.
type rsyncConfig struct {
	pkg    string // the private root: "rsync", or "rsync-bookworm" for the release's first version
	motd   string
	global []string
	parts  []string // modules, as they stand in the file
	occupy string   // a module in which somebody is
}

func (c rsyncConfig) start(t testing.TB) rsyncServer {
	t.Helper()
	return c.run(t, needIn(t, c.pkg, "usr/bin/rsync"), version(t, c.pkg))
}

// run starts a daemon of a given program.
func (c rsyncConfig) run(t testing.TB, bin, version string) rsyncServer {
	t.Helper()
	dir := serverDir(t, "")
	addr := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	writeFile(t, filepath.Join(dir, "files", "README"), "for everybody\n", 0o644)
	writeFile(t, filepath.Join(dir, "secrets"), "alice:rabbit\n", 0o600)
	log := writeFile(t, filepath.Join(dir, "log"), "", 0o666)
	conf := []string{
		"use chroot = no", "log file = DIR/log", "lock file = DIR/lock",
		fmt.Sprintf("port = %d", addr.Port()), "address = " + addr.Addr().String(),
	}
	if c.motd != "" {
		writeFile(t, filepath.Join(dir, "motd"), c.motd, 0o644)
		conf = append(conf, "motd file = DIR/motd")
	}
	conf = append(append(conf, c.global...), c.parts...)
	file := writeFile(t, filepath.Join(dir, "rsyncd.conf"), strings.ReplaceAll(lines(conf...), "DIR", dir), 0o644)
	start(t, process{
		Path: bin, Args: []string{"--daemon", "--no-detach", "--address", addr.Addr().String(), "--port", fmt.Sprint(addr.Port()), "--config", file},
		Listen: addr, Logs: []string{log},
	})
	if c.occupy != "" {
		occupy(t, addr, c.occupy)
	}
	return rsyncServer{Addr: addr, Version: version, Dir: dir}
}

// needIn finds a file in one of the private roots, if several have one of that name.
func needIn(t testing.TB, root, path string) string {
	t.Helper()
	file := filepath.Join(interopRoot(), root, path)
	if _, err := os.Stat(file); err != nil {
		unavailable(t, "%s/%s is not there; .ci/interop-servers unpacks it", root, path)
	}
	return file
}

// occupy enters a module and stays until the test ends.
func occupy(t testing.TB, addr netip.AddrPort, module string) {
	t.Helper()
	c := dialServer(t, addr)
	c.line(t)
	c.send(t, "@RSYNCD: 30.0")
	c.send(t, module)
	for line := c.line(t); line != "@RSYNCD: OK\n"; line = c.line(t) {
		if strings.HasPrefix(line, "@ERROR") {
			t.Fatalf("%s: %s", module, line)
		}
	}
}

// rsyncTLS is a daemon behind stunnel, as rsync-ssl's manual has it.
func rsyncTLS(t testing.TB) rsyncServer {
	t.Helper()
	inner := rsyncConfig{pkg: "rsync", parts: rsyncOpen}.start(t)
	bin := needIn(t, "stunnel4", "usr/bin/stunnel4")
	dir, cert := serverDir(t, ""), makeCert(t, certOptions{})
	addr := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	conf := writeFile(t, filepath.Join(dir, "stunnel.conf"), lines(
		"foreground = yes", "pid =", "syslog = no",
		"[rsync]", "accept = "+addr.String(), "connect = "+inner.Addr.String(),
		"cert = "+cert.Cert, "key = "+cert.Key,
	), 0o600)
	start(t, process{Path: bin, Args: []string{conf}, Listen: addr})
	return rsyncServer{Addr: addr, Version: inner.Version, Implicit: true}
}

// fakeRsync speaks as the daemon of an older generation does, of a program that is not to be had any more.
func fakeRsync(greeting string, exit bool) func(testing.TB) rsyncServer {
	return func(t testing.TB) rsyncServer {
		t.Helper()
		l, err := net.Listen("tcp", netip.AddrPortFrom(loopback, 0).String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go serveOldRsync(c, greeting, exit)
			}
		}()
		return rsyncServer{Addr: l.Addr().(*net.TCPAddr).AddrPort(), Fake: true}
	}
}

func serveOldRsync(c net.Conn, greeting string, exit bool) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience.Total))
	fmt.Fprintf(c, "%s\n", greeting)
	var version int
	var module string
	if _, err := fmt.Fscanf(c, "@RSYNCD: %d\n", &version); err != nil {
		fmt.Fprint(c, "@ERROR: protocol startup error\n")
		return
	}
	if _, err := fmt.Fscanln(c, &module); err == nil {
		fmt.Fprintf(c, "@ERROR: Unknown module '%s'\n", module)
		return
	}
	fmt.Fprintf(c, "%-15s\t%s\n", "old", "from another time")
	if exit {
		fmt.Fprint(c, "@RSYNCD: EXIT\n")
	}
}
