package interop_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

// An smtpServer is one listener of a running server.
type smtpServer struct {
	Name     string
	Addr     netip.AddrPort
	Version  string
	Cert     certFiles // empty if it speaks no TLS
	Implicit bool      // TLS from the first byte
	TLSFails bool      // it shows its certificate, then ends the handshake with an alert
}

// smtpAddrs returns n free addresses on loopback.
func smtpAddrs(t testing.TB, n int) []netip.AddrPort {
	t.Helper()
	list := make([]netip.AddrPort, n)
	for i, port := range freePorts(t, n) {
		list[i] = netip.AddrPortFrom(loopback, uint16(port))
	}
	return list
}

// postfixServers are the listeners of one instance. Each offers PLAIN, LOGIN and NTLM, within TLS only, except for
// Postscreen, which offers no AUTH.
type postfixServers struct {
	STARTTLS   smtpServer // VRFY is off
	Implicit   smtpServer // VRFY is on: postmaster is known, nobody else
	Postscreen smtpServer // greets in two parts, postscreenWait apart
}

const postscreenWait = 2 // seconds

func postfix(t testing.TB, settings ...string) postfixServers {
	t.Helper()
	needRoot(t)
	bin := need(t, "usr/sbin/postfix", "usr/lib/postfix/sbin/master", "usr/lib/*/sasl2/libntlm.so")[0]
	dir, cert, addrs := serverDir(t, ""), makeCert(t, certOptions{}), smtpAddrs(t, 3)
	etc, queue, data := filepath.Join(dir, "etc"), filepath.Join(dir, "queue"), filepath.Join(dir, "data")
	for _, d := range []string{queue, data} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	chown(t, data, "postfix")
	log := filepath.Join(data, "maillog")

	writeFile(t, filepath.Join(etc, "sasl", "smtpd.conf"), "mech_list: PLAIN LOGIN NTLM\n", 0o644)
	writeFile(t, filepath.Join(etc, "main.cf"), lines(
		"compatibility_level = 3.6",
		"queue_directory = "+queue, "data_directory = "+data,
		"maillog_file = "+log, "maillog_file_prefixes = "+dir,
		"myhostname = mx.postfix.test", "mydestination = $myhostname", "mynetworks =",
		"inet_interfaces = 127.0.0.1", "inet_protocols = ipv4",
		"alias_maps =", "alias_database =", "local_recipient_maps = inline:{postmaster=known}",
		// No mail comes in, and none would go anywhere.
		"smtpd_data_restrictions = reject", "default_transport = error:no", "local_transport = error:no",
		"smtpd_tls_security_level = may", "smtpd_tls_cert_file = "+cert.Cert, "smtpd_tls_key_file = "+cert.Key,
		"smtpd_sasl_auth_enable = yes", "smtpd_tls_auth_only = yes",
		"cyrus_sasl_config_path = "+filepath.Join(etc, "sasl"),
		fmt.Sprintf("postscreen_greet_wait = %ds", postscreenWait),
		"postscreen_greet_action = enforce", // who speaks before the second part is not served
		"postscreen_access_list =",
		"postscreen_cache_map =", // it would greet in one part whoever came before
		lines(settings...),
	), 0o644)
	writeFile(t, filepath.Join(etc, "master.cf"), lines(
		addrs[0].String()+" inet n - n - - smtpd -o disable_vrfy_command=yes",
		addrs[1].String()+" inet n - n - - smtpd -o smtpd_tls_wrappermode=yes",
		addrs[2].String()+" inet n - n - 1 postscreen",
		"smtpd    pass       - - n - - smtpd -o smtpd_sasl_auth_enable=no",
		"tlsproxy unix       - - n - 0 tlsproxy",
		"rewrite  unix       - - n - - trivial-rewrite",
		"proxymap unix       - - n - - proxymap",
		"tlsmgr   unix       - - n 1000? 1 tlsmgr",
		"anvil    unix       - - n - 1 anvil",
		"cleanup  unix       n - n - 0 cleanup",
		"error    unix       - - n - - error",
		"postlog  unix-dgram n - n - 1 postlogd",
	), 0o644)
	// The namespace is for the process ids: postfix's daemons leave the session that they are started in.
	start(t, inNamespace(t, process{
		Path:   bin,
		Args:   []string{"-c", etc, "start-fg"},
		Dir:    dir,
		Listen: addrs[0],
		Also:   addrs[1:],
		Logs:   []string{log},
	}))
	v := version(t, "postfix")
	return postfixServers{
		STARTTLS:   smtpServer{Name: "STARTTLS", Addr: addrs[0], Version: v, Cert: cert},
		Implicit:   smtpServer{Name: "implicit TLS", Addr: addrs[1], Version: v, Cert: cert, Implicit: true},
		Postscreen: smtpServer{Name: "postscreen", Addr: addrs[2], Version: v, Cert: cert},
	}
}
