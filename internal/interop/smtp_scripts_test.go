package interop_test

import (
	"net/netip"
	"strconv"
	"testing"
)

// twistedMail has both: what a library's example has, and STARTTLS.
func twistedMail(t testing.TB) []smtpServer {
	t.Helper()
	cert := makeCert(t, certOptions{})
	plain, release := python(t, "smtp_twisted.py", "python3-twisted")
	secure, _ := python(t, "smtp_twisted.py", "python3-twisted", cert.Cert, cert.Key)
	return []smtpServer{
		{Name: "cleartext", Addr: plain, Version: release},
		{Name: "STARTTLS", Addr: secure, Version: release, Cert: cert},
	}
}

// aiosmtpd offers AUTH inside TLS alone.
func aiosmtpd(t testing.TB) []smtpServer {
	t.Helper()
	cert := makeCert(t, certOptions{})
	plain, release := python(t, "smtp_aiosmtpd.py", "python3-aiosmtpd", "smtp")
	secure, _ := python(t, "smtp_aiosmtpd.py", "python3-aiosmtpd", "smtp", cert.Cert, cert.Key)
	return []smtpServer{
		{Name: "cleartext", Addr: plain, Version: release},
		{Name: "STARTTLS", Addr: secure, Version: release, Cert: cert},
	}
}

// npmSMTPServer is npm's smtp-server.
func npmSMTPServer(t testing.TB) []smtpServer {
	t.Helper()
	cert := makeCert(t, certOptions{})
	implicit := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	addr, release := node(t, "smtp_server.js", "smtp-server", strconv.Itoa(int(implicit.Port())), cert.Cert, cert.Key)
	return []smtpServer{
		{Name: "STARTTLS", Addr: addr, Version: release, Cert: cert},
		{Name: "implicit TLS", Addr: implicit, Version: release, Cert: cert, Implicit: true},
	}
}
