package interop_test

import (
	"cmp"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/probe"
)

// A softwareFact is what a server's banners must be recognised as, by its package.
type softwareFact struct {
	vendor, product string
	versioned       bool   // it tells its version
	apart           bool   // but not in its CPE name, which is that of something larger
	cpe             string // up to the version
	update          string // what begins the part of a version that is a field of its own in CPE names
	source          string // "" is the greeting
	debian          string // whether it names the operating system: "release" with its number and the package's revision, "name" without
}

var softwareFacts = map[string]softwareFact{
	"vsftpd":         {vendor: "vsftpd", product: "vsftpd", versioned: true, cpe: "cpe:2.3:a:vsftpd_project:vsftpd"},
	"proftpd":        {vendor: "ProFTPD", product: "ProFTPD", cpe: "cpe:2.3:a:proftpd:proftpd"},
	"pure-ftpd":      {vendor: "Pure-FTPd", product: "Pure-FTPd", cpe: "cpe:2.3:a:pureftpd:pure-ftpd"},
	"pyftpdlib":      {vendor: "Giampaolo Rodola", product: "pyftpdlib", versioned: true, cpe: "cpe:2.3:a:pyftpdlib_project:pyftpdlib"},
	"twisted-ftp":    {vendor: "Twisted", product: "Twisted FTP", versioned: true, cpe: "cpe:2.3:a:twisted:twisted"},
	"ftp-srv":        {}, // greets with words that others might use
	"inetutils-ftpd": {vendor: "GNU", product: "inetutils ftpd", versioned: true, cpe: "cpe:2.3:a:gnu:inetutils"},
	"postfix":        {vendor: "Postfix", product: "Postfix", cpe: "cpe:2.3:a:postfix:postfix"},
	"exim":           {vendor: "Exim", product: "Exim", versioned: true, cpe: "cpe:2.3:a:exim:exim"},
	"opensmtpd":      {vendor: "OpenBSD", product: "OpenSMTPD", cpe: "cpe:2.3:a:openbsd:opensmtpd"},
	"sendmail":       {vendor: "Sendmail", product: "Sendmail", versioned: true, cpe: "cpe:2.3:a:sendmail:sendmail", debian: "release"},
	"courier":        {vendor: "Courier", product: "Courier Mail Server", cpe: "cpe:2.3:a:courier-mta:courier", source: "ehlo"},
	"dovecot":        {vendor: "Dovecot", product: "Dovecot", cpe: "cpe:2.3:a:dovecot:dovecot", debian: "name"},
	"chasquid":       {vendor: "chasquid", product: "chasquid"},
	"twisted-mail":   {vendor: "Twisted", product: "Twisted Mail", cpe: "cpe:2.3:a:twisted:twisted"},
	"aiosmtpd":       {vendor: "aiosmtpd", product: "aiosmtpd", versioned: true, cpe: "cpe:2.3:a:aio-libs_project:aiosmtpd"},
	"smtp-server":    {vendor: "Nodemailer", product: "smtp-server", source: "ehlo"},
	"inn2":           {vendor: "ISC", product: "INN", versioned: true, cpe: "cpe:2.3:a:isc:inn"},
	"leafnode":       {vendor: "Leafnode", product: "Leafnode", versioned: true, cpe: "cpe:2.3:a:leafnode:leafnode"},
	"sn":             {vendor: "Patrik Rådman", product: "sn", versioned: true},
	"openssh-server": {
		vendor: "OpenBSD", product: "OpenSSH", versioned: true, cpe: "cpe:2.3:a:openbsd:openssh", update: "p",
		source: "identification", debian: "release",
	},
	"dropbear-bin": {
		vendor: "Dropbear", product: "Dropbear", versioned: true, cpe: "cpe:2.3:a:dropbear_ssh_project:dropbear_ssh",
		source: "identification",
	},
	"mod_sftp": {vendor: "ProFTPD", product: "ProFTPD", cpe: "cpe:2.3:a:proftpd:proftpd", source: "identification"},
	"asyncssh": {vendor: "AsyncSSH", product: "AsyncSSH", versioned: true, cpe: "cpe:2.3:a:asyncssh_project:asyncssh", source: "identification"},
	"paramiko": {vendor: "Paramiko", product: "Paramiko", versioned: true, cpe: "cpe:2.3:a:paramiko:paramiko", source: "identification"},
	"erlang-ssh": {
		vendor: "Erlang", product: "Erlang/OTP SSH", versioned: true, apart: true, cpe: `cpe:2.3:a:erlang:erlang\/otp`, source: "identification",
	},
	"gliderlabs":  {vendor: "Go", product: "x/crypto/ssh", source: "identification"},
	"nntp-server": {}, // greets with words that others might use
	"tinysshd":    {vendor: "TinySSH", product: "TinySSH", versioned: true, source: "identification"},
	"rsync":       {vendor: "Samba", product: "rsync", cpe: "cpe:2.3:a:samba:rsync"},
	// Its native LAN manager if SMB1 is spoken, and else nothing but a version of Windows that never was.
	"samba-smb1": {
		vendor: "Samba", product: "Samba", versioned: true, cpe: "cpe:2.3:a:samba:samba",
		source: "smb1/native_lm", debian: "name",
	},
	"samba": {vendor: "Samba", product: "Samba", cpe: "cpe:2.3:a:samba:samba", source: "ntlm"},
}

// requireSoftware checks the product and the version against the version of the package that was installed, and that
// nothing else is recognised.
func requireSoftware(t *testing.T, r *probe.Result, server, installed string) {
	t.Helper()
	want, ok := softwareFacts[server]
	require.True(t, ok, server)
	if want == (softwareFact{}) {
		requireNoSoftware(t, r)
		return
	}
	s := probe.Software{Vendor: want.vendor, Product: want.product, Source: cmp.Or(want.source, "greeting")}
	inCPE := "*"
	if want.versioned {
		s.Version = strings.TrimSuffix(upstream(installed), "+dfsg")
		if !want.apart {
			inCPE = s.Version
		}
	}
	stars := 7
	if base, update, ok := strings.Cut(inCPE, want.update); ok && want.update != "" {
		inCPE = base + ":" + want.update + update
		stars--
	}
	if want.cpe != "" {
		s.CPE = want.cpe + ":" + inCPE + strings.Repeat(":*", stars)
	}
	release := ""
	if want.debian != "" {
		s.Distribution = "Debian"
		if want.debian == "release" {
			s.PackageRevision = installed[strings.LastIndexByte(installed, '-')+1:]
			release = regexp.MustCompile(`\+deb(\d+)u`).FindStringSubmatch(installed)[1]
		}
	}
	list := []probe.Software{s}
	if want.debian != "" {
		list = append(list, probe.Software{
			Vendor: "Debian", Product: "Debian Linux", Version: release,
			CPE: "cpe:2.3:o:debian:debian_linux:" + cmp.Or(release, "*") + strings.Repeat(":*", 7), Source: s.Source,
		})
	}
	require.Equal(t, list, fingerprint.Builtin().Software(r))
}

// requireNoSoftware checks that nothing is recognised.
func requireNoSoftware(t *testing.T, r *probe.Result) {
	t.Helper()
	require.Empty(t, fingerprint.Builtin().Software(r))
}
