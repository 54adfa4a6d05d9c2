package lab_test

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/lab"
)

func TestCleartextMail(t *testing.T) {
	s, err := lab.CleartextMail(t.Context())
	c := dial(t, must(t, s, err))
	c.expect("220 mail.lab.test ESMTP Service Ready")
	hello := c.block("EHLO client.test", 250)
	require.Contains(t, hello, "\nAUTH PLAIN LOGIN\n")
	require.NotContains(t, hello, "STARTTLS")
	c.say("STARTTLS", "502 5.5.1 TLS not supported")
	c.say("AUTH PLAIN AHVzZXIAc2VjcmV0", "535 5.7.8 Authentication failed")
	c.say("MAIL FROM:<a@client.test>", "550 5.7.1 This server takes no mail")
	c.say("QUIT", "221 2.0.0 Bye")
	c.closed()
}

func TestMail(t *testing.T) {
	ca := authority(t)
	s, err := lab.Mail(t.Context(), ca)
	c := dial(t, must(t, s, err))
	c.expect("220 mx.lab.test ESMTP Service Ready")
	hello := c.block("EHLO client.test", 250)
	require.Contains(t, hello, "\nSTARTTLS\n")
	require.NotContains(t, hello, "AUTH")
	c.say("AUTH PLAIN", "523 5.7.10 TLS is required")
	c.say("STARTTLS", "220 2.0.0 Ready to start TLS")
	c.startTLS(&tls.Config{RootCAs: ca.Pool(), ServerName: "mx.lab.test"})
	require.Contains(t, c.block("EHLO client.test", 250), "\nAUTH PLAIN LOGIN\n")
	c.say("QUIT", "221 2.0.0 Bye")
}
