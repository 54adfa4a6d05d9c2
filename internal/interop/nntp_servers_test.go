package interop_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

// An nntpServer is a running news server. It carries newsGroup, without articles.
type nntpServer struct {
	Addr     netip.AddrPort
	Version  string
	Cert     certFiles // empty if it speaks no TLS
	Implicit bool      // TLS from the first byte
}

const newsGroup = "lab.test"

// leafnode knows LIST EXTENSIONS but not CAPABILITIES.
func leafnode(t testing.TB) nntpServer {
	t.Helper()
	bin := need(t, "usr/sbin/leafnode")[0]
	etc, spool := privateEtc(t), filepath.Join(serverDir(t, ""), "spool")
	conf := writeFile(t, filepath.Join(etc, "news", "leafnode", "config"), lines(
		"server = 127.0.0.1", // for fetching, which nobody does
		"expire = 20",
		"hostname = news.home.arpa", // it serves under no name that ends in test or invalid
	), 0o640)
	writeFile(t, filepath.Join(spool, "news", "leaf.node", "groupinfo"), newsGroup+" 1 0 1 y Tests\n", 0o664)
	for _, d := range []string{"interesting.groups", "message.id", "out.going", "failed.postings", "temp.files"} {
		if err := os.Mkdir(filepath.Join(spool, "news", d), 0o775); err != nil {
			t.Fatal(err)
		}
	}
	chownAll(t, filepath.Join(spool, "news"), "news")
	chownAll(t, filepath.Dir(conf), "news")
	addr := inetd(t, inNamespace(t, process{Path: bin}, bind{etc, "/etc"}, bind{spool, "/var/spool"}))
	return nntpServer{Addr: addr, Version: version(t, "leafnode")}
}

// sn knows neither CAPABILITIES nor LIST EXTENSIONS nor DATE.
func sn(t testing.TB) nntpServer {
	t.Helper()
	bin := need(t, "usr/sbin/snntpd.bin")[0]
	root := filepath.Join(serverDir(t, ""), "sn")
	writeFile(t, filepath.Join(root, newsGroup, ".created"), "", 0o644)
	addr := inetd(t, inNamespace(t, process{Path: bin, Env: []string{"SNROOT=" + root}}))
	return nntpServer{Addr: addr, Version: version(t, "sn")}
}

// npmNNTPServer is npm's nntp-server. It knows no STARTTLS.
func npmNNTPServer(t testing.TB, access string, cert ...string) nntpServer {
	t.Helper()
	addr, release := node(t, "nntp_server.js", "nntp-server", append([]string{access}, cert...)...)
	return nntpServer{Addr: addr, Version: release}
}

func nntpServerOpen(t testing.TB) nntpServer {
	t.Helper()
	return npmNNTPServer(t, "open")
}

// nntpServerLogin wants a login of readers, which it takes inside TLS alone.
func nntpServerLogin(t testing.TB) nntpServer {
	t.Helper()
	return npmNNTPServer(t, "login")
}

func nntpServerImplicitTLS(t testing.TB) nntpServer {
	t.Helper()
	cert := makeCert(t, certOptions{})
	s := npmNNTPServer(t, "login", cert.Cert, cert.Key)
	s.Cert, s.Implicit = cert, true
	return s
}

// chownAll gives a folder and all that is in it to the named user.
func chownAll(t testing.TB, dir, owner string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			chown(t, path, owner)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
