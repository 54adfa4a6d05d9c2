package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

type eximOptions struct {
	VRFY bool // and EXPN: postmaster@mx.exim.test is known, nobody else
	TLS  bool // STARTTLS, by GnuTLS
}

// exim offers AUTH PLAIN and LOGIN in cleartext.
func exim(t testing.TB, o eximOptions) smtpServer {
	t.Helper()
	needRoot(t)
	bin := need(t, "usr/sbin/exim4")[0]
	dir, addr := serverDir(t, ""), smtpAddrs(t, 1)[0]
	spool, log := filepath.Join(dir, "spool"), filepath.Join(dir, "log")
	for _, d := range []string{spool, log} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(d, eximID, eximID); err != nil {
			t.Fatal(err)
		}
	}
	server := smtpServer{Name: "cleartext", Addr: addr, Version: version(t, "exim4-daemon-light")}

	conf := lines(
		"primary_hostname = mx.exim.test",
		"spool_directory = "+spool, "log_file_path = "+log+"/%slog",
		"keep_environment =", "notifier_socket =", // it has one name, whichever instance it belongs to
		"acl_smtp_mail = deny", "acl_smtp_rcpt = deny", "queue_only", // no mail comes in
		"smtp_accept_max = 0", // or it turns away who comes while twenty are there, or on their way out
		"auth_advertise_hosts = *",
		"domainlist local_domains = mx.exim.test",
	)
	if o.VRFY {
		server.Name = "VRFY and EXPN"
		conf += "acl_smtp_vrfy = accept\nacl_smtp_expn = accept\n"
	}
	if o.TLS {
		server.Name = "STARTTLS"
		server.Cert = makeCert(t, certOptions{})
		for _, f := range []string{filepath.Dir(server.Cert.Key), server.Cert.Key} {
			if err := os.Chown(f, eximID, eximID); err != nil {
				t.Fatal(err)
			}
		}
		conf += lines("tls_advertise_hosts = *", "tls_certificate = "+server.Cert.Cert, "tls_privatekey = "+server.Cert.Key)
	} else {
		conf += "tls_advertise_hosts =\n"
	}
	conf += lines(
		"begin authenticators",
		"plain:", " driver = plaintext", " public_name = PLAIN", " server_prompts = :", " server_condition = false",
		"login:", " driver = plaintext", " public_name = LOGIN", " server_prompts = Username:: : Password::",
		" server_condition = false",
		"begin routers",
		"postmaster:", " driver = accept", " domains = +local_domains", " local_parts = postmaster", " transport = nowhere",
		"begin transports",
		"nowhere:", " driver = appendfile", " file = /dev/null", " user = nobody", " group = nobody",
	)
	// Root may use a configuration of its own; that exim then gives up root doesn't matter if nothing is delivered.
	start(t, inNamespace(t, process{
		Path: bin,
		Args: []string{"-C", writeFile(t, filepath.Join(dir, "exim.conf"), conf, 0o644), "-bdf",
			"-oX", fmt.Sprintf("127.0.0.1.%d", addr.Port()), "-oP", filepath.Join(dir, "pid")},
		Dir:    dir,
		Listen: addr,
		Logs:   []string{filepath.Join(log, "mainlog"), filepath.Join(log, "paniclog")},
	}, bind{privateEtc(t), "/etc"}))
	return server
}
