package interop_test

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// INN is two servers: innd takes articles from its peers and hands readers to nnrpd, which also serves a port alone.

// nnrpdOpen lets everybody read. It offers AUTHINFO USER only within TLS.
func nnrpdOpen(t testing.TB) nntpServer {
	t.Helper()
	return newINN(t, innTLS(t)).nnrpd(t, innOpen)
}

// nnrpdLogin wants a login before any group, and takes a password in cleartext.
func nnrpdLogin(t testing.TB) nntpServer {
	t.Helper()
	return newINN(t, innTLS(t)).nnrpd(t, innLogin)
}

// nnrpdSecureLogin wants a login too, AUTHINFO USER only within TLS.
func nnrpdSecureLogin(t testing.TB) nntpServer {
	t.Helper()
	return newINN(t, innTLS(t)).nnrpd(t, innSecureLogin)
}

// nnrpdImplicitTLS lets everybody read.
func nnrpdImplicitTLS(t testing.TB) nntpServer {
	t.Helper()
	s := newINN(t, innTLS(t)).nnrpd(t, innOpen, "-S")
	s.Implicit = true
	return s
}

// nnrpdNoCertificate offers STARTTLS, as Debian's build always does, and answers 580.
func nnrpdNoCertificate(t testing.TB) nntpServer {
	t.Helper()
	return newINN(t, certFiles{}).nnrpd(t, innOpen)
}

// nnrpdRefusing greets with 502: readers.conf has no entry for the client.
func nnrpdRefusing(t testing.TB) nntpServer {
	t.Helper()
	return newINN(t, certFiles{}).nnrpd(t, innElsewhere)
}

// nnrpdUnavailable greets with 400: its overview database is missing.
func nnrpdUnavailable(t testing.TB) nntpServer {
	t.Helper()
	return unavailableINN(t).nnrpd(t, innOpen)
}

// nnrpdUnavailableTLS does so on a port that is meant for implicit TLS, in cleartext all the same.
func nnrpdUnavailableTLS(t testing.TB) nntpServer {
	t.Helper()
	return unavailableINN(t).nnrpd(t, innOpen, "-S")
}

func unavailableINN(t testing.TB) inn {
	t.Helper()
	n := newINN(t, innTLS(t))
	if err := os.RemoveAll(n.path("spool/overview")); err != nil {
		t.Fatal(err)
	}
	return n
}

// Texts of readers.conf. A client that no auth block admits may still log in if one names a program to ask; this
// one says no to everybody.
const (
	innOpen = `
auth all { hosts: "*" default: "<stranger>" }
access all { users: "*" newsgroups: "*" access: R }
`
	innLogin = `
auth login { hosts: "*" auth: /bin/false }
access all { users: "*" newsgroups: "*" }
`
	innSecureLogin = `
auth login { hosts: "*" require_encryption: true auth: /bin/false }
access all { users: "*" newsgroups: "*" }
`
	innElsewhere = `
auth all { hosts: "192.0.2.1" default: "<stranger>" }
access all { users: "*" newsgroups: "*" }
`
)

// innd is the feeding side; to it, everybody on this machine is a peer. MODE READER leads to an open nnrpd. It notices
// SIGTERM at its next connection only, so that a test ends a few seconds late.
func innd(t testing.TB) nntpServer {
	t.Helper()
	n := newINN(t, innTLS(t))
	addr := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	n.write(t, "etc/readers.conf", innOpen)
	n.write(t, "etc/newsfeeds", "ME:*::\n")
	n.write(t, "etc/incoming.conf", "streaming: true\npeer lab {\n hostname: 127.0.0.1\n}\n")
	for _, empty := range []string{"etc/expire.ctl", "etc/control.ctl"} {
		n.write(t, empty, "")
	}
	chownAll(t, n.dir, "news")
	start(t, inNamespace(t, process{
		Path:   filepath.Join(n.bin, "innd"),
		Args:   []string{"-f", "-P", strconv.Itoa(int(addr.Port()))},
		Env:    n.env,
		Dir:    n.dir,
		Listen: addr,
		Logs:   []string{n.path("log/errlog")},
	}))
	return nntpServer{Addr: addr, Version: version(t, "inn2"), Cert: n.cert}
}

// nnrpd starts a reading server with the text of readers.conf and more flags.
func (n inn) nnrpd(t testing.TB, readers string, flags ...string) nntpServer {
	t.Helper()
	addr := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	n.write(t, "etc/readers.conf", readers)
	chownAll(t, n.dir, "news")
	start(t, inNamespace(t, process{
		Path:   filepath.Join(n.bin, "nnrpd"),
		Args:   append([]string{"-D", "-f", "-b", addr.Addr().String(), "-p", strconv.Itoa(int(addr.Port()))}, flags...),
		Env:    n.env,
		Dir:    n.dir,
		Listen: addr,
	}))
	return nntpServer{Addr: addr, Version: version(t, "inn2"), Cert: n.cert}
}

// An inn is an installation of INN: folders, configuration, one group, no articles.
type inn struct {
	bin, dir string
	env      []string
	cert     certFiles
}

func innTLS(t testing.TB) certFiles {
	t.Helper()
	return makeCert(t, certOptions{Owner: "news"})
}

// newINN makes an installation; TLS works if there is a certificate.
func newINN(t testing.TB, cert certFiles) inn {
	t.Helper()
	needRoot(t) // to become the user news
	n := inn{bin: filepath.Dir(need(t, "usr/lib/news/bin/nnrpd")[0]), dir: serverDir(t, ""), cert: cert}
	n.env = []string{"INNCONF=" + n.path("etc/inn.conf"), "LD_LIBRARY_PATH=" + filepath.Dir(n.bin)}
	for _, d := range []string{
		"run", "log", "tmp", "spool/articles", "spool/incoming", "spool/outgoing", "spool/overview",
	} {
		if err := os.MkdirAll(n.path(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	conf := lines(
		`mta: "/bin/false %s"`, `organization: "none"`, // no mail goes out
		`pathhost: news.inn.test`, `domain: inn.test`, `fromhost: inn.test`, `server: 127.0.0.1`,
		`nnrpdloadlimit: 0`, // nnrpd turns readers away by 400 when the load average is above 16
		`hismethod: hisv6`, `ovmethod: tradindexed`,
		`bindaddress: 127.0.0.1`, `bindaddress6: "::1"`, // innd takes every address of a family that isn't named
	)
	for key, value := range map[string]string{
		"pathnews": filepath.Dir(n.bin), "pathbin": n.bin, "pathetc": n.path("etc"), "pathfilter": n.path("etc/filter"),
		"pathdb": n.path("db"), "pathrun": n.path("run"), "pathlog": n.path("log"), "pathspool": n.path("spool"),
		"pathtmp": n.path("tmp"), "pathhttp": n.path("tmp"), "tlscertfile": cert.Cert, "tlskeyfile": cert.Key,
	} {
		if value != "" {
			conf += key + `: "` + value + `"` + "\n"
		}
	}
	n.write(t, "etc/inn.conf", conf)
	n.write(t, "etc/storage.conf", "method tradspool {\n newsgroups: *\n class: 0\n}\n")
	n.write(t, "db/active", lines(
		"control 0000000000 0000000001 n", "control.cancel 0000000000 0000000001 n", "junk 0000000000 0000000001 n",
		newsGroup+" 0000000000 0000000001 y", "lab.moderated 0000000000 0000000001 m",
	))
	n.write(t, "db/newsgroups", newsGroup+"\tTests\n")
	n.write(t, "db/history", "")
	n.run(t, "makedbz", "-i", "-o") // both make empty databases
	n.run(t, "overchan")
	return n
}

func (n inn) path(name string) string { return filepath.Join(n.dir, name) }

func (n inn) write(t testing.TB, name, text string) {
	t.Helper()
	writeFile(t, n.path(name), text, 0o644)
}

// run runs one of INN's tools, without input. What it makes belongs to root until the server starts.
func (n inn) run(t testing.TB, tool string, args ...string) {
	t.Helper()
	chownAll(t, n.dir, "news") // makedbz becomes the user news
	cmd := exec.Command(filepath.Join(n.bin, tool), args...)
	cmd.Dir, cmd.Env = n.dir, serverEnv(process{Env: n.env})
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", tool, err, out)
	}
}
