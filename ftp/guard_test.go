package ftp

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

var (
	atHandshake = []string{
		"FEAT\r\n", "SYST\r\n", "AUTH TLS\r\n", "AUTH SSL\r\n", "PBSZ 0\r\n", "PROT P\r\n", "PWD\r\n", "QUIT\r\n",
		"USER handclasp-no-such-user\r\n", "USER anonymous\r\n",
		"PASS handclasp@handclasp.invalid\r\n", "PASS handclasp@example.org\r\n", "PASS handclasp@xn--caf-dma.example\r\n",
	}
	atAnonymous = []string{"PASV\r\n", "EPSV\r\n", "LIST\r\n", "MLSD\r\n"}
)

// forbidden is refused at every level.
var forbidden = []string{
	// what changes something
	"STOR x\r\n", "STOU\r\n", "APPE x\r\n", "DELE x\r\n", "MKD x\r\n", "XMKD x\r\n", "RMD x\r\n", "XRMD x\r\n", "RNFR x\r\n", "RNTO x\r\n",
	"SITE CHMOD 777 x\r\n", "SITE EXEC id\r\n", "SITE CPFR /etc/passwd\r\n", "SITE HELP\r\n", "ALLO 1\r\n", "MFMT 20260101000000 x\r\n",
	"MFF UNIX.mode=0777; x\r\n", "MDTM 20260101000000 x\r\n", "SMNT /\r\n", "REIN\r\n", "ABOR\r\n", "REST 1\r\n",
	// what sends data elsewhere
	"PORT 192,0,2,1,0,25\r\n", "EPRT |1|192.0.2.1|25|\r\n", "LPRT 4,4,192,0,2,1,2,0,25\r\n", "EPSV ALL\r\n", "EPSV 1\r\n", "SPSV\r\n", "CPSV\r\n",
	// what fetches or looks further
	"RETR README\r\n", "CWD /\r\n", "CDUP\r\n", "XCUP\r\n", "NLST\r\n", "LIST /\r\n", "LIST -a\r\n", "LIST -R\r\n", "LIST ..\r\n", "MLSD /\r\n", "MLSD ..\r\n",
	"MLST\r\n", "MLST /\r\n", "STAT\r\n", "STAT /\r\n", "SIZE x\r\n", "MDTM x\r\n", "PRET LIST\r\n", "HELP\r\n", "HOST x\r\n", "CLNT x\r\n", "NOOP\r\n",
	"OPTS UTF8 ON\r\n", "TYPE I\r\n", "TYPE A\r\n", "STRU F\r\n", "MODE S\r\n", "MODE Z\r\n", "PWD /\r\n", "XPWD\r\n", "SYST x\r\n", "FEAT x\r\n", "QUIT now\r\n",
	// logins
	"USER root\r\n", "USER ftp\r\n", "USER admin\r\n", "USER\r\n", "USER \r\n", "USER anonymous \r\n", "USER  anonymous\r\n", "USER Anonymous\r\n",
	"USER handclasp\r\n", "USER handclasp-no-such-user2\r\n", "USER handclasp-no-such-users\r\n", "USER anonymous@example.org\r\n",
	"PASS\r\n", "PASS \r\n", "PASS root\r\n", "PASS anonymous@\r\n", "PASS handclasp\r\n", "PASS handclasp@\r\n", "PASS  handclasp@example.org\r\n",
	"PASS handclasp@example.org \r\n", "PASS handclasp@.org\r\n", "PASS handclasp@example..org\r\n", "PASS handclasp@example.org.\r\n",
	"PASS handclasp@-example.org\r\n", "PASS handclasp@example-.org\r\n", "PASS handclasp@exa_mple.org\r\n", "PASS handclasp@exa mple.org\r\n",
	"PASS handclasp@[192.0.2.1]\r\n", "PASS handclasp@a@b\r\n", "PASS handclasp@caf\xc3\xa9.example\r\n", "PASS Handclasp@example.org\r\n",
	"PASS handclasp@" + strings.Repeat("a", 64) + ".org\r\n", "PASS handclasp@" + strings.Repeat("a.", 126) + "org\r\n", "PASS root@example.org\r\n",
	"ACCT x\r\n", "ADAT x\r\n",
	// less protection, or another kind
	"AUTH\r\n", "AUTH tls\r\n", "AUTH TLS-C\r\n", "AUTH GSSAPI\r\n", "AUTH KERBEROS_V4\r\n", "PBSZ 1\r\n", "PBSZ\r\n", "PROT C\r\n", "PROT S\r\n", "PROT\r\n", "CCC\r\n",
	"MIC x\r\n", "CONF x\r\n", "ENC x\r\n",
	// more, or less, than one command
	"", "\r\n", "\n", "QUIT", "QUIT\n", "QUIT\r", "QUIT\r\r\n", "QUIT\n\r\n", "QUIT\x00\r\n", "\x00QUIT\r\n", " QUIT\r\n", "QUIT \r\n", "\r\nQUIT\r\n",
	"NOOP\r\nDELE x\r\n", "FEAT\r\nDELE x\r\n", "FEAT\nDELE x\r\n", "FEAT\rDELE x\r\n", "FEAT\r\nSYST\r\n", "FEAT\r\n\r\n", "FEAT\r\x00\r\n",
	"PASS handclasp@example.org\r\nDELE x\r\n", "PASS handclasp@example.org\nDELE x\r\n", "PASS handclasp@exam\rple.org\r\n",
	"USER anonymous\r\nPASS x\r\n", "\xff\xf4\xff\xf2ABOR\r\n", "feat\r\n", "Quit\r\n",
	"\x16\x03\x01\x02\x00\x01\r\n", strings.Repeat("A", 1<<16) + "\r\n",
}

func TestGuardAllows(t *testing.T) {
	for _, plain := range atHandshake {
		for _, l := range []probe.Level{probe.LevelHandshake, probe.LevelAnonymous} {
			label, err := guard(l, []byte(plain))
			require.NoError(t, err)
			require.Equal(t, strings.TrimSuffix(plain, "\r\n"), label)
		}
		_, err := guard(probe.LevelGreeting, []byte(plain))
		require.Error(t, err, plain)
	}
	for _, plain := range atAnonymous {
		label, err := guard(probe.LevelAnonymous, []byte(plain))
		require.NoError(t, err)
		require.Equal(t, strings.TrimSuffix(plain, "\r\n"), label)
		_, err = guard(probe.LevelHandshake, []byte(plain))
		require.Error(t, err, plain)
		_, err = guard(probe.LevelGreeting, []byte(plain))
		require.Error(t, err, plain)
	}
}

func TestGuardRefuses(t *testing.T) {
	for _, plain := range forbidden {
		for _, l := range []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous} {
			_, err := guard(l, []byte(plain))
			require.Error(t, err, "%q at level %v", plain, l)
		}
	}
}

// What the guard lets pass is one of a few lines, or the anonymous password, whose only freedom is a host name.
func FuzzGuard(f *testing.F) {
	for _, list := range [][]string{atHandshake, atAnonymous, forbidden} {
		for _, plain := range list {
			f.Add([]byte(plain))
		}
	}
	fixed := append(append([]string{}, atHandshake...), atAnonymous...)
	f.Fuzz(func(t *testing.T, plain []byte) {
		for _, l := range []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous} {
			label, err := guard(l, plain)
			if err != nil {
				continue
			}
			if l == probe.LevelGreeting || label != strings.TrimSuffix(string(plain), "\r\n") {
				t.Fatalf("level %v: %q is named %q", l, plain, label)
			}
			if bytes.Count(plain, []byte("\n")) != 1 || bytes.Count(plain, []byte("\r")) != 1 || !bytes.HasSuffix(plain, []byte("\r\n")) {
				t.Fatalf("%q is not one line", plain)
			}
			known := false
			for _, line := range fixed {
				known = known || line == string(plain)
			}
			host, password := strings.CutPrefix(label, "PASS handclasp@")
			if !known && (!password || strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-") != "") {
				t.Fatalf("%q passed", plain)
			}
		}
	})
}
