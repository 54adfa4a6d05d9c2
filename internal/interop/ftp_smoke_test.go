package interop_test

import (
	"bufio"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"
)

// ftpServers are the servers to test against, by name.
var ftpServers = []struct {
	name     string
	start    func(testing.TB) ftpServer
	implicit bool
}{
	{"vsftpd, anonymous", vsftpdAnonymous, false},
	{"vsftpd, anonymous, IPv6", vsftpdAnonymousIPv6, false},
	{"vsftpd, TLS required", vsftpdTLSRequired, false},
	{"vsftpd, anonymous without TLS, others within", vsftpdMixed, false},
	{"vsftpd, broken anonymous root", vsftpdBroken, false},
	{"vsftpd, implicit TLS", vsftpdImplicitTLS, true},
	{"proftpd, TLS and anonymous", proftpd, false},
	{"pure-ftpd, anonymous", pureFTPd, false},
	{"pure-ftpd, TLS required", pureFTPdTLS, false},
}

// Every server comes up and greets, before a prober is asked to make sense of it.
func TestFTPServersGreet(t *testing.T) {
	for _, s := range ftpServers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			server := s.start(t)
			c, err := net.DialTimeout("tcp", server.Addr.String(), patience.Dial)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if s.implicit {
				c = tls.Client(c, &tls.Config{InsecureSkipVerify: true}) // the greeting is at stake, not the chain
			}
			if err := c.SetDeadline(time.Now().Add(patience.Total)); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %q", server.Version, line)
			if !strings.HasPrefix(line, "220") {
				t.Errorf("greeting %q", line)
			}
		})
	}
}
