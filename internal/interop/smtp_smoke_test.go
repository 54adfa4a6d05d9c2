package interop_test

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// smtpInstances are the servers to test against; one instance may have several listeners.
var smtpInstances = []struct {
	name  string
	start func(testing.TB) []smtpServer
}{
	{"postfix", func(t testing.TB) []smtpServer {
		p := postfix(t)
		return []smtpServer{p.STARTTLS, p.Implicit, p.Postscreen}
	}},
	{"exim", func(t testing.TB) []smtpServer { return []smtpServer{exim(t, eximOptions{})} }},
	{"exim", func(t testing.TB) []smtpServer { return []smtpServer{exim(t, eximOptions{VRFY: true})} }},
	{"exim", func(t testing.TB) []smtpServer { return []smtpServer{exim(t, eximOptions{TLS: true})} }},
	{"opensmtpd", func(t testing.TB) []smtpServer {
		o := opensmtpd(t)
		return []smtpServer{o.Plain, o.STARTTLS, o.Required, o.Implicit}
	}},
	{"sendmail", func(t testing.TB) []smtpServer { return []smtpServer{sendmail(t)} }},
	{"courier", func(t testing.TB) []smtpServer { return []smtpServer{courier(t)} }},
	{"dovecot", func(t testing.TB) []smtpServer {
		d := dovecot(t)
		return []smtpServer{d.Submission, d.Implicit}
	}},
	{"chasquid", chasquid},
	{"twisted-mail", twistedMail},
	{"aiosmtpd", aiosmtpd},
	{"smtp-server", npmSMTPServer},
}

// Every server comes up and greets, before a prober is asked to make sense of it.
func TestSMTPServersGreet(t *testing.T) {
	for _, instance := range smtpInstances {
		t.Run(instance.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range instance.start(t) {
				t.Run(s.Name, func(t *testing.T) {
					c := dialServer(t, s.Addr)
					if s.Implicit {
						c.tls(t, s.TLSFails)
					}
					if s.Implicit && s.TLSFails {
						return
					}
					c.smtp(t, "", "220")
					ehlo := c.smtp(t, "EHLO [127.0.0.1]", "250")
					if strings.Contains(ehlo, "STARTTLS") != (s.Cert.Cert != "" && !s.Implicit) {
						t.Errorf("EHLO: %q", ehlo)
					}
					if strings.Contains(ehlo, "STARTTLS") {
						c.smtp(t, "STARTTLS", "220")
						c.tls(t, s.TLSFails)
						if s.TLSFails {
							return
						}
						c.smtp(t, "EHLO [127.0.0.1]", "250")
					}
					c.smtp(t, "QUIT", "221")
					t.Log(s.Version)
				})
			}
		})
	}
}

// A talk is a connection to a server, driven by hand.
type talk struct {
	net.Conn
	r *bufio.Reader
}

func dialServer(t testing.TB, addr netip.AddrPort) *talk {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr.String(), patience.Dial)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience.Total)); err != nil {
		t.Fatal(err)
	}
	return &talk{c, bufio.NewReader(c)}
}

// tls upgrades the connection; the conversation is at stake, not the chain. If it fails, the certificate must have
// been seen.
func (c *talk) tls(t testing.TB, fails bool) {
	t.Helper()
	seen := 0
	conn := tls.Client(c.Conn, &tls.Config{
		InsecureSkipVerify: true,
		VerifyConnection:   func(s tls.ConnectionState) error { seen = len(s.PeerCertificates); return nil },
	})
	err := conn.Handshake()
	if (err != nil) != fails || seen == 0 {
		t.Fatalf("handshake: %v, certificates: %d", err, seen)
	}
	c.Conn, c.r = conn, bufio.NewReader(conn)
}

// smtp sends a command, unless it is empty, and returns the reply, which must have the code.
func (c *talk) smtp(t testing.TB, command, code string) string {
	t.Helper()
	c.send(t, command)
	var reply strings.Builder
	for {
		line := c.line(t)
		reply.WriteString(line)
		if !strings.HasPrefix(line, code) {
			t.Fatalf("%s: %q", command, reply.String())
		}
		if !strings.HasPrefix(line[3:], "-") {
			return reply.String()
		}
	}
}

func (c *talk) send(t testing.TB, command string) {
	t.Helper()
	if command == "" {
		return
	}
	if _, err := c.Write([]byte(command + "\r\n")); err != nil {
		t.Fatal(err)
	}
}

func (c *talk) line(t testing.TB) string {
	t.Helper()
	line, err := c.r.ReadString('\n')
	if err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	return line
}
