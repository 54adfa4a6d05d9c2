package rsync

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

const corpus = "testdata/transcripts/*.txt"

func TestParseGreeting(t *testing.T) {
	none := []string{}
	for line, want := range map[string]greeting{
		"@RSYNCD: 17":                        {17, 0, false, none},
		"@RSYNCD: 29":                        {29, 0, false, none},
		"@RSYNCD: 30":                        {30, 0, false, none},
		"@RSYNCD: 30.0":                      {30, 0, true, none},
		"@RSYNCD: 31.14":                     {31, 14, true, none},
		"@RSYNCD: 31.0 ":                     {31, 0, true, none},
		"@RSYNCD:31.0":                       {31, 0, true, none},
		"@RSYNCD: 31.0 md5 md4":              {31, 0, true, []string{"md5", "md4"}},
		"@RSYNCD: 29 md4":                    {29, 0, false, []string{"md4"}},
		"@RSYNCD: 32.0 sha512  sha256\tsha1": {32, 0, true, []string{"sha512", "sha256", "sha1"}},
		"@RSYNCD: 99.999999999":              {99, 999999999, true, none},
		"@RSYNCD: 32.0" + strings.Repeat(" x", 2*maxDigests): {32, 0, true, strings.Fields(strings.Repeat(" x", maxDigests))},
	} {
		got, ok := parseGreeting(line)
		require.True(t, ok, line)
		require.Equal(t, want, got, line)
	}
	for _, line := range []string{
		"", "@RSYNCD", "@RSYNCD:", "@RSYNCD: ", "@RSYNCD: x", "@RSYNCD: 0", "@RSYNCD: 100", "@RSYNCD: -31.0", "@RSYNCD: +31.0", "@RSYNCD: 31.", "@RSYNCD: .0",
		"@RSYNCD: 31.x", "@RSYNCD: 31.0.0", "@RSYNCD: 9999999999", "@RSYNCD: 31.9999999999", "@RSYNCD: ３１.0", "@RSYNCD: OK", "@RSYNCD: EXIT",
		" @RSYNCD: 31.0", "@rsyncd: 31.0", "@RSYNC: 31.0", "220 hello",
	} {
		got, ok := parseGreeting(line)
		require.False(t, ok, line)
		require.Zero(t, got, line)
	}
}

func TestAnswer(t *testing.T) {
	for line, want := range map[string]string{
		"@RSYNCD: 1":                "@RSYNCD: 17\n",
		"@RSYNCD: 25":               "@RSYNCD: 25\n",
		"@RSYNCD: 26":               "@RSYNCD: 26\n",
		"@RSYNCD: 27":               "@RSYNCD: 27\n",
		"@RSYNCD: 28":               "@RSYNCD: 28\n",
		"@RSYNCD: 29":               "@RSYNCD: 29\n",
		"@RSYNCD: 30":               "@RSYNCD: 30.0\n",
		"@RSYNCD: 30.0":             "@RSYNCD: 30.0\n",
		"@RSYNCD: 31.0":             "@RSYNCD: 31.0\n",
		"@RSYNCD: 31.5":             "@RSYNCD: 31.0\n",
		"@RSYNCD: 31.0 md5 md4":     "@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n",
		"@RSYNCD: 32.0":             "@RSYNCD: 32.0 sha512 sha256 sha1 md5 md4\n",
		"@RSYNCD: 32.0 sha512":      "@RSYNCD: 32.0 sha512 sha256 sha1 md5 md4\n",
		"@RSYNCD: 33.0 sha512 evil": "@RSYNCD: 32.0 sha512 sha256 sha1 md5 md4\n",
		"@RSYNCD: 29 md4":           "@RSYNCD: 29\n",
	} {
		g, ok := parseGreeting(line)
		require.True(t, ok, line)
		require.Equal(t, want, g.answer(), line)
	}
}

// The words of all versions of rsync, and of others that speak its protocol.
func TestAccess(t *testing.T) {
	for line, want := range map[string]Access{
		"@RSYNCD: OK":  AccessOpen,
		"@RSYNCD: OK ": "",
		"@RSYNCD: AUTHREQD qVLZ0eJHO4KVHGUw/Vf61A": AccessAuth,
		"@RSYNCD: AUTHREQD ":                       AccessAuth,
		"@RSYNCD: AUTHREQD":                        "",
		"@RSYNCD: EXIT":                            "",
		"@ERROR: auth failed on module x":          AccessAuth,
		"@ERROR: your client does not support one of our daemon-auth checksums: md5": AccessAuth,
		"@ERROR: access denied to x from host (192.0.2.1)":                           AccessDenied,
		"@ERROR: access denied (acl \"deny all\")":                                   AccessDenied,
		"@ERROR access denied by deny policy from host [192.0.2.1]":                  AccessDenied,
		"@ERROR module 'x' is currently disabled":                                    AccessDenied,
		"@ERROR: max connections (-1) reached -- try again later":                    AccessDenied,
		"@ERROR: max connections (1) reached - try again later":                      AccessBusy,
		"@ERROR: max connections (20) reached -- try again later":                    AccessBusy,
		"@ERROR: Unknown module 'x'":                                                 AccessUnknown,
		"@ERROR: Unknown module \"x\"":                                               AccessUnknown,
		"@ERROR: unknown module":                                                     AccessUnknown,
		"@ERROR x is not a valid module":                                             AccessUnknown,
		"@ERROR: chdir failed":                                                       AccessFailed,
		"@ERROR: chroot failed":                                                      AccessFailed,
		"@ERROR: invalid uid nobody":                                                 AccessFailed,
		"@ERROR: invalid gid setting.":                                               AccessFailed,
		"@ERROR: no path setting.":                                                   AccessFailed,
		"@ERROR: daemon security issue -- contact admin":                             AccessFailed,
		"@ERROR: early exec failed":                                                  AccessFailed,
		"@ERROR: failed to open lock file":                                           "", // before a password would be wanted
		"@ERROR: protocol startup error":                                             "",
		"@ERROR":                                                                     "",
		"@ERROR: ":                                                                   "",
		"access denied":                                                              "",
		"":                                                                           "",
	} {
		require.Equal(t, want, access(line), line)
	}
}

func TestParseRow(t *testing.T) {
	for line, want := range map[string][2]string{
		"pub            \tfor everybody": {"pub", "for everybody"},
		"pub\t":                          {"pub", ""},
		"a longer name than that\t\tx\t": {"a longer name than that", "\tx\t"},
		"bare":                           {"bare", ""},
		"bare   ":                        {"bare", ""},
	} {
		name, comment, ok := parseRow(line)
		require.True(t, ok, line)
		require.Equal(t, want, [2]string{name, comment}, line)
	}
	for _, line := range []string{"", " ", "\t", "   \tcomment", "several words"} {
		_, _, ok := parseRow(line)
		require.False(t, ok, line)
	}
}

func TestMessage(t *testing.T) {
	m := message{lines: []string{"hello", "", "row\tfake", ""}}
	require.Equal(t, "hello\n\nrow\tfake", m.text())
	rest, ok := m.cut([]string{"hello", "", "row\tfake", "", "pub\t"})
	require.True(t, ok)
	require.Equal(t, []string{"pub\t"}, rest)
	rest, ok = m.cut([]string{"hello again", "", "row\tfake too", "", "pub\t"})
	require.True(t, ok, "as long, with the same end")
	require.Equal(t, []string{"pub\t"}, rest)
	for _, lines := range [][]string{nil, {"hello"}, {"pub\t"}, {"hello", "", "row\tfake", "pub\t"}} {
		_, ok = m.cut(lines)
		require.False(t, ok, "%q", lines)
	}
	require.Empty(t, message{}.text())
	require.Equal(t, "x\n ", message{lines: []string{"x"}, begin: " "}.text(), "only empty lines are daemons' own")
}

func TestRecognise(t *testing.T) {
	for said, want := range map[string]probe.Recognition{
		"": probe.Undecided, "@": probe.Undecided, "@RSYNCD": probe.Undecided,
		"@RSYNCD:": probe.Recognised, "@RSYNCD: 31.0\nhello\n": probe.Recognised,
		"@rsyncd: 31": probe.Foreign, "@ERROR: no": probe.Foreign, "220 hello": probe.Foreign, "\x00": probe.Foreign,
	} {
		require.Equal(t, want, Prober{}.Recognise([]byte(said)), "%q", said)
	}
}

func FuzzGreeting(f *testing.F) {
	probetest.Seeds(f, corpus)
	f.Fuzz(func(t *testing.T, b []byte) {
		line, _, _ := strings.Cut(string(b), "\n")
		g, ok := parseGreeting(line)
		if !ok {
			require.Zero(t, g)
			return
		}
		require.NotNil(t, g.digests)
		require.LessOrEqual(t, len(g.digests), maxDigests)
		require.Positive(t, g.version)
		require.GreaterOrEqual(t, g.sub, 0)
		_, err := Prober{}.newGuard(probe.Contact{})(0, []byte(g.answer()))
		require.NoError(t, err, "a server's greeting never makes a probe fail")
		again, ok := parseGreeting(strings.TrimSuffix(g.answer(), "\n"))
		require.True(t, ok)
		require.LessOrEqual(t, again.version, newestVersion)
		require.Equal(t, g.answer(), again.answer())
	})
}

func FuzzRows(f *testing.F) {
	probetest.Seeds(f, corpus)
	f.Add([]byte("#early_input=3\t\n\xff\t\xfe\n \t \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		lines := strings.Split(string(b), "\n")
		m := message{lines: lines[:len(lines)/2]}
		rows, ok := m.cut(lines)
		require.True(t, ok)
		require.Len(t, rows, len(lines)-len(m.lines))
		m.text()
		k := &talk{e: new(Evidence), places: map[string]int{}}
		k.motd = m
		k.rows(rows)
		require.Len(t, k.names, len(k.e.Modules))
		require.Len(t, rows, len(k.names)+k.e.MalformedRows)
		for i, name := range k.names {
			require.NotEmpty(t, name)
			require.Equal(t, i, k.index(name), "each once")
			require.True(t, utf8.ValidString(k.e.Modules[i].Name+k.e.Modules[i].Comment))
			require.False(t, strings.ContainsAny(name, "\t\n"))
			if askable(name) {
				g := Prober{}.newGuard(probe.Contact{})
				_, err := g(1, []byte("@RSYNCD: 29\n"))
				require.NoError(t, err)
				_, err = g(1, []byte(name+"\n"))
				require.NoError(t, err, "a listed name never makes a probe fail")
			}
		}
	})
}

func FuzzAccess(f *testing.F) {
	probetest.Seeds(f, corpus)
	f.Fuzz(func(t *testing.T, b []byte) {
		line := string(b)
		if a := access(line); a != "" {
			require.True(t, ends(line))
			require.Equal(t, a == AccessOpen, line == lineOK)
		}
		if begin, rest, ok := glued(line, "handclasp.x"); ok {
			require.Equal(t, line, begin+rest)
			require.NotEmpty(t, begin)
			require.True(t, ends(rest))
		}
	})
}
