package ftp

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

var (
	atHandshake = []string{
		"FEAT\r\n", "SYST\r\n", "AUTH TLS\r\n", "AUTH SSL\r\n", "PBSZ 0\r\n", "PROT P\r\n", "PWD\r\n", "QUIT\r\n",
		"USER handclasp-no-such-user\r\n", "USER anonymous\r\n",
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

const passDefault = "PASS handclasp@handclasp.invalid\r\n"

// fresh is the guard of a new connection on which the lines were sent.
func fresh(t testing.TB, visitor probe.Contact, sent ...string) probe.Guard {
	t.Helper()
	g := Prober{}.newGuard(visitor)
	for _, line := range sent {
		_, err := g(probe.LevelHandshake, []byte(line))
		require.NoError(t, err)
	}
	return g
}

func TestGuardAllows(t *testing.T) {
	for lowest, list := range map[probe.Level][]string{probe.LevelHandshake: atHandshake, probe.LevelAnonymous: atAnonymous} {
		for _, plain := range list {
			for _, l := range []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous} {
				label, err := fresh(t, probe.Contact{})(l, []byte(plain))
				if l < lowest {
					require.Error(t, err, plain)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, strings.TrimSuffix(plain, "\r\n"), label)
			}
		}
	}
}

// A password follows the name anonymous at once, on its own connection, and is the visitor's address.
func TestGuardOfPasswords(t *testing.T) {
	visitor := probe.Contact{Host: "scan.example.org", Mail: "abuse@example.org"}
	for name, c := range map[string]struct {
		visitor probe.Contact
		sent    []string
		pass    string
		ok      bool
	}{
		"behind anonymous":          {sent: []string{"USER anonymous\r\n"}, pass: passDefault, ok: true},
		"of a visitor":              {visitor: visitor, sent: []string{"USER anonymous\r\n"}, pass: "PASS abuse@example.org\r\n", ok: true},
		"of another visitor":        {visitor: visitor, sent: []string{"USER anonymous\r\n"}, pass: passDefault},
		"of nobody":                 {sent: []string{"USER anonymous\r\n"}, pass: "PASS abuse@example.org\r\n"},
		"first":                     {pass: passDefault},
		"behind the made-up name":   {sent: []string{"USER handclasp-no-such-user\r\n"}, pass: passDefault},
		"behind both":               {sent: []string{"USER handclasp-no-such-user\r\n", "USER anonymous\r\n"}, pass: passDefault, ok: true},
		"behind both, turned round": {sent: []string{"USER anonymous\r\n", "USER handclasp-no-such-user\r\n"}, pass: passDefault},
		"twice":                     {sent: []string{"USER anonymous\r\n", passDefault}, pass: passDefault},
		"later":                     {sent: []string{"USER anonymous\r\n", "PWD\r\n"}, pass: passDefault},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fresh(t, c.visitor, c.sent...)(probe.LevelHandshake, []byte(c.pass))
			require.Equal(t, c.ok, err == nil, "%v", err)
		})
	}
	_, err := fresh(t, visitor)(probe.LevelHandshake, []byte("USER scan.example.org-no-such-user\r\n"))
	require.NoError(t, err)
	_, err = fresh(t, visitor)(probe.LevelHandshake, []byte("USER handclasp-no-such-user\r\n"))
	require.Error(t, err)
}

func TestGuardRefuses(t *testing.T) {
	for _, plain := range forbidden {
		for _, l := range []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous} {
			_, err := fresh(t, probe.Contact{}, "USER anonymous\r\n")(l, []byte(plain))
			require.Error(t, err, "%q at level %v", plain, l)
		}
	}
}

// What the guard lets pass is one of a few lines.
func FuzzGuard(f *testing.F) {
	for _, list := range [][]string{atHandshake, atAnonymous, forbidden, {passDefault}} {
		for _, plain := range list {
			f.Add([]byte(plain))
		}
	}
	fixed := slices.Concat(atHandshake, atAnonymous, []string{passDefault})
	f.Fuzz(func(t *testing.T, plain []byte) {
		for _, l := range []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous} {
			label, err := fresh(t, probe.Contact{}, "USER anonymous\r\n")(l, plain)
			if err == nil && (l == probe.LevelGreeting || label+"\r\n" != string(plain) || !slices.Contains(fixed, string(plain))) {
				t.Fatalf("level %v: %q passed as %q", l, plain, label)
			}
		}
	})
}
