package interop_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// courier offers no AUTH until it is told which.
func courier(t testing.TB) smtpServer {
	t.Helper()
	needRoot(t)
	bin := need(t, "usr/sbin/couriertcpd", "usr/lib/courier/courier/modules/esmtp/courieresmtpd", "usr/bin/couriertls")
	root := privateRoot(bin[0])
	cert, addr, etc := makeCert(t, certOptions{}), smtpAddrs(t, 1)[0], privateEtc(t)
	pem := string(must(os.ReadFile(cert.Cert))) + string(must(os.ReadFile(cert.Key)))
	writeFile(t, filepath.Join(etc, "courier", "esmtpd.pem"), pem, 0o600)
	writeFile(t, filepath.Join(etc, "courier", "me"), "mx.courier.test\n", 0o644)
	start(t, inNamespace(t, process{
		Path: bin[0],
		Args: []string{"-nodnslookup", "-noidentlookup", "-address=127.0.0.1", "-maxprocs=200", "-maxperip=200", strconv.Itoa(int(addr.Port())),
			"/usr/lib/courier/courier/modules/esmtp/courieresmtpd"},
		Env: []string{
			"LD_LIBRARY_PATH=" + filepath.Join(root, "usr/lib/courier-authlib") + ":" + filepath.Join(root, "usr/lib"),
			"ESMTPAUTH=LOGIN PLAIN", "BOFHNOEXPN=1", "BOFHNOVRFY=1", "TARPIT=0",
			"COURIERTLS=" + bin[2], "TLS_CERTFILE=/etc/courier/esmtpd.pem", "TLS_VERIFYPEER=NONE", "TLS_TRUSTCERTS=/etc/courier",
		},
		Listen: addr,
	}, bind{etc, "/etc"}, bind{filepath.Join(root, "usr/lib/courier"), "/usr/lib/courier"}))
	return smtpServer{Name: "STARTTLS", Addr: addr, Version: version(t, "courier-mta"), Cert: cert}
}
