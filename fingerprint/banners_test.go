package fingerprint_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/fingerprint"
)

// What servers say, and what the first entry names: testdata/banners.tsv has the kind, the text with \n for its line ends,
// the product, the version, the CPE name without what it leaves open, and where the form of the text is known from.
func TestBanners(t *testing.T) {
	text, err := os.ReadFile("testdata/banners.tsv")
	require.NoError(t, err)
	rows := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	require.GreaterOrEqual(t, len(rows), 300)
	seen := map[string]bool{}
	for _, row := range rows {
		c := strings.Split(row, "\t")
		require.Len(t, c, 6, row)
		kind, banner, source := c[0], strings.ReplaceAll(c[1], `\n`, "\n"), c[5]
		require.NotEmpty(t, source, row)
		require.False(t, seen[kind+banner], row)
		seen[kind+banner] = true
		m, ok := fingerprint.Builtin().Match(kind, banner)
		require.True(t, ok, row)
		list := m.Software("greeting")
		require.NotEmpty(t, list, row)
		require.Equal(t, c[2:5], []string{list[0].Product, list[0].Version, strings.TrimRight(list[0].CPE, ":*")}, row)
	}
}

// Whose package it is, which revision, and which system that makes.
func TestPackages(t *testing.T) {
	for _, c := range []struct{ kind, text, distribution, revision, system string }{
		{"ssh.banner", "OpenSSH_9.2p1 Debian-2+deb12u5", "Debian", "2+deb12u5", "Debian Linux 12"},
		{"ssh.banner", "OpenSSH_9.9p1 Debian-3", "Debian", "3", "Debian Linux "},
		{"ssh.banner", "OpenSSH_4.3p2 Debian-9etch3", "Debian", "9etch3", "Debian Linux 4"},
		{"ssh.banner", "OpenSSH_6.6.1p1 Debian-4~bpo70+1", "Debian", "4~bpo70+1", "Debian Linux 7"},
		{"ssh.banner", "OpenSSH_5.1p1 Debian-5ubuntu1", "Ubuntu", "5ubuntu1", "Ubuntu Linux 9.04"},
		{"ssh.banner", "OpenSSH_8.9p1 Ubuntu-3ubuntu0.10", "Ubuntu", "3ubuntu0.10", "Ubuntu Linux 22.04"},
		{"ssh.banner", "OpenSSH_10.2p1 Ubuntu-2ubuntu3", "Ubuntu", "2ubuntu3", "Ubuntu Linux 26.04"},
		{"ssh.banner", "OpenSSH_7.9p1 Raspbian-10+deb10u2+rpt1", "Raspberry Pi OS", "10+deb10u2+rpt1", "Raspberry Pi OS 10"},
		{"ssh.banner", "OpenSSH_9.7 FreeBSD-20240806", "FreeBSD", "20240806", "FreeBSD "},
		{"ssh.banner", "OpenSSH_9.8 NetBSD_Secure_Shell-20240701-hpn13v14-lpk", "NetBSD", "20240701", "NetBSD "},
		{"smtp.banner", "mx ESMTP Sendmail 8.17.1.9/8.17.1.9/Debian-2+deb12u2; Mon, 2 Jan 2023", "Debian", "2+deb12u2", "Debian Linux 12"},
		{"smtp.banner", "mx ESMTP Postfix (Ubuntu)", "Ubuntu", "", "Ubuntu Linux "},
		{"nntp.banner", "news Cyrus NNTP 3.6.1-Debian-3.6.1-4+deb12u3 server ready, posting allowed", "Debian", "4+deb12u3", "Debian Linux 12"},
		{"ftp.banner", "ProFTPD Server (Debian) [192.0.2.7]", "Debian", "", "Debian Linux "},
		{"smb.native_lm", "Samba 4.22.4-Debian-4.22.4+dfsg-1~deb13u1", "Debian", "1~deb13u1", "Debian Linux 13"},
		{"smb.native_lm", "Samba 3.6.23-51.el6", "Enterprise Linux", "51.el6", ""},
		{"smb.native_lm", "Samba 4.17.12", "", "", ""},
		{"ssh.banner", "OpenSSH_8.3 PKIX[12.5.1]", "", "", ""},
	} {
		m, ok := fingerprint.Builtin().Match(c.kind, c.text)
		require.True(t, ok, c.text)
		list := m.Software("greeting")
		require.Equal(t, []string{c.distribution, c.revision}, []string{list[0].Distribution, list[0].PackageRevision}, c.text)
		system := ""
		if len(list) > 1 {
			system = list[1].Product + " " + list[1].Version
			require.Empty(t, list[1].Distribution+list[1].PackageRevision, "they are the package's")
		}
		require.Equal(t, c.system, system, c.text)
	}
}

// A set of fingerprints that splits the text as Recog does needs none of its own for packages.
func TestPackageBesideAnotherSet(t *testing.T) {
	db := load(t, `<fingerprint pattern="^OpenSSH_(\S+) (.*)$"><param pos="0" name="service.product" value="OpenSSH"/>
		<param pos="1" name="service.version"/><param pos="2" name="openssh.comment"/></fingerprint>`).Then(fingerprint.Builtin())
	m, ok := db.Match("test.banner", "OpenSSH_9.2p1 Debian-2+deb12u5")
	require.True(t, ok)
	list := m.Software("identification")
	require.Equal(t, "2+deb12u5", list[0].PackageRevision)
	require.Equal(t, "12", list[1].Version)
}

// A honeypot is named as what it is if no other server says the same, and else hinted at.
func TestHoneypots(t *testing.T) {
	for _, c := range []struct{ kind, text, product, hint string }{
		{"smtp.banner", "mailrelay.local ESMTP Exim 4.81 #1 Thu, 29 Jul 2010 05:13:48 -0700", "Mailoney", "honeypot"},
		{"ftp.banner", "---freeFTPd 1.0---warFTPd 1.65---", "Nepenthes", "honeypot"},
		{"ftp.banner", "DiskStation FTP server ready.", "SmbFTPD", "honeypot"}, // Dionaea
		{"ssh.banner", "OpenSSH_6.0p1 Debian-4+deb7u2", "OpenSSH", "honeypot"}, // Cowrie
		{"ssh.banner", "OpenSSH_5.1p1 Debian-5", "OpenSSH", "honeypot"},        // Kippo
		{"smtp.banner", "mail ESMTP Exim 4.69 #1 Tue, 3 Jan 2023 04:05:06 -0700", "Mailoney", "honeypot"},
		{"smtp.banner", "mail ESMTP Exim 4.69 #1 Fri, 13 Jan 2023 04:05:06 -0700", "Exim", "honeypot"},
		{"smtp.banner", "mail ESMTP Exim 4.82 Thu, 29 Jul 2010 05:13:48 -0700", "Exim", ""}, // a server of that time
		{"ssh.banner", "OpenSSH_6.0p1 Debian-4+deb7u4", "OpenSSH", ""},
		{"ssh.banner", "OpenSSH_9.2p1 Debian-2+deb12u3", "OpenSSH", ""}, // which too many others say
		{"ftp.banner", "Synology FTP server ready.", "SmbFTPD", ""},
	} {
		m, ok := fingerprint.Builtin().Match(c.kind, c.text)
		require.True(t, ok, c.text)
		list := m.Software("greeting")
		require.Equal(t, []string{c.product, c.hint}, []string{list[0].Product, list[0].Hint}, c.text)
	}
}
