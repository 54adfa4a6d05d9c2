package interop_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// sendmail is built from m4 as Debian's is, so that its greeting tells the version of its configuration, too.
func sendmail(t testing.TB) smtpServer {
	t.Helper()
	needRoot(t)
	bin := need(t, "usr/libexec/sendmail/sendmail", "m4")
	dir, cert, addr := serverDir(t, ""), makeCert(t, certOptions{}), smtpAddrs(t, 1)[0]
	queue := filepath.Join(dir, "queue")
	if err := os.Mkdir(queue, 0o700); err != nil {
		t.Fatal(err)
	}
	etc := privateEtc(t)
	writeFile(t, filepath.Join(etc, "mail", "local-host-names"), "", 0o644)
	writeFile(t, filepath.Join(etc, "mail", "aliases"), "", 0o644)
	m4 := filepath.Join(privateRoot(bin[0]), "usr/share/sendmail/cf")
	mc := writeFile(t, filepath.Join(dir, "sendmail.mc"), lines(
		"include(`"+m4+"/debian/autoconf.m4')dnl", // or OSTYPE looks for it in /usr/share
		"OSTYPE(`debian')dnl",
		"define(`confDOMAIN_NAME', `mx.sendmail.test')dnl",
		"define(`confPRIVACY_FLAGS', `authwarnings')dnl", // its own default: VRFY and EXPN for anybody
		"define(`confPID_FILE', `"+filepath.Join(dir, "pid")+"')dnl",
		"define(`QUEUE_DIR', `"+queue+"')dnl",
		"define(`STATUS_FILE', `')dnl",
		"define(`ALIAS_FILE', `')dnl",
		"define(`confDONT_BLAME_SENDMAIL', `TrustStickyBit')dnl", // or it takes no key below /tmp
		"define(`confSERVER_CERT', `"+cert.Cert+"')dnl",
		"define(`confSERVER_KEY', `"+cert.Key+"')dnl",
		"define(`confCACERT', `"+cert.CA+"')dnl",
		"define(`confCACERT_PATH', `"+filepath.Dir(cert.CA)+"')dnl",
		"define(`confREFUSE_LA', `10000')dnl", // it turns clients away from a machine that is busy with other things
		"define(`confQUEUE_LA', `10000')dnl",
		"FEATURE(`nocanonify')dnl",
		"FEATURE(`no_default_msa')dnl",
		fmt.Sprintf("DAEMON_OPTIONS(`Name=MTA, Addr=127.0.0.1, Port=%d')dnl", addr.Port()),
		"MAILER(`smtp')dnl",
	), 0o644)
	conf, err := exec.CommandContext(t.Context(), bin[1], "-D_CF_DIR_="+m4+"/", filepath.Join(m4, "m4/cf.m4"), mc).Output()
	if err != nil {
		t.Fatal(err)
	}
	start(t, inNamespace(t, process{
		Path:   bin[0],
		Args:   []string{"-bD", "-C", writeFile(t, filepath.Join(dir, "sendmail.cf"), string(conf), 0o644)},
		Dir:    dir,
		Listen: addr,
	}, bind{etc, "/etc"}))
	return smtpServer{Name: "STARTTLS", Addr: addr, Version: version(t, "sendmail-bin"), Cert: cert}
}
