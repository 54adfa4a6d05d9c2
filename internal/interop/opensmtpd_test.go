package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// opensmtpdServers are the listeners of one instance. OpenSMTPD knows neither VRFY nor EXPN, and no setting changes it.
//
// Debian 12's build can't sign with the keys that its own privilege separation hides from it
// (https://github.com/OpenSMTPD/OpenSMTPD/issues/1171): it offers STARTTLS, sends its certificate, and then
// fails every handshake.
type opensmtpdServers struct {
	Plain    smtpServer
	STARTTLS smtpServer
	Required smtpServer // 530 to MAIL before TLS
	Implicit smtpServer
}

func opensmtpd(t testing.TB) opensmtpdServers {
	t.Helper()
	needRoot(t)
	bin := need(t, "usr/sbin/smtpd")[0]
	dir, cert, addrs := serverDir(t, ""), makeCert(t, certOptions{}), smtpAddrs(t, 4)
	binds := []bind{{privateEtc(t), "/etc"}}
	for on, want := range map[string]string{"/var/spool": "", "/var/lib": "opensmtpd/empty", "/run": ""} {
		from := filepath.Join(dir, on)
		if err := os.MkdirAll(filepath.Join(from, want), 0o755); err != nil {
			t.Fatal(err)
		}
		binds = append(binds, bind{from, on})
	}
	listen := func(i int, how string) string {
		return fmt.Sprintf("listen on %s port %d %s hostname mx.opensmtpd.test", addrs[i].Addr(), addrs[i].Port(), how)
	}
	conf := lines(
		`pki lab cert "`+cert.Cert+`"`, `pki lab key "`+cert.Key+`"`,
		listen(0, ""),
		listen(1, "tls pki lab auth-optional"),
		listen(2, "tls-require pki lab auth"),
		listen(3, "smtps pki lab auth"),
		"match from any for any reject",
	)
	start(t, inNamespace(t, process{
		Path:   bin,
		Args:   []string{"-d", "-f", writeFile(t, filepath.Join(dir, "smtpd.conf"), conf, 0o600)},
		Dir:    dir,
		Listen: addrs[0],
		Also:   addrs[1:],
	}, binds...))
	v := version(t, "opensmtpd")
	return opensmtpdServers{
		Plain:    smtpServer{Name: "cleartext", Addr: addrs[0], Version: v},
		STARTTLS: smtpServer{Name: "STARTTLS", Addr: addrs[1], Version: v, Cert: cert, TLSFails: true},
		Required: smtpServer{Name: "STARTTLS required", Addr: addrs[2], Version: v, Cert: cert, TLSFails: true},
		Implicit: smtpServer{Name: "implicit TLS", Addr: addrs[3], Version: v, Cert: cert, Implicit: true, TLSFails: true},
	}
}
