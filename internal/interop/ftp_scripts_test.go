package interop_test

import (
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// ftpScript gives an FTP server of a library the ports for its data, the anonymous root, and what else it wants.
func ftpScript(t testing.TB, run func(t testing.TB, script, pkg string, args ...string) (addr netip.AddrPort, release string), script, pkg string, extra ...string) ftpServer {
	t.Helper()
	first := freePortRange(t, passivePorts)
	args := []string{strconv.Itoa(first), strconv.Itoa(first + passivePorts - 1), ftpRoot(t)}
	addr, release := run(t, script, pkg, append(args, extra...)...)
	return ftpServer{Addr: addr, Version: release}
}

// pyftpdlib speaks no TLS.
func pyftpdlib(t testing.TB) ftpServer {
	t.Helper()
	return ftpScript(t, python, "ftp_pyftpdlib.py", "python3-pyftpdlib")
}

// pyftpdlibTLS takes no login without TLS.
func pyftpdlibTLS(t testing.TB) ftpServer {
	t.Helper()
	cert := makeCert(t, certOptions{})
	s := ftpScript(t, python, "ftp_pyftpdlib.py", "python3-pyftpdlib", cert.Cert, cert.Key)
	s.Cert = cert
	return s
}

func twistedFTP(t testing.TB) ftpServer {
	t.Helper()
	return ftpScript(t, python, "ftp_twisted.py", "python3-twisted")
}

func ftpSrv(t testing.TB) ftpServer {
	t.Helper()
	return ftpScript(t, node, "ftp_srv.js", "ftp-srv")
}

// ftpSrvImplicitTLS: its AUTH TLS loses what comes before it has turned around, as everything on loopback does.
func ftpSrvImplicitTLS(t testing.TB) ftpServer {
	t.Helper()
	cert := makeCert(t, certOptions{})
	s := ftpScript(t, node, "ftp_srv.js", "ftp-srv", cert.Cert, cert.Key)
	s.Cert = cert
	return s
}

// inetutilsFTPd is GNU's, of 4.3BSD's line, started for each connection.
func inetutilsFTPd(t testing.TB) ftpServer {
	t.Helper()
	needRoot(t)
	root := ftpRoot(t)
	addr := inetd(t, process{Path: need(t, "ftpd")[0], Args: []string{"-A"}, Env: ftpAccounts(t, root)})
	return ftpServer{Addr: addr, Version: version(t, "inetutils-ftpd")}
}

// kernel is what inetutils' ftpd calls the system beside its type.
var kernel = sync.OnceValue(func() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return "Linux " + strings.TrimSpace(string(release))
})
