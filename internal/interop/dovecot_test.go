package interop_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

// dovecotServers are the listeners of one instance: mail from users, and mail for mailboxes (LMTP).
type dovecotServers struct{ Submission, Implicit, LMTP smtpServer }

func dovecot(t testing.TB) dovecotServers {
	t.Helper()
	needRoot(t)
	paths := need(t, "usr/sbin/dovecot", "usr/bin/doveconf", "usr/lib/dovecot/lmtp", "usr/lib/dovecot/submission")
	dir, cert, addrs := serverDir(t, ""), makeCert(t, certOptions{}), smtpAddrs(t, 3)
	listener := func(i int, more string) string {
		return fmt.Sprintf("inet_listener l%d { \n address = 127.0.0.1 \n port = %d \n %s \n }", i, addrs[i].Port(), more)
	}
	conf := lines(
		"protocols = submission lmtp", "listen = 127.0.0.1",
		"base_dir = "+filepath.Join(dir, "run"), "state_dir = "+filepath.Join(dir, "state"),
		"log_path = /dev/stderr", "hostname = mx.dovecot.test",
		"default_login_user = nobody", "default_internal_user = mail", "default_internal_group = mail",
		"ssl = yes", "ssl_cert = <"+cert.Cert, "ssl_key = <"+cert.Key,
		"mail_location = maildir:"+dir+"/mail/%u", "mail_uid = mail", "mail_gid = mail", "first_valid_uid = 1",
		"passdb {\n driver = static\n args = nopassword=no password=unguessed\n}",
		"userdb {\n driver = static\n args = home="+dir+"/mail/%u\n}",
		"submission_relay_host = 127.0.0.1", "submission_relay_port = 9", "auth_mechanisms = plain login",
		"service submission-login {\n inet_listener submission {\n port = 0\n }\n"+listener(0, "")+"\n"+listener(1, "ssl = yes")+"\n}",
		"service lmtp {\n"+listener(2, "")+"\n}",
	)
	for _, d := range []string{"run", "state", "mail"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := writeFile(t, filepath.Join(dir, "dovecot.conf"), conf, 0o644)
	start(t, inNamespace(t, process{
		// As the server itself does it, which looks for doveconf in /usr/bin.
		Path:   paths[1],
		Args:   []string{"-c", file, "-f", "service=master", "-m", "master", "-e", paths[0], "-F", "-c", file},
		Dir:    dir,
		Listen: addrs[0],
		Also:   addrs[1:],
	}, bind{privateEtc(t), "/etc"}, bind{filepath.Join(privateRoot(paths[0]), "usr/lib/dovecot"), "/usr/lib/dovecot"}))
	v := version(t, "dovecot-core")
	server := func(name string, addr netip.AddrPort, implicit bool) smtpServer {
		return smtpServer{Name: name, Addr: addr, Version: v, Cert: cert, Implicit: implicit}
	}
	return dovecotServers{server("submission", addrs[0], false), server("implicit TLS", addrs[1], true), server("LMTP", addrs[2], false)}
}
