package smtp

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/ntlmssp"
	"github.com/handclasp/handclasp/probe"
)

func TestGuardAllows(t *testing.T) {
	for plain, want := range map[string]string{
		"EHLO [127.0.0.1]\r\n":            "EHLO",
		"HELO [127.0.0.1]\r\n":            "HELO",
		"STARTTLS\r\n":                    "STARTTLS",
		"QUIT\r\n":                        "QUIT",
		"AUTH NTLM " + negotiate + "\r\n": "AUTH NTLM",
		"AUTH NTLM\r\n":                   "AUTH NTLM",
	} {
		for _, level := range []probe.Level{probe.LevelHandshake, probe.LevelAnonymous} {
			for _, p := range []Prober{{}, everyKnob} {
				label, err := p.Spec().NewGuard(probe.Contact{})(level, []byte(plain))
				require.NoError(t, err, "%q", plain)
				require.Equal(t, want, label)
			}
		}
		_, err := everyKnob.newGuard(probe.Contact{})(probe.LevelGreeting, []byte(plain))
		require.Error(t, err, "%q", plain)
	}
}

// everyKnob may send the most.
var everyKnob = Prober{Injection: true, Verify: true}

// The argument of EHLO is the visitor's name, and no other.
func TestGuardKnowsTheVisitor(t *testing.T) {
	scanner := Prober{}.newGuard(probe.Contact{Host: "scan.example.org"})
	for plain, good := range map[string]bool{
		"EHLO scan.example.org\r\n": true, "HELO scan.example.org\r\n": true,
		"EHLO [127.0.0.1]\r\n": false, "EHLO scan.example.com\r\n": false, "EHLO scan.example.org x\r\n": false,
	} {
		_, err := scanner(probe.LevelHandshake, []byte(plain))
		require.Equal(t, good, err == nil, "%q: %v", plain, err)
	}
	// What a session refuses as a name doesn't pass either.
	_, err := Prober{}.newGuard(probe.Contact{Host: "x SIZE=1"})(probe.LevelHandshake, []byte("EHLO x SIZE=1\r\n"))
	require.Error(t, err)
}

// What belongs to a login passes once one has begun, and until it is cancelled.
func TestGuardOfALogin(t *testing.T) {
	for _, auth := range []string{"AUTH NTLM\r\n", "AUTH NTLM " + negotiate + "\r\n"} {
		guard := Prober{}.newGuard(probe.Contact{})
		for _, step := range []struct {
			plain, label string
		}{{"*\r\n", ""}, {negotiate + "\r\n", ""}, {auth, "AUTH NTLM"}, {negotiate + "\r\n", "NTLM negotiate"}, {"*\r\n", "cancel AUTH"},
			{"*\r\n", ""}, {negotiate + "\r\n", ""}} {
			label, err := guard(probe.LevelHandshake, []byte(step.plain))
			require.Equal(t, step.label, label, "%q", step.plain)
			require.Equal(t, step.label == "", err != nil)
		}
	}
}

// A knob allows its own commands, and no other does.
func TestGuardAllowsByKnob(t *testing.T) {
	for plain, test := range map[string]struct {
		label string
		with  Prober
	}{
		"STARTTLS\r\nNOOP\r\n":                     {"STARTTLS with NOOP behind it", Prober{Injection: true}},
		"VRFY abcdefghijklmnop\r\n":                {"VRFY of a random name", Prober{Verify: true}},
		"VRFY abcdefghijklmnop@mx.example.com\r\n": {"VRFY of a random name", Prober{Verify: true}},
	} {
		without := Prober{Injection: !test.with.Injection, Verify: !test.with.Verify}
		for _, level := range []probe.Level{probe.LevelHandshake, probe.LevelAnonymous} {
			label, err := test.with.Spec().NewGuard(probe.Contact{})(level, []byte(plain))
			require.NoError(t, err, "%q", plain)
			require.Equal(t, test.label, label)
			for _, p := range []Prober{{}, without} {
				label, err := p.Spec().NewGuard(probe.Contact{})(level, []byte(plain))
				require.Error(t, err, "%q with %+v", plain, p)
				require.Empty(t, label)
			}
		}
		_, err := everyKnob.Spec().NewGuard(probe.Contact{})(probe.LevelGreeting, []byte(plain))
		require.Error(t, err, "%q", plain)
	}
}

func TestGuardRefuses(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	authenticate := ntlmssp.Negotiate()
	authenticate[8] = 3
	long := append(ntlmssp.Negotiate(), "CORP"...)
	named := ntlmssp.Negotiate()
	named[16], named[18] = 4, 4

	refused := []string{
		"", "\r\n", " \r\n", "\n",
		// Mail.
		"MAIL FROM:<>\r\n", "MAIL FROM:<a@example.com> SIZE=1\r\n", "RCPT TO:<postmaster@example.com>\r\n", "RCPT TO:<a>\r\n",
		"DATA\r\n", "BDAT 10 LAST\r\n", "BURL imap://x LAST\r\n", ".\r\n", "SEND FROM:<a@b>\r\n", "SOML FROM:<a@b>\r\n", "SAML FROM:<a@b>\r\n",
		// Logins.
		"AUTH PLAIN\r\n", "AUTH PLAIN AHVzZXIAcGFzcw==\r\n", "AUTH LOGIN\r\n", "AUTH LOGIN dXNlcg==\r\n", "AUTH CRAM-MD5\r\n",
		"AUTH DIGEST-MD5\r\n", "AUTH GSSAPI\r\n", "AUTH XOAUTH2 dXNlcg==\r\n", "AUTH ANONYMOUS dXNlcg==\r\n", "AUTH EXTERNAL =\r\n",
		"AUTH NTLM \r\n", "AUTH NTLM x\r\n", "AUTH\r\n", "*\r\n", negotiate + "\r\n", "AUTH \r\n", "AUTH NTLM " + b64(authenticate) + "\r\n", "AUTH NTLM " + b64(long) + "\r\n",
		"AUTH NTLM " + b64(named) + "\r\n", "AUTH PLAIN " + b64(ntlmssp.Negotiate()) + "\r\n",
		"AUTH NTLM " + b64(ntlmssp.Negotiate()) + " x\r\n", "AUTH NTLM  " + b64(ntlmssp.Negotiate()) + "\r\n",
		"AUTH NTLM " + strings.TrimRight(b64(ntlmssp.Negotiate()), "=") + "\r\n",
		b64(authenticate) + "\r\n", b64(named) + "\r\n", b64(long) + "\r\n", "dXNlcg==\r\n", "AHVzZXIAcGFzcw==\r\n", "=\r\n", "*x\r\n", "* \r\n",
		// Names.
		"VRFY\r\n", "VRFY root\r\n", "VRFY postmaster\r\n", "VRFY postmaster@example.com\r\n", "VRFY abcdefghijklmno\r\n",
		"VRFY abcdefghijklmnopq\r\n", "VRFY Abcdefghijklmnop\r\n", "VRFY abcdefghijklmno1\r\n", "VRFY <bcdefghijklmno>\r\n",
		"VRFY abcdefgh@ample.c\r\n", "VRFY  abcdefghijklmnop\r\n", "VRFY abcdefghijklmnop@\r\n", "VRFY abcdefghijklmnop@a@b\r\n", "VRFY @mx.example.com\r\n",
		"VRFY abcdefghijklmnop@a b\r\n", "VRFY postmaster@abcdefghijklmnop\r\n", "VRFY abcdefghijklmnop \r\n",
		"EXPN staff\r\n", "EXPN abcdefghijklmnop\r\n",
		// Others.
		"ETRN example.com\r\n", "ATRN\r\n", "TURN\r\n", "RSET\r\n", "HELP\r\n", "NOOP\r\n", "XCLIENT ADDR=192.0.2.1\r\n", "XFORWARD NAME=x\r\n",
		"STARTTLS now\r\n", "QUIT now\r\n", "STARTTLS \r\n", "LHLO x\r\n", "GET / HTTP/1.1\r\n", "USER anonymous\r\n",
		// Introductions.
		"EHLO\r\n", "EHLO \r\n", "EHLO  x\r\n", "EHLO x y\r\n", "EHLO x SIZE=1\r\n", "EHLO .\r\n", "EHLO x.\r\n", "EHLO .x\r\n", "EHLO a..b\r\n", "EHLO -x\r\n",
		"EHLO x-\r\n", "EHLO []\r\n", "EHLO [\r\n", "EHLO [x]\r\n", "EHLO [::1]\r\n", "EHLO [IPv6:127.0.0.1]\r\n", "EHLO [IPv6:fe80::1%eth0]\r\n",
		"EHLO [127.0.0.1\r\n", "EHLO 127.0.0.1]\r\n", "EHLO x\x00\r\n", "EHLO x\ty\r\n", "EHLO \xff\r\n", "EHLO ümlaut\r\n", "EHLO a_b\r\n",
		"EHLO $(id)\r\n", "EHLO " + strings.Repeat("a", 256) + "\r\n", "EHLO " + strings.Repeat("a.", 300) + "a\r\n",
		// Lower and mixed case: what isn't sent needn't pass.
		"ehlo x\r\n", "quit\r\n", "StartTLS\r\n", "mail from:<>\r\n", "rcpt to:<a>\r\n", "data\r\n", "vrfy abcdefghijklmnop\r\n", "auth ntlm x\r\n",
		// Line endings and stowaways.
		"QUIT", "QUIT\n", "QUIT\r", "QUIT\n\r", "QUIT\r\n\r\n", " QUIT\r\n", "\r\nQUIT\r\n", "QUIT\x00\r\n", "QUIT\rDATA\r\n", "QUIT\nDATA\r\n",
		"EHLO x\r\nMAIL FROM:<>\r\n", "EHLO x\nMAIL FROM:<>\r\n", "EHLO x\rMAIL FROM:<>\r\n", "QUIT\r\nQUIT\r\n", "STARTTLS\r\nQUIT\r\n",
		"STARTTLS\r\nRSET\r\n", "STARTTLS\r\nNOOP\r\nNOOP\r\n", "STARTTLS\r\nNOOP\r\nDATA\r\n", "STARTTLS\r\nMAIL FROM:<>\r\n", "STARTTLS\nNOOP\n",
		"STARTTLS\r\nNOOP x\r\n", "starttls\r\nnoop\r\n", "STARTTLS\r\nNOOP", "*\r\nDATA\r\n", "VRFY abcdefghijklmnop\r\nDATA\r\n",
	}
	for _, plain := range refused {
		for _, level := range []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous} {
			label, err := everyKnob.newGuard(probe.Contact{})(level, []byte(plain))
			require.Error(t, err, "%q", plain)
			require.Empty(t, label)
		}
	}
}
