package fingerprint

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What says nothing, or what isn't so.
func TestBuiltinMisses(t *testing.T) {
	for kind, texts := range map[string][]string{
		"ftp.banner":    {"", "FTP server ready", "Welcome", "220 ready", "mail.example.org ESMTP Postfix"},
		"ftp.syst":      {"UNIX Type: L8", "UNIX"},
		"smtp.banner":   {"mail.example.org ESMTP", "mail.example.org ESMTP ready", "220 *", "20"},
		"smtp.ehlo":     {"250-mx\n250-PIPELINING\n250-8BITMIME\n250 SIZE", "250 mx", "250-mx\n250-PIPELINING\n250 8BITMIME"},
		"nntp.banner":   {"news.example.org ready", "Version 2.0 ready"},
		"rsync.banner":  {"", "@RSYNCD: 27", "@RSYNCD: 27.0", "@RSYNCD: 0", "@RSYNCD: 320", "@RSYNCD: EXIT", "rsync"}, // others say 27, too
		"ssh.banner":    {"SSH", "Gopher", "-", "OpenVMS"},
		"smb.native_os": {"Unix", "Windows 6.1", "Linux"}, // Samba 4 says "Windows 6.1"
		"smb.native_lm": {"", "LAN"},
	} {
		for _, text := range texts {
			m, ok := Builtin().Match(kind, text)
			require.False(t, ok, "%s: %q is %s", kind, text, m.Name)
		}
	}
}

// A host may be called like a server.
func TestHostNamesNameNothing(t *testing.T) {
	for _, c := range []struct{ kind, text, want string }{
		{"smtp.banner", "postfix.example.com ESMTP Sendmail 8.17.1/8.17.1; Tue, 3 Jan 2023", "Sendmail"},
		{"smtp.banner", "exim.example.com ESMTP Sendmail 8.17.1/8.17.1; Tue, 3 Jan 2023", "Sendmail"},
		{"smtp.banner", "zimbra.example.com ESMTP Postfix", "Postfix"},
		{"smtp.banner", "mx.postfix.example.com ESMTP", ""},
		{"smtp.banner", "qmail.example.com ESMTP", ""},
		{"smtp.banner", "hmailserver.example.com ESMTP", ""},
		{"ftp.banner", "proftpd.example.com FTP server (vsFTPd 3.0.5)", "vsftpd"},
		{"ftp.banner", "vsftpd.example.com FTP server (GNU inetutils 2.4) ready.", "inetutils ftpd"},
		{"ftp.banner", "pure-ftpd.example.com FTP server ready.", ""},
	} {
		m, _ := Builtin().Match(c.kind, c.text)
		require.Equal(t, c.want, m.Params["service.product"], c.text)
	}
}

// Each example matches its own fingerprint, and no earlier one takes it away.
func TestBuiltin(t *testing.T) {
	files := builtinFS()
	n, err := Verify(files)
	require.NoError(t, err)
	t.Logf("%d fingerprints of %d kinds, %d examples", Builtin().Len(), len(Builtin().Kinds()), n)

	db, list, err := load(files, true)
	require.NoError(t, err)
	require.Equal(t, db.Kinds(), Builtin().Kinds(), "a file is named by its kind")
	examples := map[*fingerprint][]example{}
	for _, e := range list {
		examples[e.of] = append(examples[e.of], e)
	}
	for kind, list := range db.kinds {
		for _, f := range list() {
			require.NotEmpty(t, examples[f], "%s: %s has no example", kind, f.name)
			for _, e := range examples[f] {
				m, ok := db.Match(kind, e.text)
				require.True(t, ok, e.text)
				require.Equal(t, f.name, m.Name, "%s: %q", e.place, e.text)
			}
		}
	}
}
