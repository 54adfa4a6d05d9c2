package interop_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// An ftpServer is a running server. Cert is empty if it speaks no TLS.
type ftpServer struct {
	Addr    netip.AddrPort
	Version string
	Cert    certFiles
}

// What every server's anonymous root holds.
const (
	ftpFile     = "README"     // of ftpFileSize bytes
	ftpFileSize = 1234         //
	ftpSpaced   = "two  words" // parsers that split at spaces lose one
	ftpDir      = "pub"
	ftpUpload   = "incoming" // only if the server lets anonymous write
)

// passivePorts is how many ports a server may use for data. Pure-FTPd admits half as many users, and turns away the next one.
const passivePorts = 32

// ftpRoot makes the files that anonymous sees. The root itself must not be writable: vsftpd refuses to serve one
// that is.
func ftpRoot(t testing.TB) string {
	t.Helper()
	root := filepath.Join(serverDir(t, ""), "root")
	writeFile(t, filepath.Join(root, ftpFile), string(make([]byte, ftpFileSize)), 0o644)
	writeFile(t, filepath.Join(root, ftpSpaced), "", 0o644)
	writeFile(t, filepath.Join(root, ftpDir, "file"), "hello\n", 0o644)
	return root
}

// ftpAccounts is an environment in which the user ftp exists and has a home: vsftpd and pure-ftpd want that of an
// anonymous session. The machine's own accounts stay as they are.
func ftpAccounts(t testing.TB, home string) []string {
	t.Helper()
	dir := serverDir(t, "")
	passwd := lines("root:x:0:0::/root:/bin/false", "nobody:x:65534:65534::/nonexistent:/bin/false",
		"ftp:x:64000:64000::"+home+":/bin/false")
	group := lines("root:x:0:", "nogroup:x:65534:", "ftp:x:64000:")
	return []string{
		"LD_PRELOAD=" + need(t, "usr/lib/*/libnss_wrapper.so")[0],
		"NSS_WRAPPER_PASSWD=" + writeFile(t, filepath.Join(dir, "passwd"), passwd, 0o644),
		"NSS_WRAPPER_GROUP=" + writeFile(t, filepath.Join(dir, "group"), group, 0o644),
	}
}

// vsftpd starts vsftpd on addr; the extra lines come last, and in vsftpd the last line wins.
func vsftpd(t testing.TB, addr netip.Addr, extra ...string) ftpServer {
	t.Helper()
	needRoot(t)
	bin := need(t, "vsftpd")[0]
	dir := serverDir(t, "")
	server := netip.AddrPortFrom(addr, uint16(freePort(t)))
	passive := freePortRange(t, passivePorts)
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	listen := []string{"listen=YES", "listen_ipv6=NO", "listen_address=" + addr.String()}
	if addr.Is6() {
		listen = []string{"listen=NO", "listen_ipv6=YES", "listen_address6=" + addr.String()}
	}
	log := filepath.Join(dir, "log")
	conf := lines(listen...) + lines(
		fmt.Sprintf("listen_port=%d", server.Port()),
		"background=NO",
		"seccomp_sandbox=NO", // its filter knows no kernel of today; a call that it misses ends the session
		"secure_chroot_dir="+empty,
		fmt.Sprintf("pasv_min_port=%d", passive),
		fmt.Sprintf("pasv_max_port=%d", passive+passivePorts-1),
		"delay_failed_login=0",
		"xferlog_enable=YES", "log_ftp_protocol=YES", "vsftpd_log_file="+log,
		"anonymous_enable=NO", "local_enable=NO",
	) + lines(extra...)
	start(t, process{
		Path:   bin,
		Args:   []string{writeFile(t, filepath.Join(dir, "vsftpd.conf"), conf, 0o600)},
		Env:    ftpAccounts(t, ftpRoot(t)),
		Dir:    dir,
		Listen: server,
		Logs:   []string{log},
	})
	return ftpServer{Addr: server, Version: version(t, "vsftpd")}
}

func vsftpdAnonymous(t testing.TB) ftpServer {
	t.Helper()
	return vsftpd(t, loopback, "anonymous_enable=YES")
}

func vsftpdAnonymousIPv6(t testing.TB) ftpServer {
	t.Helper()
	if !hasIPv6() {
		t.Skip("the machine has no IPv6 loopback")
	}
	return vsftpd(t, netip.IPv6Loopback(), "anonymous_enable=YES")
}

// vsftpdTLSRequired has accounts, no anonymous, and takes no password in cleartext.
func vsftpdTLSRequired(t testing.TB) ftpServer {
	t.Helper()
	cert := makeCert(t, certOptions{})
	s := vsftpd(t, loopback, "local_enable=YES", "ssl_enable=YES", "rsa_cert_file="+cert.Cert,
		"rsa_private_key_file="+cert.Key, "force_local_logins_ssl=YES", "force_local_data_ssl=YES")
	s.Cert = cert
	return s
}

// vsftpdMixed takes passwords inside TLS only and anonymous in cleartext only: what vsftpd does when ssl_enable is all
// that was added to an anonymous server.
func vsftpdMixed(t testing.TB) ftpServer {
	t.Helper()
	cert := makeCert(t, certOptions{Name: "elsewhere.test", Expired: true})
	s := vsftpd(t, loopback, "anonymous_enable=YES", "local_enable=YES", "ssl_enable=YES",
		"rsa_cert_file="+cert.Cert, "rsa_private_key_file="+cert.Key)
	s.Cert = cert
	return s
}

// vsftpdBroken fails each login, by a message that it writes past TLS, in cleartext: the anonymous root doesn't exist.
func vsftpdBroken(t testing.TB) ftpServer {
	t.Helper()
	cert := makeCert(t, certOptions{})
	s := vsftpd(t, loopback, "anonymous_enable=YES", "ssl_enable=YES", "allow_anon_ssl=YES",
		"anon_root=/nonexistent", "rsa_cert_file="+cert.Cert, "rsa_private_key_file="+cert.Key)
	s.Cert = cert
	return s
}

// vsftpdImplicitTLS wants, as vsftpd does unless told otherwise, that data connections resume the TLS session.
func vsftpdImplicitTLS(t testing.TB) ftpServer {
	t.Helper()
	cert := makeCert(t, certOptions{SelfSigned: true})
	s := vsftpd(t, loopback, "anonymous_enable=YES", "local_enable=YES", "ssl_enable=YES", "implicit_ssl=YES",
		"allow_anon_ssl=YES", "force_anon_logins_ssl=YES", "force_anon_data_ssl=YES",
		"rsa_cert_file="+cert.Cert, "rsa_private_key_file="+cert.Key)
	s.Cert = cert
	return s
}

// proftpd offers TLS, wants it of nobody, and lets anonymous write to a folder.
func proftpd(t testing.TB) ftpServer {
	t.Helper()
	needRoot(t)
	bin := need(t, "proftpd")[0]
	modules := filepath.Join(privateRoot(bin), "usr/lib/proftpd")
	need(t, filepath.Join(modules, "mod_tls.so")) // a package of its own
	dir := serverDir(t, "")
	server := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	passive := freePortRange(t, passivePorts)
	cert := makeCert(t, certOptions{ECDSA: true})
	root := ftpRoot(t)
	incoming := filepath.Join(root, ftpUpload)
	if err := os.Mkdir(incoming, 0o755); err != nil {
		t.Fatal(err)
	}
	chown(t, incoming, "nobody")
	log := filepath.Join(dir, "log")
	conf := lines(
		"ModulePath "+modules,
		"LoadModule mod_tls.c",
		"ServerType standalone",
		"DefaultAddress "+server.Addr().String(),
		"SocketBindTight on",
		fmt.Sprintf("Port %d", server.Port()),
		"UseIPv6 off",
		"User nobody", "Group nogroup",
		"PidFile "+filepath.Join(dir, "pid"),
		"ScoreboardFile "+filepath.Join(dir, "scoreboard"),
		"DelayEngine off", // keeps a table in /var
		"WtmpLog off",
		"TransferLog none",
		"SystemLog "+log,
		"AuthOrder mod_auth_unix.c", // PAM would need a file in /etc
		fmt.Sprintf("PassivePorts %d %d", passive, passive+passivePorts-1),
		"<IfModule mod_tls.c>",
		"TLSEngine on", "TLSRequired off", "TLSLog "+filepath.Join(dir, "tls.log"),
		"TLSECCertificateFile "+cert.Cert,
		"TLSECCertificateKeyFile "+cert.Key,
		"</IfModule>",
		"<Anonymous "+root+">",
		"User nobody", "Group nogroup",
		"UserAlias anonymous nobody",
		"RequireValidShell off",
		"</Anonymous>",
	)
	start(t, process{
		Path:   bin,
		Args:   []string{"--nodaemon", "--config", writeFile(t, filepath.Join(dir, "proftpd.conf"), conf, 0o644)},
		Dir:    dir,
		Listen: server,
		Logs:   []string{log, filepath.Join(dir, "tls.log")},
	})
	return ftpServer{Addr: server, Version: version(t, "proftpd-core"), Cert: cert}
}

// pureFTPdTLS takes no login without TLS.
func pureFTPdTLS(t testing.TB) ftpServer {
	t.Helper()
	cert := makeCert(t, certOptions{})
	both := must(os.ReadFile(cert.Cert))
	both = append(both, must(os.ReadFile(cert.Key))...)
	pem := writeFile(t, filepath.Join(serverDir(t, ""), "both.pem"), string(both), 0o600)
	s := pureFTPdWith(t, "-Y", "2", "-2", pem)
	s.Cert = cert
	return s
}

// pureFTPd admits anonymous, as it does unless told otherwise, and speaks no TLS.
func pureFTPd(t testing.TB) ftpServer {
	t.Helper()
	return pureFTPdWith(t)
}

func pureFTPdWith(t testing.TB, extra ...string) ftpServer {
	t.Helper()
	needRoot(t)
	bin := need(t, "pure-ftpd")[0]
	dir := serverDir(t, "")
	server := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	ports := 4 * passivePorts // and users that are on their way out count
	passive := freePortRange(t, ports)
	start(t, process{
		Path: bin,
		Args: append([]string{
			"-S", "127.0.0.1," + strconv.Itoa(int(server.Port())),
			"-p", fmt.Sprintf("%d:%d", passive, passive+ports-1),
			"-g", filepath.Join(dir, "pid"),
			"-l", "unix",
			"-H", // no reverse look-ups
		}, extra...),
		Env:    ftpAccounts(t, ftpRoot(t)),
		Dir:    dir,
		Listen: server,
	})
	return ftpServer{Addr: server, Version: version(t, "pure-ftpd")}
}
