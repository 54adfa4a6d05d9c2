package ftp

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

// What servers on the internet said, by what a dissector saw in the captures.
func TestCaptures(t *testing.T) {
	type row struct {
		first     string // the greeting's first line, and how many it has
		lines     int
		features  int
		feature   string
		system    string
		login     probe.Fact // of anonymous
		directory string
	}
	rows := map[string]row{
		"pure-ftpd.txt":               {"--------- Welcome to Pure-FTPd [privsep] [TLS] ----------", 5, 17, "SPSV", "UNIX Type: L8", probe.Yes, "/"},
		"openbsd-linux-ftpd-0.17.txt": {"redmint FTP server (Version 6.4/OpenBSD/Linux-ftpd-0.17) ready.", 1, 0, "", "", probe.No, ""},
		"vsftpd-3.0.5.txt":            {"(vsFTPd 3.0.5)", 1, 9, "TVFS", "", probe.Unknown, ""}, // TLS, where it may be otherwise, fails
		"netbsd-ftpd-20100320.txt":    {"ftp.NetBSD.org FTP server (NetBSD-ftpd 20100320) ready.", 1, 5, "TVFS", "UNIX Type: L8 Version: NetBSD-ftpd 20100320", probe.Yes, "/"},
		"jpix.txt":                    {"     Welcome to FTP.JPIX.ad.jp,", 12, 0, "", "", probe.Yes, "/"},
		"apache-mod-ftp-0.9.6.txt": {
			"ftp.ncsa.illinois.edu FTP Server (Apache/2.2.3 (CentOS) PHP/5.1.6 mod_ftp/0.9.6) ready.", 1, 0, "",
			`UNIX Type: L8 System: "Apache/2.2.3 (CentOS) PHP/5.1.6 mod_ftp/0.9.6"`, probe.Yes, "/",
		},
		"gridftp-6.14.txt": {"alpha GridFTP Server 6.14 (gcc64dbg, 1342551528-83) [Globus Toolkit 5.2.2] ready.", 1, 0, "", "", probe.No, ""},
	}
	seen := 0
	probetest.ReplayAll(t, Prober{}, "testdata/captures/*.txt", func(t *testing.T, name string, r *probe.Result) {
		seen++
		requireSafe(t, r)
		requireLasting(t, r)
		w, ok := rows[name]
		require.True(t, ok)
		e, _ := probe.As[*Evidence](r)
		require.Equal(t, 220, e.Greeting.Code)
		require.Equal(t, w.first, e.Greeting.Lines[0])
		require.Len(t, e.Greeting.Lines, w.lines)
		require.Len(t, e.Features, w.features)
		if w.feature != "" {
			require.Contains(t, e.Features, w.feature)
		}
		require.Equal(t, w.system, e.System)
		require.Equal(t, w.login, e.Anonymous.Login)
		require.Equal(t, w.directory, e.Anonymous.Directory)
	})
	require.GreaterOrEqual(t, seen, len(rows))
}
