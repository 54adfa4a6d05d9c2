package nntp

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

const (
	madeUpGroup = "GROUP handclasp.abcdefghijklmnop\r\n"
	levelAll    = probe.LevelAnonymous
	injection   = "STARTTLS\r\nDATE\r\n"
)

// pass shows a guard one write on a connection of its own.
func pass(p Prober, l probe.Level, plain string) (label string, err error) {
	return p.Spec().NewGuard(probe.Contact{})(l, []byte(plain))
}

func TestGuardAllows(t *testing.T) {
	for _, plain := range []string{
		"CAPABILITIES\r\n", "MODE READER\r\n", "LIST EXTENSIONS\r\n", "DATE\r\n", "STARTTLS\r\n", "QUIT\r\n", madeUpGroup,
	} {
		label, err := pass(Prober{}, probe.LevelHandshake, plain)
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(plain), label)
	}
	label, err := pass(Prober{}, levelAll, "LIST ACTIVE\r\n")
	require.NoError(t, err)
	require.Equal(t, "LIST ACTIVE", label)
}

// forbidden is refused at every level, with and without the knobs.
var forbidden = []string{
	// what changes something, logs in, or takes articles
	"POST\r\n", "IHAVE <a@example.org>\r\n", "CHECK <a@example.org>\r\n", "TAKETHIS <a@example.org>\r\n", "MODE STREAM\r\n",
	"AUTHINFO\r\n", "AUTHINFO USER root\r\n", "AUTHINFO PASS root\r\n", "AUTHINFO SASL PLAIN\r\n", "AUTHINFO GENERIC x\r\n",
	"ARTICLE 1\r\n", "ARTICLE\r\n", "HEAD 1\r\n", "BODY 1\r\n", "STAT 1\r\n", "NEXT\r\n", "LAST\r\n", "XOVER 1-\r\n", "OVER 1-\r\n",
	"HDR Subject 1-\r\n", "XHDR Subject 1-\r\n", "XPAT Subject 1- *\r\n", "NEWNEWS * 20000101 000000\r\n", "NEWGROUPS 20000101 000000\r\n",
	"LISTGROUP handclasp.abcdefghijklmnop\r\n", "SLAVE\r\n", "HELP\r\n", "XREPLIC x:1\r\n", "COMPRESS DEFLATE\r\n", "XGTITLE *\r\n",
	"CANCEL <a@example.org>\r\n", "BATCH 10\r\n", "XBATCH 10\r\n",
	// more of what is allowed
	"CAPABILITIES AUTOUPDATE\r\n", "DATE now\r\n", "QUIT now\r\n", "STARTTLS now\r\n", "MODE\r\n", "MODE READER STREAM\r\n",
	"LIST\r\n", "LIST ACTIVE *\r\n", "LIST ACTIVE.TIMES\r\n", "LIST NEWSGROUPS\r\n", "LIST EXTENSIONS x\r\n", "LIST EXTENSIONS \r\n",
	"CAPABILITIES \r\n", " CAPABILITIES\r\n", "capabilities\r\n", "Date\r\n", "MODE  READER\r\n", "MODE\tREADER\r\n",
	// names that may exist
	"GROUP\r\n", "GROUP \r\n", "GROUP misc.test\r\n", "GROUP handclasp\r\n", "GROUP handclasp.test\r\n", "GROUP *\r\n",
	"GROUP handclasp.abcdefghijklmnopq\r\n", "GROUP handclasp.abcdefghijklmno\r\n", "GROUP handclasp.ABCDEFGHIJKLMNOP\r\n",
	"GROUP xhandclasp.abcdefghijklmnop\r\n", "GROUP handclaspxabcdefghijklmnop\r\n", "GROUP handclasp.abcdefghijklmnop 1\r\n",
	"GROUP handclasp.abcdefgh.jklmnop\r\n", "group handclasp.abcdefghijklmnop\r\n", "GROUP  handclasp.abcdefghijklmnop\r\n",
	"GROUP handclasp.abcdefghijklmnop\n\r\n",
	// more or less than one line
	"", "\r\n", "QUIT", "QUIT\n", "QUIT\r", "DATE\nPOST\r\n", "DATE\rPOST\r\n", "DATE\r\nPOST\r\n", "DATE\r\nDATE\r\n", "\r\nDATE\r\n", "DATE\r\n\r\n",
	"DATE\x00\r\n", "\x00DATE\r\n", "\x16\x03\x01\x02\x00\x01\r\n", madeUpGroup + "POST\r\n", madeUpGroup + madeUpGroup,
	"STARTTLS\r\nDATE\r\nPOST\r\n", "STARTTLS\r\nPOST\r\n", "STARTTLS\r\nQUIT\r\n", "DATE\r\nSTARTTLS\r\n", "STARTTLS\nDATE\r\n",
	"DATE " + strings.Repeat(" ", 600) + "\r\n", strings.Repeat("A", 1<<16) + "\r\n",
}

func TestGuardRefuses(t *testing.T) {
	for _, plain := range forbidden {
		for _, l := range []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous} {
			for _, p := range []Prober{{}, {Injection: true}} {
				label, err := pass(p, l, plain)
				require.Error(t, err, "%q at level %v", plain, l)
				require.Empty(t, label)
			}
		}
	}
	_, err := pass(Prober{}, probe.LevelHandshake, "LIST ACTIVE\r\n")
	require.Error(t, err)
	_, err = pass(Prober{}, probe.LevelGreeting, "QUIT\r\n")
	require.Error(t, err)
}

// Only a prober with the knob may send two commands, and these two only.
func TestGuardInjection(t *testing.T) {
	_, err := pass(Prober{}, levelAll, injection)
	require.Error(t, err)
	label, err := pass(Prober{Injection: true}, probe.LevelHandshake, injection)
	require.NoError(t, err)
	require.NotEmpty(t, label)
	_, err = pass(Prober{Injection: true}, probe.LevelGreeting, injection)
	require.Error(t, err)
}

// MODE READER may not follow STARTTLS, and each passes once a connection.
func TestGuardKeepsOrder(t *testing.T) {
	for _, test := range []struct {
		first []string
		then  string
	}{
		{[]string{"STARTTLS\r\n"}, "MODE READER\r\n"},
		{[]string{injection}, "MODE READER\r\n"},
		{[]string{"STARTTLS\r\n"}, injection},
		{[]string{injection}, "STARTTLS\r\n"},
		{[]string{"MODE READER\r\n", "STARTTLS\r\n"}, "STARTTLS\r\n"},
		{[]string{"MODE READER\r\n"}, "MODE READER\r\n"},
	} {
		spec := Prober{Injection: true}.Spec()
		guard := spec.NewGuard(probe.Contact{})
		for _, plain := range test.first {
			_, err := guard(probe.LevelHandshake, []byte(plain))
			require.NoError(t, err, "%q", plain)
		}
		_, err := guard(probe.LevelHandshake, []byte(test.then))
		require.Error(t, err, "%q behind %q", test.then, test.first)
		_, err = guard(probe.LevelHandshake, []byte("CAPABILITIES\r\n"))
		require.NoError(t, err, "other commands stay as they are")
	}
}

// The name that is made up begins with the visitor's, if there is one, and no other.
func TestGuardKnowsTheVisitor(t *testing.T) {
	scanner := Prober{}.newGuard(probe.Contact{Host: "scan.example.org"})
	for plain, good := range map[string]bool{
		"GROUP scan.example.org.abcdefghijklmnop\r\n": true, madeUpGroup: false, "GROUP scan.example.org\r\n": false,
		"GROUP scan.example.com.abcdefghijklmnop\r\n": false, "GROUP abcdefghijklmnop\r\n": false, "GROUP scan.example.org.misc.test\r\n": false,
	} {
		_, err := scanner(probe.LevelHandshake, []byte(plain))
		require.Equal(t, good, err == nil, "%q: %v", plain, err)
	}
	// What a session refuses as a name doesn't pass either.
	_, err := Prober{}.newGuard(probe.Contact{Host: "misc.test *"})(probe.LevelHandshake, []byte("GROUP misc.test *.abcdefghijklmnop\r\n"))
	require.Error(t, err)
}

// Whatever the guard lets through is one line, of a few known ones.
func FuzzGuard(f *testing.F) {
	for _, plain := range append(forbidden, madeUpGroup, "LIST ACTIVE\r\n", "MODE READER\r\n", injection) {
		f.Add(int8(probe.LevelAnonymous), []byte(plain))
	}
	f.Fuzz(func(t *testing.T, level int8, plain []byte) {
		label, err := pass(Prober{}, probe.Level(level), string(plain))
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, probe.Level(level), probe.LevelHandshake)
		require.Equal(t, label+"\r\n", string(plain))
		if name, ok := strings.CutPrefix(label, "GROUP handclasp."); ok {
			require.Len(t, name, 16)
			require.Empty(t, strings.Trim(name, "abcdefghijklmnopqrstuvwxyz"))
			return
		}
		known := []string{"CAPABILITIES", "MODE READER", "LIST EXTENSIONS", "DATE", "STARTTLS", "QUIT"}
		if probe.Level(level) >= probe.LevelAnonymous {
			known = append(known, "LIST ACTIVE")
		}
		require.Contains(t, known, label)
	})
}
