package rsync

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

const (
	answer31 = "@RSYNCD: 31.0\n"
	madeUp   = "handclasp.abcdefghijklmnop\n"
)

var levels = []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous}

// after returns the guard of a connection on which lines were sent.
func after(t *testing.T, l probe.Level, lines ...string) probe.Guard {
	t.Helper()
	g := Prober{}.newGuard(probe.Contact{})
	for _, line := range lines {
		_, err := g(l, []byte(line))
		require.NoError(t, err, "%q", line)
	}
	return g
}

func TestGuardAllows(t *testing.T) {
	for _, line := range []string{
		"@RSYNCD: 17\n", "@RSYNCD: 25\n", "@RSYNCD: 29\n", "@RSYNCD: 30.0\n", answer31,
		"@RSYNCD: 30.0 sha512 sha256 sha1 md5 md4\n", "@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n", "@RSYNCD: 32.0 sha512 sha256 sha1 md5 md4\n",
	} {
		label, err := Prober{}.newGuard(probe.Contact{})(probe.LevelHandshake, []byte(line))
		require.NoError(t, err, "%q", line)
		require.Equal(t, strings.TrimSpace(line), label)
	}
	for line, want := range map[string]string{"\n": "list of modules", madeUp: "made-up module"} {
		label, err := after(t, probe.LevelHandshake, answer31)(probe.LevelHandshake, []byte(line))
		require.NoError(t, err)
		require.Equal(t, want, label)
	}
	for _, name := range []string{"pub", "a name of several words", "caf\xe9", "x#y", "list", strings.Repeat("x", maxName)} {
		label, err := after(t, probe.LevelAnonymous, answer31)(probe.LevelAnonymous, []byte(name+"\n"))
		require.NoError(t, err, "%q", name)
		require.Equal(t, "module", label)
		require.True(t, askable(name))
		_, err = after(t, probe.LevelHandshake, answer31)(probe.LevelHandshake, []byte(name+"\n"))
		require.Error(t, err, "%q may exist", name)
	}
}

// neverFirst is refused as the first line of a connection.
var neverFirst = []string{
	"", "\n", "\r\n", "#list\n", madeUp, "pub\n", "@RSYNCD:\n", "@RSYNCD: \n", "@RSYNCD: 31\n", "@RSYNCD: 30\n", "@RSYNCD: 32\n", "@RSYNCD: 32.0\n",
	"@RSYNCD: 33.0 sha512 sha256 sha1 md5 md4\n", "@RSYNCD: 9\n", "@RSYNCD: 10\n", "@RSYNCD: 16\n", "@RSYNCD: 031.0\n", "@RSYNCD: 31.1\n", "@RSYNCD: 29.0\n", "@RSYNCD: 31.0",
	"@RSYNCD: 31.0\r\n", "@RSYNCD: 31.0 \n", " @RSYNCD: 31.0\n", "@RSYNCD: 31.0\npub\n", "@RSYNCD: 31.0\n\n", answer31 + answer31,
	"@RSYNCD: 29 sha512 sha256 sha1 md5 md4\n", "@RSYNCD: 31.0 none\n", "@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4 none\n", "@RSYNCD: 31.0 md4\n",
	"@RSYNCD: OK\n", "@RSYNCD: EXIT\n", "@RSYNCD: AUTHREQD x\n", "@ERROR\n", "@ERROR: no\n", "\x00@RSYNCD: 31.0\n", "@RSYNCD: 31.0\x00\n",
	"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "GET / HTTP/1.0\r\n\r\n", "\x16\x03\x01\x02\x00\x01\n", strings.Repeat("A", 1<<16) + "\n",
}

// neverSecond is refused as a request.
var neverSecond = []string{
	"", "pub", "pub\r", "\x00", "\n\n", "pub\npub\n", "pub\n--server\n", "pub\r\n", "pub\x00\n", "\x00pub\n", "p\tub\n", "\x7f\n",
	"#list\n", "#early_input=5\n", "#early_input=5\nhello\n", "#\n", answer31, "@RSYNCD: 31.0 sha512\n", "@ERROR\n", "@\n",
	madeUp + madeUp, "\n" + madeUp, madeUp + "\n", madeUp + "--server\x00--sender\x00", "pub\n--server\n--sender\n.\npub/\n\n",
	strings.Repeat("x", maxName+1) + "\n", strings.Repeat("x", 1<<16) + "\n", strings.Repeat("é", 100) + "\n",
}

// neverThird is refused behind a request: the answer to a challenge, options, whatever.
var neverThird = []string{
	"", "\n", "\x00", "root aGVsbG8\n", "nobody \n", "alice 1B2M2Y8AsgTpgAmY7PhCfg\n", "--server\n", "--server\x00--sender\x00-vlogDtpre.iLsfxCIvu\x00.\x00pub/\x00\x00",
	"pub\n", madeUp, answer31, "#list\n", "@RSYNCD: EXIT\n", "\x20\x00\x00\x00",
}

func TestGuardRefuses(t *testing.T) {
	for _, l := range levels {
		for _, plain := range neverFirst {
			_, err := Prober{}.newGuard(probe.Contact{})(l, []byte(plain))
			require.Error(t, err, "%q at level %v", plain, l)
		}
	}
	for _, l := range levels[1:] {
		for _, plain := range neverSecond {
			_, err := after(t, l, answer31)(l, []byte(plain))
			require.Error(t, err, "%q at level %v", plain, l)
		}
		for _, request := range []string{"\n", madeUp} {
			for _, plain := range neverThird {
				_, err := after(t, l, answer31, request)(l, []byte(plain))
				require.Error(t, err, "%q at level %v", plain, l)
			}
		}
	}
	for _, plain := range neverThird {
		_, err := after(t, probe.LevelAnonymous, answer31, "pub\n")(probe.LevelAnonymous, []byte(plain))
		require.Error(t, err, "%q", plain)
	}
	// What only looks like the made-up module may exist.
	for _, name := range []string{"handclasp", "handclasp.test", "handclasp.abcdefghijklmnopq", "handclasp.abcdefghijklmno", "handclasp.ABCDEFGHIJKLMNOP", "xhandclasp.abcdefghijklmnop", "handclaspxabcdefghijklmnop"} {
		_, err := after(t, probe.LevelHandshake, answer31)(probe.LevelHandshake, []byte(name+"\n"))
		require.Error(t, err, name)
	}
	_, err := Prober{}.newGuard(probe.Contact{})(probe.LevelGreeting, []byte(answer31))
	require.Error(t, err)
}

// What was refused isn't remembered, and one connection knows nothing of another.
func TestGuardOfEachConnection(t *testing.T) {
	g, other := Prober{}.newGuard(probe.Contact{}), Prober{}.newGuard(probe.Contact{})
	_, err := g(probe.LevelHandshake, []byte(madeUp))
	require.Error(t, err)
	_, err = g(probe.LevelHandshake, []byte(answer31))
	require.NoError(t, err)
	_, err = g(probe.LevelHandshake, []byte("#list\n"))
	require.Error(t, err)
	_, err = other(probe.LevelHandshake, []byte("\n"))
	require.Error(t, err)
	_, err = g(probe.LevelHandshake, []byte("\n"))
	require.NoError(t, err)
}

// Whatever the guard lets pass, a connection carries at most an answer and a request, of one line each.
func FuzzGuard(f *testing.F) {
	for _, corpus := range [][]string{neverFirst, neverSecond, neverThird} {
		for _, plain := range corpus {
			f.Add(int8(probe.LevelAnonymous), []byte(answer31), []byte(plain), []byte("pub\n"))
			f.Add(int8(probe.LevelHandshake), []byte(plain), []byte(madeUp), []byte(plain))
		}
	}
	f.Add(int8(probe.LevelHandshake), []byte("@RSYNCD: 32.0 sha512 sha256 sha1 md5 md4\n"), []byte("\n"), []byte("\n"))
	f.Fuzz(func(t *testing.T, level int8, one, two, three []byte) {
		l, g := probe.Level(level), Prober{}.newGuard(probe.Contact{})
		passed := []string{}
		for _, plain := range [][]byte{one, two, three} {
			label, err := g(l, plain)
			if err != nil {
				continue
			}
			require.NotEmpty(t, label)
			require.GreaterOrEqual(t, l, probe.LevelHandshake)
			line, ok := strings.CutSuffix(string(plain), "\n")
			require.True(t, ok)
			require.False(t, strings.ContainsAny(line, "\r\n\x00"))
			passed = append(passed, line)
		}
		require.LessOrEqual(t, len(passed), 2)
		for i, line := range passed {
			switch {
			case i == 0:
				g, ok := parseGreeting(line)
				require.True(t, ok)
				require.Equal(t, line+"\n", g.answer())
			case line != "":
				require.LessOrEqual(t, len(line), maxName)
				require.False(t, strings.HasPrefix(line, "#") || strings.HasPrefix(line, "@"))
				if l < probe.LevelAnonymous {
					require.Len(t, line, len("handclasp.")+madeUpRandom)
					require.True(t, strings.HasPrefix(line, "handclasp."))
				}
			}
		}
	})
}
