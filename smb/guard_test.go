package smb

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/internal/ntlmssp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// sendable is each kind of message that the prober sends, and its name.
func sendable(t testing.TB) map[string][]byte {
	calling, err := nbt.MakeName("HANDCLASP", nbt.SuffixWorkstation)
	require.NoError(t, err)
	token := ntlmToken(ntlmssp.Negotiate())
	return map[string][]byte{
		"NEGOTIATE 2.0.2":                     offered(dialects[:1], offer{}),
		"NEGOTIATE 3.0.2":                     offered(dialects[3:4], everything),
		"NEGOTIATE 3.1.1":                     offered(dialects[4:], everything),
		"NEGOTIATE 2.0.2 2.1 3.0 3.0.2 3.1.1": offered(dialects, everything),
		"SESSION_SETUP NTLM":                  frame(setup2(dialect311, token)),
		"NEGOTIATE NT LM 0.12":                frame(negotiate1(smb1Dialects[4:], true)),
		"SESSION_SETUP NTLM over SMB1":        frame(setup1(7, token)),
		"SESSION REQUEST *SMBSERVER":          nbt.AppendSessionRequest(nil, nbt.AnyServer, calling),
		"NBSTAT":                              nbt.StatusQuery(nil, 0x4711, nbt.Wildcard),
		"NEGOTIATE PC NETWORK PROGRAM 1.0, LANMAN1.0, LM1.2X002, LANMAN2.1": frame(negotiate1(lanmanDialects, false)),
	}
}

func offered(list []uint16, algorithms offer) []byte {
	return frame(header{command: commandNegotiate}.request(negotiate(list, algorithms, [randomSize]byte{})))
}

// setup2 is a session setup of SMB 2.
func setup2(dialect uint16, token []byte) []byte {
	return header{command: commandSessionSetup, charge: chargeOf(dialect), message: 1}.request(sessionSetup(token))
}

// setup1 is a session setup of SMB1.
func setup1(sessionKey uint32, token []byte) []byte {
	return header1{command: command1SessionSetup, flags2: flags2(true), multiplex: 1}.request(sessionSetup1(sessionKey, token))
}

// atHandshake asks the guards of connections on which nothing was sent yet, a negotiation was, and an SMB1 one. It returns
// what the first of them says that lets the message pass.
func atHandshake(t testing.TB, l probe.Level, message []byte) (label string, err error) {
	for _, before := range []string{"", "NEGOTIATE 3.1.1", "NEGOTIATE NT LM 0.12"} {
		g := Prober{}.newGuard(probe.Contact{})
		if before != "" {
			_, err := g(probe.LevelHandshake, sendable(t)[before])
			require.NoError(t, err)
		}
		if label, err = g(l, message); err == nil {
			return label, nil
		}
	}
	return label, err
}

func TestGuardAllows(t *testing.T) {
	for want, message := range sendable(t) {
		for _, l := range []probe.Level{probe.LevelHandshake, probe.LevelAnonymous} {
			label, err := atHandshake(t, l, message)
			require.NoError(t, err, want)
			require.Equal(t, want, label)
		}
		_, err := atHandshake(t, probe.LevelGreeting, message)
		require.Error(t, err, want)
	}
	for _, bare := range [][]byte{frame(setup2(dialect202, ntlmssp.Negotiate())), frame(setup1(0, ntlmssp.Negotiate()))} {
		_, err := atHandshake(t, probe.LevelHandshake, bare)
		require.NoError(t, err)
	}
}

// Each byte matters but for those that are random, and NTLM's flags and version.
func TestGuardKnowsEachByte(t *testing.T) {
	const flagsAndVersion = 4 + 8
	for name, free := range map[string]int{
		"NEGOTIATE 2.0.2":              1 + guidSize, // a charge of one credit or none
		"SESSION_SETUP NTLM":           1 + flagsAndVersion,
		"SESSION_SETUP NTLM over SMB1": 4 + flagsAndVersion, // the session key
		"NEGOTIATE NT LM 0.12":         1,                   // extended security or not
		"NEGOTIATE 3.1.1":              1 + randomSize,
		"NBSTAT":                       2,
	} {
		message := sendable(t)[name]
		for i := range message {
			for _, flip := range []byte{1, 8, 0xff} {
				changed := slices.Clone(message)
				changed[i] ^= flip
				if label, err := atHandshake(t, probe.LevelHandshake, changed); err == nil && label == name {
					free--
					break
				}
			}
			_, err := atHandshake(t, probe.LevelHandshake, message[:i])
			require.Error(t, err, "%s, its first %d bytes", name, i)
		}
		require.Zero(t, free, name)
		_, err := atHandshake(t, probe.LevelHandshake, append(slices.Clone(message), 0))
		require.Error(t, err, "%s and a byte", name)
		_, err = atHandshake(t, probe.LevelHandshake, append(slices.Clone(message), message...))
		require.Error(t, err, "%s twice", name)
	}
}

// header2 is a header of SMB 2 and a body.
func header2(command uint16, body string) []byte {
	return frame(header{command: command, message: 1}.request([]byte(body)))
}

// A connection has one negotiation, which comes first, and at a handshake one session setup, which comes last.
func TestGuardKnowsTheOrder(t *testing.T) {
	all := sendable(t)
	const (
		session, negotiate, setup = "SESSION REQUEST *SMBSERVER", "NEGOTIATE 3.1.1", "SESSION_SETUP NTLM"
		names, negotiate1, setup1 = "NBSTAT", "NEGOTIATE NT LM 0.12", "SESSION_SETUP NTLM over SMB1"
	)
	for _, c := range []struct {
		sent []string
		last bool // whether the last of them may be
	}{
		{[]string{session, negotiate, setup}, true},
		{[]string{session, negotiate1, setup1}, true},
		{[]string{names, names}, true},
		{[]string{names, negotiate}, false},
		{[]string{setup}, false},
		{[]string{setup1}, false},
		{[]string{session, setup}, false},
		{[]string{session, session}, false},
		{[]string{negotiate, session}, false},
		{[]string{negotiate, negotiate}, false},
		{[]string{negotiate, negotiate1}, false},
		{[]string{negotiate, setup1}, false},
		{[]string{negotiate1, setup}, false},
		{[]string{negotiate, setup, setup}, false},
		{[]string{negotiate, setup, negotiate}, false},
	} {
		g := Prober{}.newGuard(probe.Contact{})
		for i, name := range c.sent {
			_, err := g(probe.LevelAnonymous, all[name])
			require.Equal(t, i < len(c.sent)-1 || c.last, err == nil, "%v: %d", c.sent, i)
		}
	}
}

// What a handshake never sends.
func TestGuardForbids(t *testing.T) {
	change := func(name string, at int, to ...byte) []byte {
		m := slices.Clone(sendable(t)[name])
		copy(m[at:], to)
		return m
	}
	authenticate := append([]byte("NTLMSSP\x00\x03\x00\x00\x00"), make([]byte, 28)...)
	named := slices.Clone(ntlmssp.Negotiate())
	named[16] = 4
	for name, message := range map[string][]byte{
		"nothing":                  {},
		"an empty frame":           {0, 0, 0, 0},
		"LOGOFF":                   header2(2, "\x04\x00\x00\x00"),
		"TREE_CONNECT":             header2(3, "\x09\x00\x00\x00\x48\x00\x02\x00\\\x00"),
		"TREE_DISCONNECT":          header2(4, "\x04\x00\x00\x00"),
		"CREATE":                   header2(5, "\x39\x00"),
		"READ":                     header2(8, "\x31\x00"),
		"WRITE":                    header2(9, "\x31\x00"),
		"IOCTL":                    header2(11, "\x39\x00"),
		"QUERY_DIRECTORY":          header2(14, "\x21\x00"),
		"SET_INFO":                 header2(17, "\x21\x00"),
		"a login":                  frame(setup2(dialect311, ntlmToken(authenticate))),
		"a login over SMB1":        frame(setup1(0, ntlmToken(authenticate))),
		"a workstation's name":     frame(setup2(dialect311, ntlmToken(named))),
		"a bare login":             frame(setup2(dialect311, authenticate)),
		"another mechanism":        frame(setup2(dialect311, bytes.Replace(ntlmToken(ntlmssp.Negotiate()), []byte{0x37, 2, 2, 0x0a}, []byte{0x37, 2, 2, 0x1e}, 1))),
		"a session bound":          change("SESSION_SETUP NTLM", 4+66, 1),
		"a session before":         change("SESSION_SETUP NTLM", 4+80, 1),
		"a signed message":         change("SESSION_SETUP NTLM", 4+16, 8),
		"a session of another":     change("SESSION_SETUP NTLM", 4+40, 1),
		"a tree":                   change("NEGOTIATE 2.0.2", 4+36, 1),
		"a compound":               change("NEGOTIATE 2.0.2", 4+20, 0x68),
		"an encrypted message":     change("NEGOTIATE 2.0.2", 4, 0xfd),
		"a compressed message":     change("NEGOTIATE 2.0.2", 4, 0xfc),
		"the wildcard dialect":     change("NEGOTIATE 2.0.2", 4+100, 0xff, 0x02),
		"the context of a name":    change("NEGOTIATE 3.1.1", 4+104, 5),
		"a context too many":       change("NEGOTIATE 3.1.1", 4+96, 5),
		"a hash of another kind":   change("NEGOTIATE 3.1.1", 4+104+8+4, 2),
		"a long salt promised":     change("NEGOTIATE 3.1.1", 4+104+8+2, 0xff),
		"more hashes promised":     change("NEGOTIATE 3.1.1", 4+104+8, 0xff, 0xff),
		"more ciphers promised":    change("NEGOTIATE 3.1.1", 4+152+8, 0xff, 0xff),
		"a cipher that isn't":      change("NEGOTIATE 3.1.1", 4+152+8+2, 0x99),
		"a cipher twice":           change("NEGOTIATE 3.1.1", 4+152+8+2, 1),
		"a context twice":          change("NEGOTIATE 3.1.1", 4+152, 1),
		"padding that says a word": change("NEGOTIATE 3.1.1", 4+104+8+38, 'x'),
		"a reserved field":         change("NEGOTIATE 3.1.1", 4+104+4, 1),
		"contexts elsewhere":       change("NEGOTIATE 3.1.1", 4+92, 0x70),
		"another's sessions ended": change("SESSION_SETUP NTLM over SMB1", 4+41, 0),
		"a command behind":         change("SESSION_SETUP NTLM over SMB1", 4+33, 0x75),
		"SMB1's TREE_CONNECT_ANDX": change("SESSION_SETUP NTLM over SMB1", 4+4, 0x75),
		"SMB1's TRANSACTION2":      change("NEGOTIATE NT LM 0.12", 4+4, 0x32),
		"SMB1's ECHO":              change("NEGOTIATE NT LM 0.12", 4+4, 0x2b),
		"SMB 2 behind SMB1":        frame(negotiate1([]string{dialectNTLM012, "SMB 2.002"}, true)),
		"any SMB 2 behind SMB1":    frame(negotiate1([]string{dialectNTLM012, "SMB 2.???"}, true)),
		"a workstation called":     change("SESSION REQUEST *SMBSERVER", 4+31, 'A', 'A'),
		"another name calling":     change("SESSION REQUEST *SMBSERVER", 4+35, 'F'),
		"a registration":           change("NBSTAT", 2, 0x28),
		"a broadcast":              change("NBSTAT", 3, 0x10),
		"the addresses of a name":  change("NBSTAT", 47, 0x20),
		"HTTP":                     []byte("GET / HTTP/1.0\r\n\r\n"),
	} {
		for _, l := range []probe.Level{probe.LevelGreeting, probe.LevelHandshake} {
			label, err := atHandshake(t, l, message)
			require.Error(t, err, name)
			require.Empty(t, label, name)
		}
	}
}

func FuzzGuard(f *testing.F) {
	for _, m := range sendable(f) {
		f.Add(m)
	}
	paths, err := filepath.Glob("testdata/transcripts/samba-*.txt")
	require.NoError(f, err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(f, err)
		rec, err := replay.Parse(text)
		require.NoError(f, err)
		for _, e := range rec.Transcript {
			if e.Dir == probe.DirSend {
				f.Add(e.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for l := probe.LevelGreeting; l <= probe.LevelAnonymous; l++ {
			if label, err := atHandshake(t, l, b); (err == nil) != (label != "") {
				t.Errorf("label %q, error %v", label, err)
			}
		}
		// What passes at handshake holds no command but these, whatever else is in it.
		if _, err := atHandshake(t, probe.LevelHandshake, b); err == nil && len(b) > 4 && b[0] == 0 && string(b[4:8]) == magicSMB2 {
			require.LessOrEqual(t, le.Uint16(b[16:]), uint16(commandSessionSetup))
		}
	})
}
