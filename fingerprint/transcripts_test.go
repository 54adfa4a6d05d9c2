package fingerprint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/netbios"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/rsync"
	"github.com/handclasp/handclasp/smb"
	"github.com/handclasp/handclasp/smtp"
	"github.com/handclasp/handclasp/ssh"
)

// What real servers said, by the name of the recording without its version. If the version is told, it is that of
// the recording.
var recorded = map[string]struct {
	product string
	version bool
	source  string
	os      string // the operating system and its version
}{
	"vsftpd":         {"vsftpd", true, "greeting", ""},
	"proftpd":        {"ProFTPD", false, "greeting", ""},
	"pure-ftpd":      {"Pure-FTPd", false, "greeting", ""},
	"postfix":        {"Postfix", false, "greeting", ""},
	"exim":           {"Exim", true, "greeting", ""},
	"opensmtpd":      {"OpenSMTPD", false, "greeting", ""},
	"inn2":           {"INN", true, "greeting", ""},
	"leafnode":       {"Leafnode", true, "greeting", ""},
	"sn":             {"sn", true, "greeting", ""},
	"rsync":          {"rsync", false, "greeting", ""},
	"openssh-server": {"OpenSSH", true, "identification", "Debian Linux 12"},
	"dropbear-bin":   {"Dropbear", true, "identification", ""},
	"tinysshd":       {"TinySSH", true, "identification", ""},
	"samba":          {"Samba", false, "ntlm", ""},
	"pyftpdlib":      {"pyftpdlib", true, "greeting", ""},
	"twisted-ftp":    {"Twisted FTP", true, "greeting", ""},
	"sendmail":       {"Sendmail", true, "greeting", "Debian Linux 12"},
	"courier":        {"Courier Mail Server", false, "ehlo", ""},
	"dovecot":        {"Dovecot", false, "greeting", "Debian Linux "},
	"chasquid":       {"chasquid", false, "greeting", ""},
	"twisted-mail":   {"Twisted Mail", false, "greeting", ""},
	"aiosmtpd":       {"aiosmtpd", true, "greeting", ""},
	"mod_sftp":       {"ProFTPD", false, "identification", ""},
	"asyncssh":       {"AsyncSSH", true, "identification", ""},
	"paramiko":       {"Paramiko", true, "identification", ""},
	"erlang-ssh":     {"Erlang/OTP SSH", true, "identification", ""},
	"gliderlabs":     {"x/crypto/ssh", false, "identification", ""},
	"smtp-server":    {"smtp-server", false, "ehlo", ""},
	// When SMB1 is spoken.
	"samba nt1-guest": {"Samba", true, "smb1/native_lm", "Debian Linux "},
	"samba lanman":    {"Samba", true, "smb1/native_lm", "Debian Linux "},
	"samba smb1-only": {"Samba", true, "smb1/native_lm", "Debian Linux "},

	"samba smb1-without-rpc": {"Samba", true, "smb1/native_lm", "Debian Linux "},
}

// silent are those that name nothing: they hang up before, or have no words for it.
var silent = []string{
	"opensmtpd-6.8.0p2-implicit-tls", "inn2-2.7.1-refusing", "inn2-2.7.1-unavailable", "openssh-server-9.2p1-full", "nmbd-", "smbd-", "ftp-srv-", "nntp-server-",
}

func TestRecordedServers(t *testing.T) {
	for _, p := range []probe.Prober{ftp.Prober{}, smtp.Prober{}, nntp.Prober{}, rsync.Prober{}, netbios.Prober{}, smb.Prober{}, ssh.Prober{}} {
		var files []string
		for _, folder := range []string{"", "long/", "anonymous/"} {
			list, err := filepath.Glob("../" + p.Spec().Protocol + "/testdata/transcripts/" + folder + "*.txt")
			require.NoError(t, err)
			files = append(files, list...)
		}
		require.NotEmpty(t, files)
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".txt")
			server, version := split(name)
			if server == "" {
				continue // handwritten
			}
			list := fingerprint.Builtin().Software(rerun(t, p, file))
			if isSilent(name) {
				require.Empty(t, list, name)
				continue
			}
			want, ok := recorded[server]
			for variant, w := range recorded {
				if s, v, _ := strings.Cut(variant, " "); v != "" && s == server && strings.Contains(name, v) {
					want, ok = w, true
				}
			}
			require.True(t, ok, "what is %s?", server)
			require.NotEmpty(t, list, name)
			if strings.HasPrefix(server, "samba") && strings.Contains(file, "/anonymous/") && list[0].Source == "shares" {
				want = recorded["samba nt1-guest"] // IPC$ tells as much
				want.source = "shares"
			}
			require.Equal(t, want.product, list[0].Product, name)
			require.Equal(t, want.source, list[0].Source, name)
			if want.version {
				require.Equal(t, version, list[0].Version, name)
			} else {
				require.Empty(t, list[0].Version, name)
			}
			var os string
			if len(list) > 1 {
				os = list[1].Product + " " + list[1].Version
			}
			require.Equal(t, want.os, os, name)
		}
	}
}

// split splits "pure-ftpd-1.0.50-anonymous" into the server and its version; a recording that nobody made has none.
func split(name string) (server, version string) {
	fields := strings.Split(name, "-")
	if fields[0] == "handwritten" {
		return "", ""
	}
	for i, f := range fields {
		if i > 0 && f[0] >= '0' && f[0] <= '9' {
			version, _, _ = strings.Cut(f, "+")
			return strings.Join(fields[:i], "-"), version
		}
	}
	return "", ""
}

func isSilent(name string) bool {
	for _, s := range silent {
		if strings.HasPrefix(name, s) {
			return true
		}
	}
	return false
}

func rerun(t testing.TB, p probe.Prober, file string) *probe.Result {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	recording, err := replay.Parse(text)
	require.NoError(t, err)
	return probe.Run(t.Context(), p, recording.Target, recording.Options())
}
