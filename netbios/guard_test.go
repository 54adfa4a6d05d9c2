package netbios

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// encoded writes a name as RFC 1001 §14.1 has it, on its own.
func encoded(name string) string {
	var b strings.Builder
	b.WriteByte(32)
	for i := range len(name) {
		b.WriteByte('A' + name[i]>>4)
		b.WriteByte('A' + name[i]&15)
	}
	return b.String() + "\x00"
}

func padded(text string, suffix byte) string {
	return text + strings.Repeat(" ", 15-len(text)) + string([]byte{suffix})
}

const (
	plainQuery = "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	nbstat     = "\x00\x21\x00\x01"
	nb         = "\x00\x20\x00\x01"
	request    = "\x81\x00\x00\x44"
)

var (
	star      = "*" + strings.Repeat("\x00", 15)
	handclasp = padded("HANDCLASP", 0)
)

func TestGuardAllows(t *testing.T) {
	for plain, want := range map[string]string{
		"ab" + plainQuery + encoded(star) + nbstat:                                    "NBSTAT *",
		"\x00\x00" + plainQuery + encoded(star) + nbstat:                              "NBSTAT *",
		"ab" + plainQuery + encoded(star) + nb:                                        "NB *",
		"ab" + plainQuery + encoded(padded("FILER", 0x20)) + nb:                       "NB FILER<20>",
		"ab" + plainQuery + encoded(padded("FIFTEEN-LETTERS", 0)) + nb:                "NB FIFTEEN-LETTERS<00>",
		request + encoded(padded("*SMBSERVER", 0x20)) + encoded(handclasp):            "session request *SMBSERVER<20>",
		request + encoded(padded("my filer! #2", 0x20)) + encoded(handclasp):          "session request my filer! #2<20>",
		request + encoded(padded(strings.Repeat("x", 15), 0x20)) + encoded(handclasp): "session request " + strings.Repeat("x", 15) + "<20>",
	} {
		label, err := guard(probe.LevelHandshake, []byte(plain))
		require.NoError(t, err, "%q", plain)
		require.Equal(t, want, label)
		_, err = guard(probe.LevelGreeting, []byte(plain))
		require.Error(t, err)
	}
}

// forbidden is refused at every level.
var forbidden = func() (list []string) {
	question := func(header, name, kind string) { list = append(list, "ab"+header+name+kind) }
	filer := encoded(padded("FILER", 0x20))
	// Every other operation, with and without RD: registration, release, WACK, refresh (RFC 1002 §4.2.1.1), and
	// multi-homed registration.
	for opcode := 1; opcode < 16; opcode++ {
		for _, rd := range []byte{0, 1} {
			question(string([]byte{byte(opcode<<3) | rd, 0})+plainQuery[2:], filer, nb)
		}
	}
	// Each flag of a query: response, authoritative, truncated, recursion desired and available, broadcast, a code.
	for _, flags := range []string{"\x80\x00", "\x84\x00", "\x04\x00", "\x02\x00", "\x01\x00", "\x00\x80", "\x00\x40", "\x00\x20", "\x00\x10", "\x01\x10", "\x00\x01"} {
		question(flags+plainQuery[2:], filer, nb)
		question(flags+plainQuery[2:], encoded(star), nbstat)
	}
	// Other counts of sections.
	for i := 2; i < 10; i++ {
		header := []byte(plainQuery)
		header[i]++
		question(string(header), encoded(star), nbstat)
	}
	// Other types and classes, the DNS's among them.
	for _, kind := range []string{"\x00\x01\x00\x01", "\x00\xff\x00\x01", "\x00\x0a\x00\x01", "\x00\x20\x00\x03", "\x00\x21\x00\xff", "\x00\x22\x00\x01"} {
		question(plainQuery, encoded(star), kind)
		question(plainQuery, filer, kind)
	}
	question(plainQuery, filer, nbstat)
	// Names of others: groups, domains, browsers, what isn't text.
	for _, name := range []string{
		padded("DOMAIN", 0x1c), padded("DOMAIN", 0x1b), padded("GROUP", 0x1d), padded("GROUP", 0x1e), padded("ALICE", 0x03),
		"\x01\x02__MSBROWSE__\x02\x01", padded("", 0x20), strings.Repeat("\x00", 16), padded("A\x00B", 0x20), padded("A\nB", 0x20), padded("B\xd6RO", 0x20),
		padded(" A", 0x20), padded("*", 0x21), "*" + strings.Repeat("\x00", 14) + "\x20",
	} {
		question(plainQuery, encoded(name), nb)
		list = append(list, request+encoded(name)+encoded(handclasp))
	}
	// Names that aren't encoded as they should be: lower case, a scope, a pointer.
	question(plainQuery, strings.ToLower(encoded(star)), nbstat)
	question(plainQuery, "\x1f"+encoded(star)[1:], nbstat)
	question(plainQuery, encoded(star)[:33]+"\x01", nbstat)
	question(plainQuery, encoded(star)[:32]+"\xc0\x0c", nbstat)
	question(plainQuery, strings.Replace(encoded(star), "K", "Q", 1), nbstat)
	question(plainQuery, encoded(star)[:33]+"\x03LAB\x00", nbstat)
	// Two questions in one, and parts of one.
	whole := "ab" + plainQuery + encoded(star) + nbstat
	call := request + encoded(padded("*SMBSERVER", 0x20)) + encoded(handclasp)
	list = append(list, whole+whole, whole[:49], whole+"\x00", call+call, call[:71], call+"\x00", whole+call, "", "\x81", request)
	// Session packets: a message (with SMB inside), keep-alive, answers, flags, another length.
	for _, head := range []string{"\x00\x00\x00\x44", "\x85\x00\x00\x00", "\x82\x00\x00\x44", "\x83\x00\x00\x44", "\x84\x00\x00\x44", "\x81\x01\x00\x44", "\x81\x00\x00\x45", "\x81\x00\x01\x44"} {
		list = append(list, head+call[4:])
	}
	list = append(list, "\x85\x00\x00\x00", "\x00\x00\x00\x2f\xffSMB\x72"+strings.Repeat("\x00", 63), strings.Replace(call, "\x44", "\x84", 1))
	// In another's name, or to another than a file server.
	for _, caller := range []string{padded("ADMIN", 0), padded("HANDCLASP", 0x03), padded("HANDCLASP", 'R'), padded("HANDCLASQ", 0), star} {
		list = append(list, request+encoded(padded("*SMBSERVER", 0x20))+encoded(caller))
	}
	list = append(list, request+encoded(padded("*SMBSERVER", 0))+encoded(handclasp), request+encoded(star)+encoded(handclasp))
	// A datagram of the datagram service (RFC 1002 §4.4.2): direct unique, direct group, broadcast.
	for _, kind := range []string{"\x10", "\x11", "\x12", "\x13", "\x14"} {
		list = append(list, kind+"\x02ab\xc0\x00\x02\x07\x00\x8a\x00\x44\x00\x00"+encoded(handclasp)+encoded(padded("GROUP", 0x1d)))
		list = append(list, kind+"\x02ab\xc0\x00\x02\x07\x00\x8a\x00\x24\x00\x00"+encoded(handclasp)+"\x00\x00")
	}
	return list
}()

func TestGuardRefuses(t *testing.T) {
	require.Greater(t, len(forbidden), 100)
	for _, plain := range forbidden {
		for _, l := range []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous} {
			_, err := guard(l, []byte(plain))
			require.Error(t, err, "%q at level %v", plain, l)
		}
	}
}

// Whatever the guard lets through is a plain query for a name, or a call to a file server.
func FuzzGuard(f *testing.F) {
	for _, plain := range append(forbidden, "ab"+plainQuery+encoded(star)+nbstat, "ab"+plainQuery+encoded(padded("FILER", 0x20))+nb,
		request+encoded(padded("*SMBSERVER", 0x20))+encoded(handclasp)) {
		f.Add(int8(probe.LevelAnonymous), []byte(plain))
	}
	f.Fuzz(func(t *testing.T, level int8, plain []byte) {
		label, err := guard(probe.Level(level), plain)
		if err != nil {
			require.Empty(t, label)
			return
		}
		require.GreaterOrEqual(t, probe.Level(level), probe.LevelHandshake)
		require.NotContains(t, label, "\n")
		if called, ok := strings.CutPrefix(label, "session request "); ok {
			require.Len(t, plain, 72)
			require.Equal(t, request, string(plain[:4]))
			require.Equal(t, encoded(handclasp), string(plain[38:]))
			require.True(t, strings.HasSuffix(called, "<20>"))
			return
		}
		require.Len(t, plain, 50)
		require.Equal(t, plainQuery, string(plain[2:12]))
		require.Contains(t, []string{nbstat, nb}, string(plain[46:]))
	})
}
