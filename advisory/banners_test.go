package advisory_test

import (
	"encoding/xml"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/advisory"
	"github.com/handclasp/handclasp/fingerprint"
)

// TestBanners: from what a server says to what is said of it.
func TestBanners(t *testing.T) {
	index := indexOf(t, readShipped(t))
	for _, test := range []struct {
		kind, text string
		want       []string // the verdicts, and some vulnerabilities that they name
		not        []string
	}{
		{"ssh.banner", "OpenSSH_9.2p1 Debian-2+deb12u2", []string{"claimed", "CVE-2024-6387", "CVE-2025-26465"}, []string{"CVE-2023-48795"}},
		{"ssh.banner", "OpenSSH_9.2p1 Debian-2+deb12u10", nil, []string{"CVE"}},
		{"ssh.banner", "OpenSSH_10.0p2 Debian-7", []string{"claimed", "CVE-2025-61984", "CVE-2026-3497"}, []string{"CVE-2025-26465"}},
		{"ssh.banner", "OpenSSH_10.0p2 Debian-7+deb13u2", []string{"claimed", "CVE-2026-35414"}, []string{"CVE-2026-3497"}},
		{"ssh.banner", "OpenSSH_8.4p1 Debian-5+deb11u7", []string{"Debian Linux 11 ended 2026-08-31"}, []string{"CVE"}},
		{"ssh.banner", "OpenSSH_8.9p1 Ubuntu-3ubuntu0.7", []string{"claimed", "CVE-2024-6387"}, nil},
		{"ssh.banner", "OpenSSH_9.6p1 Ubuntu-3ubuntu13.20", nil, []string{"CVE"}},
		{"ssh.banner", "OpenSSH_8.9p1 Ubuntu", nil, []string{"CVE"}},
		{"ssh.banner", "OpenSSH_9.7p1 Debian-5", nil, []string{"CVE"}},
		{"ssh.banner", "OpenSSH_9.7 FreeBSD-20240806", nil, []string{"CVE"}},
		{"ssh.banner", "OpenSSH_for_Windows_9.5", nil, []string{"CVE"}},
		{"ssh.banner", "OpenSSH_9.6", []string{"inferred", "CVE-2024-6387"}, nil},
		{"ssh.banner", "Erlang/5.2.9", []string{"inferred", "CVE-2025-32433"}, nil},
		{"ssh.banner", "libssh_0.8.3", []string{"inferred", "CVE-2018-10933"}, nil},
		{"ssh.banner", "Serv-U_15.2.3.717", []string{"inferred", "CVE-2021-35211"}, nil},
		{"ftp.banner", "(vsFTPd 2.3.4)", []string{"inferred", "CVE-2011-2523"}, nil},
		{"ftp.banner", "(vsFTPd 3.0.3)", nil, []string{"CVE"}},
		{"ftp.banner", "ProFTPD 1.3.5 Server (ProFTPD Default Installation) [192.0.2.7]", []string{"inferred", "CVE-2015-3306"}, nil},
		{"ftp.banner", "ProFTPD 1.3.5 Server (Debian) [::ffff:192.0.2.7]", []string{"Debian 9 ended 2022-06-30"}, []string{"CVE"}},
		{"smtp.banner", "mail.example.org ESMTP Exim 4.91 Mon, 02 Jan 2023 03:04:05 +0000", []string{"inferred", "CVE-2019-10149"}, nil},
		{"smtp.banner", "mail.example.org ESMTP Exim 4.93 Ubuntu Mon, 02 Jan 2023 03:04:05 +0000", []string{"Ubuntu 20.04 ended 2025-05-31"}, []string{"CVE"}},
		{"smb.native_lm", "Samba 4.6.3", []string{"inferred", "CVE-2017-7494"}, nil},
		{"smb.native_lm", "Samba 4.17.12-Debian", nil, []string{"CVE"}},
		{"smb.native_lm", "Samba 4.22.8-Debian-4.22.8+dfsg-0+deb13u1", []string{"claimed", "CVE-2026-4480"}, []string{"CVE-2025-10230"}},
		{"smb.native_lm", "Samba 4.22.8-Debian-4.22.8+dfsg-0+deb13u2", []string{"claimed", "CVE-2026-58216"}, []string{"CVE-2026-4480"}},
		{"ntlm.os_version", "Windows 10.0 build 17763", nil, []string{"ended"}},
		{"ntlm.os_version", "Windows 6.1 build 7601", []string{"ended 2020-01-14"}, nil},
	} {
		m, ok := fingerprint.Builtin().Match(test.kind, test.text)
		require.True(t, ok, test.text)
		software := m.Software("greeting")
		var said []string
		for _, v := range (advisory.Judge{Index: index}).Judge(advisory.Subject{Software: software, Time: now}) {
			said = append(said, string(v.Known)+" "+v.Detail)
			for _, x := range v.Vulnerables {
				said = append(said, x.ID)
			}
		}
		for _, want := range test.want {
			assert.Contains(t, strings.Join(said, "\n"), want, "%s: %+v", test.text, software)
		}
		for _, not := range test.not {
			assert.NotContains(t, strings.Join(said, "\n"), not, "%s: %+v", test.text, software)
		}
	}
}

// TestProductsAreNamed: what is known here goes by the names that fingerprints give.
func TestProductsAreNamed(t *testing.T) {
	named := map[string]bool{}
	files, err := fs.Glob(os.DirFS("../fingerprint/builtin"), "*.xml")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile("../fingerprint/builtin/" + file)
		require.NoError(t, err)
		var set struct {
			Params []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:"value,attr"`
			} `xml:"fingerprint>param"`
		}
		require.NoError(t, xml.Unmarshal(text, &set))
		for _, p := range set.Params {
			if strings.HasSuffix(p.Name, ".product") {
				named[p.Value] = true
			}
		}
	}
	names := advisory.Products()
	require.Greater(t, len(names), 25)
	assert.Empty(t, slices.DeleteFunc(names, func(name string) bool { return named[name] }))
}
