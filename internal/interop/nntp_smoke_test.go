package interop_test

import (
	"strings"
	"testing"
)

// nntpServers are the servers to test against, by name, and their first answers.
var nntpServers = []struct {
	name                        string
	start                       func(testing.TB) nntpServer
	greeting, capabilities, tls string // codes; "" ends the conversation before
	group                       string
}{
	{"nnrpd, open", nnrpdOpen, "201", "101", "382", "411"},
	{"nnrpd, login", nnrpdLogin, "200", "101", "382", "480"},
	{"nnrpd, login within TLS", nnrpdSecureLogin, "200", "101", "382", "480"},
	{"nnrpd, implicit TLS", nnrpdImplicitTLS, "201", "101", "502", "411"},
	{"nnrpd, no certificate", nnrpdNoCertificate, "201", "101", "580", "411"},
	{"nnrpd, refusing", nnrpdRefusing, "502", "", "", ""},
	{"nnrpd, unavailable", nnrpdUnavailable, "400", "", "", ""},
	{"nnrpd, unavailable, in cleartext", nnrpdUnavailableTLS, "400", "", "", ""},
	{"innd", innd, "200", "101", "401", "401"},
	{"leafnode", leafnode, "200", "500", "500", "411"},
	{"sn", sn, "201", "500", "500", "411"},
}

// Every server comes up and greets, before a prober is asked to make sense of it.
func TestNNTPServersGreet(t *testing.T) {
	for _, s := range nntpServers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			server := s.start(t)
			c := dialServer(t, server.Addr)
			if server.Implicit {
				c.tls(t, false)
			}
			c.nntp(t, "", s.greeting)
			if s.capabilities == "" {
				return
			}
			c.nntp(t, "CAPABILITIES", s.capabilities)
			c.nntp(t, "STARTTLS", s.tls)
			if s.tls == "382" {
				c.tls(t, false)
				c.nntp(t, "CAPABILITIES", s.capabilities)
			}
			c.nntp(t, "GROUP lab.absent", s.group)
			c.nntp(t, "QUIT", "205")
			t.Log(server.Version)
		})
	}
}

// nntp sends a command, unless it is empty, and reads the answer, which must have the code.
func (c *talk) nntp(t testing.TB, command, code string) {
	t.Helper()
	c.send(t, command)
	line := c.line(t)
	if !strings.HasPrefix(line, code+" ") {
		t.Fatalf("%s: %q", command, line)
	}
	for code == "101" && line != ".\r\n" {
		line = c.line(t)
	}
}
