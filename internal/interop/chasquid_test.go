package interop_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

// chasquid serves mail from others, which needs no login, and its users' mail, which does.
func chasquid(t testing.TB) []smtpServer {
	t.Helper()
	bin := need(t, "chasquid")[0]
	dir, cert, addrs := serverDir(t, ""), makeCert(t, certOptions{}), smtpAddrs(t, 3)
	etc := filepath.Join(dir, "etc")
	writeFile(t, filepath.Join(etc, "chasquid.conf"), lines(
		`hostname: "mx.chasquid.test"`,
		`smtp_address: "`+addrs[0].String()+`"`,
		`submission_address: "`+addrs[1].String()+`"`,
		`submission_over_tls_address: "`+addrs[2].String()+`"`,
		`data_dir: "`+filepath.Join(dir, "data")+`"`,
		`mail_log_path: "`+filepath.Join(dir, "mail.log")+`"`,
		`mail_delivery_agent_bin: "/bin/false"`,
	), 0o644)
	writeFile(t, filepath.Join(etc, "domains", "mx.chasquid.test", "aliases"), "", 0o644)
	for name, from := range map[string]string{"fullchain.pem": cert.Cert, "privkey.pem": cert.Key} {
		writeFile(t, filepath.Join(etc, "certs", "localhost", name), string(must(os.ReadFile(from))), 0o600)
	}
	start(t, process{Path: bin, Args: []string{"-config_dir", etc}, Dir: dir, Listen: addrs[0], Also: addrs[1:], Logs: []string{filepath.Join(dir, "mail.log")}})
	v := version(t, "chasquid")
	server := func(name string, addr netip.AddrPort, implicit bool) smtpServer {
		return smtpServer{Name: name, Addr: addr, Version: v, Cert: cert, Implicit: implicit}
	}
	return []smtpServer{server("STARTTLS", addrs[0], false), server("submission", addrs[1], false), server("implicit TLS", addrs[2], true)}
}
