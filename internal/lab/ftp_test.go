package lab_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/lab"
)

func TestAnonymousFTP(t *testing.T) {
	s, err := lab.AnonymousFTP(t.Context())
	c := dial(t, must(t, s, err))
	c.expect("220 files.lab.test FTP server ready")
	c.say("AUTH TLS", "550 Cannot get a TLS config: no certificate is configured")
	c.say("USER anonymous", "331 OK")
	c.say("PASS guest@", "230 Password ok, continue")
	c.say("PWD", `257 "/" is the current directory`)
	require.NotContains(t, c.block("FEAT", 211), "TLS")

	c.say("DELE /README", "550 Couldn't delete /README: operation not permitted")
	c.say("MKD /incoming/x", `550 Could not create "/incoming/x" : operation not permitted`)
	require.Equal(t, []string{
		"-rw-r--r-- 1 ftp ftp           53 Mar 14  2020 README",
		"-rw-r--r-- 1 ftp ftp           22 Mar 14  2020 backup-2019.tar.gz",
		"drwxrwxrwx 1 ftp ftp           42 Mar 14  2020 incoming",
		"drwxr-xr-x 1 ftp ftp           42 Mar 14  2020 pub",
	}, list(c))
	c.say("QUIT", "221 Goodbye")
	c.closed()
}

// list lists the root over a data connection.
func list(c *client) []string {
	c.t.Helper()
	var port int
	text := c.block("EPSV", 229)
	_, err := fmt.Sscanf(text[strings.Index(text, "("):], "(|||%d|)", &port)
	require.NoError(c.t, err)
	data, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	require.NoError(c.t, err)
	defer data.Close()
	c.say("LIST", "150 Using transfer connection")
	b, err := io.ReadAll(data)
	require.NoError(c.t, err)
	c.expect("226 Closing transfer connection")
	return strings.Split(strings.TrimSpace(string(b)), "\r\n")
}

func TestLoginRefused(t *testing.T) {
	s, err := lab.AnonymousFTP(t.Context())
	c := dial(t, must(t, s, err))
	c.expect("220 files.lab.test FTP server ready")
	c.say("USER somebody", "331 OK")
	c.say("PASS secret", "530 Authentication error: login incorrect")
	c.closed()
}

func TestExpiredFTP(t *testing.T) {
	ca := authority(t)
	s, err := lab.ExpiredFTP(t.Context(), ca)
	s = must(t, s, err)

	c := dial(t, s)
	c.expect("220 ProFTPD 1.3.5 Server (old.lab.test)")
	c.say("USER anonymous", "421 TLS is required")
	c.closed()

	c = dial(t, s)
	c.expect("220 ProFTPD 1.3.5 Server (old.lab.test)")
	require.Contains(t, c.block("FEAT", 211), "AUTH TLS")
	c.say("AUTH TLS", "234 AUTH command ok. Expecting TLS Negotiation.")
	then := func() time.Time { return lab.ExpiredOn }
	state := c.startTLS(&tls.Config{RootCAs: ca.Pool(), ServerName: "127.0.0.1", Time: then})
	require.Equal(t, lab.ExpiredOn, state.PeerCertificates[0].NotAfter)
	c.say("PBSZ 0", "200 Whatever")
	c.say("USER anonymous", "331 OK")
	c.say("PASS guest@", "530 Authentication error: login incorrect")

	c = dial(t, s)
	c.expect("220 ProFTPD 1.3.5 Server (old.lab.test)")
	c.say("AUTH TLS", "234 AUTH command ok. Expecting TLS Negotiation.")
	err = tls.Client(c.conn, &tls.Config{RootCAs: ca.Pool(), ServerName: "127.0.0.1"}).Handshake()
	require.ErrorContains(t, err, "expired")
}

func TestImplicitFTP(t *testing.T) {
	ca := authority(t)
	s, err := lab.ImplicitFTP(t.Context(), ca)
	c := dial(t, must(t, s, err))
	c.startTLS(&tls.Config{RootCAs: ca.Pool(), ServerName: "safe.lab.test"})
	c.expect("220 safe.lab.test FTP server ready")
	c.say("PROT P", "200 OK")
	c.say("USER anonymous", "331 OK")
	c.say("PASS guest@", "530 Authentication error: login incorrect")
	c.closed()
}

func TestLeakyFTP(t *testing.T) {
	s, err := lab.LeakyFTP(t.Context())
	c := dial(t, must(t, s, err))
	c.expect("220 inner.lab.test FTP server ready")
	c.say("USER anonymous", "331 OK")
	c.say("PASS guest@", "230 Password ok, continue")
	require.Contains(t, c.block("PASV", 227), "("+strings.ReplaceAll(lab.LeakedAddress, ".", ",")+",")
	require.Len(t, list(c), 3)
}

// A client that announces a transfer and doesn't come doesn't hold up the end.
func TestPassiveEnds(t *testing.T) {
	s, err := lab.AnonymousFTP(t.Context())
	require.NoError(t, err)
	c := dial(t, s)
	c.expect("220 files.lab.test FTP server ready")
	c.say("USER anonymous", "331 OK")
	c.say("PASS guest@", "230 Password ok, continue")
	c.block("EPSV", 229)
	require.NoError(t, c.PrintfLine("LIST"))
	time.Sleep(20 * time.Millisecond)
	begin := time.Now()
	require.NoError(t, s.Close())
	require.Less(t, time.Since(begin), 3*time.Second)
}
