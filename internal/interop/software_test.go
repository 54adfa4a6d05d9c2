package interop_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/probe"
)

// What a server's banners must be recognised as, by its package. Servers that don't tell their version have none.
var softwareFacts = map[string]struct {
	vendor, product string
	versioned       bool
	cpe             string // up to the version
}{
	"vsftpd":    {"vsftpd", "vsftpd", true, "cpe:2.3:a:vsftpd_project:vsftpd"},
	"proftpd":   {"ProFTPD", "ProFTPD", false, "cpe:2.3:a:proftpd:proftpd"},
	"pure-ftpd": {"Pure-FTPd", "Pure-FTPd", false, "cpe:2.3:a:pureftpd:pure-ftpd"},
	"postfix":   {"Postfix", "Postfix", false, "cpe:2.3:a:postfix:postfix"},
	"exim":      {"Exim", "Exim", true, "cpe:2.3:a:exim:exim"},
	"opensmtpd": {"OpenBSD", "OpenSMTPD", false, "cpe:2.3:a:openbsd:opensmtpd"},
	"inn2":      {"ISC", "INN", true, "cpe:2.3:a:isc:inn"},
	"leafnode":  {"Leafnode", "Leafnode", true, "cpe:2.3:a:leafnode:leafnode"},
	"sn":        {"Patrik Rådman", "sn", true, ""},
}

// requireSoftware checks the product and the version against the version of the package that was installed.
func requireSoftware(t *testing.T, r *probe.Result, server, installed string) {
	t.Helper()
	want, ok := softwareFacts[server]
	require.True(t, ok, server)
	version, cpeVersion := "", "*"
	if want.versioned {
		version = upstream(installed)
		cpeVersion = version
	}
	cpe := ""
	if want.cpe != "" {
		cpe = want.cpe + ":" + cpeVersion + strings.Repeat(":*", 7)
	}
	require.Equal(t, []probe.Software{
		{Vendor: want.vendor, Product: want.product, Version: version, CPE: cpe, Source: "greeting"},
	}, fingerprint.Builtin().Software(r))
}
