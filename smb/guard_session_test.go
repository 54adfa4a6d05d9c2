package smb

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/probe"
)

// sent returns what a session without a user sends, by the guard's names, without frames.
func sent(t testing.TB) map[string][]byte {
	server := serve(fakesmb.Visit{Shares: fakeShares(longList(20, 10)), Fragment: 300})
	r := visitServer("3.1.1", server.stream)
	require.NoError(t, r.Err)
	messages := map[string][]byte{}
	for _, e := range r.Transcript {
		if e.Dir == probe.DirSend {
			messages[e.Label] = e.Data[frameSize:]
		}
	}
	return messages
}

func TestGuardSessionAllows(t *testing.T) {
	labels := []string{
		"NEGOTIATE 3.1.1", "SESSION_SETUP NTLM", "SESSION_SETUP anonymous", `TREE_CONNECT \\192.0.2.7\IPC$`, "CREATE srvsvc",
		"IOCTL RPC bind srvsvc", "IOCTL NetrShareEnum", "READ srvsvc", "CLOSE", "TREE_DISCONNECT", "LOGOFF",
	}
	messages := sent(t)
	require.Len(t, messages, len(labels))
	for _, label := range labels {
		m := messages[label]
		require.NotNil(t, m, label)
		_, err := guard(probe.LevelAnonymous, frame(m))
		require.NoError(t, err)
		_, err = guard(probe.LevelGreeting, frame(m))
		require.Error(t, err)
		if label != "NEGOTIATE 3.1.1" && label != "SESSION_SETUP NTLM" {
			_, err = guard(probe.LevelHandshake, frame(m))
			require.Error(t, err, "%s below the level", label)
		}
	}
}

// Any change of a byte is refused, but of those that tell nothing: numbers of messages, sessions, trees and handles, and
// what the server's address may be.
func TestGuardSessionRefusesChanges(t *testing.T) {
	free := map[string][][2]int{ // offsets, from the header's end on
		"SESSION_SETUP anonymous": {{3, 8}, {14, 16}, {24, 24 + 14}}, // security mode, capabilities; see below for the rest
		"CREATE srvsvc":           {{4, 5}},                          // impersonation up to 2
		"IOCTL RPC bind srvsvc":   {{8, 24}, {44, 46}, {68, 76}},     // handle, smaller fragments, number of the call
		"IOCTL NetrShareEnum":     {{8, 24}, {44, 46}, {68, 76}, {80, 84}, {96, 114}, {124, 128}},
		"READ srvsvc":             {{4, 6}, {8, 32}, {32, 36}},
		"CLOSE":                   {{8, 24}},
	}
	for label, m := range sent(t) {
		if label == "NEGOTIATE 3.1.1" || label == "SESSION_SETUP NTLM" || label == "SESSION_SETUP anonymous" {
			continue
		}
		for i := range m {
			changed := bytes.Clone(m)
			changed[i] ^= 0x41
			inFree := i == 6 || i >= 14 && i < 16 || i >= 24 && i < 48
			for _, f := range free[label] {
				inFree = inFree || i-headerSize >= f[0] && i-headerSize < f[1]
			}
			got, err := guardSession(changed)
			if err == nil && !inFree && got == label {
				t.Errorf("%s: byte %d of the body may be %#02x", label, i-headerSize, changed[i])
			}
		}
		for n := range m {
			_, err := guardSession(m[:n])
			require.Error(t, err, "%s cut to %d bytes", label, n)
		}
		_, err := guardSession(append(bytes.Clone(m), bytes.Repeat([]byte{1}, 8)...))
		require.Error(t, err, "%s and more", label)
	}
}

// withName replaces the name that a message ends with.
func withName(m []byte, at int, name string) []byte {
	m = bytes.Clone(m)
	fixed := int(le.Uint16(m[headerSize+at:]))
	m = append(m[:fixed], utf16le(name)...)
	le.PutUint16(m[headerSize+at+2:], uint16(2*len(name)))
	return m
}

func set(m []byte, at int, values ...byte) []byte {
	m = bytes.Clone(m)
	copy(m[headerSize+at:], values)
	return m
}

// forbiddenSessions are messages that a session without a user could go on with, or that aren't its.
func forbiddenSessions(t testing.TB) map[string][]byte {
	ok := sent(t)
	tree, create, ioctl, setup := ok[`TREE_CONNECT \\192.0.2.7\IPC$`], ok["CREATE srvsvc"], ok["IOCTL NetrShareEnum"], ok["SESSION_SETUP anonymous"]
	list := map[string][]byte{
		"a binding to a session":    set(setup, 2, 1),
		"an end to another session": set(setup, 16, 1),
		"a share for all":           withName(tree, 4, `\\192.0.2.7\public`),
		"an administrative share":   withName(tree, 4, `\\192.0.2.7\C$`),
		"a share behind IPC$":       withName(tree, 4, `\\192.0.2.7\IPC$\x`),
		"a name that hides another": withName(tree, 4, `\\a\C$\IPC$`),
		"the share of a name":       withName(tree, 4, `\\server\IPC$`),
		"no share":                  withName(tree, 4, ``),
		"a tree with flags":         set(tree, 2, 4),
		"a file":                    withName(create, 44, `secret.txt`),
		"the pipe of accounts":      withName(create, 44, `samr`),
		"the pipe of policies":      withName(create, 44, `lsarpc`),
		"the pipe of services":      withName(create, 44, `svcctl`),
		"the pipe of printers":      withName(create, 44, `spoolss`),
		"a path to the pipe":        withName(create, 44, `..\srvsvc`),
		"a new file":                set(create, 36, 2),
		"a file to replace":         set(create, 36, 5),
		"a file to delete":          set(create, 40, 0x20, 0x10),
		"all access":                set(create, 24, 0, 0, 0, 0x10),
		"another control code":      set(ioctl, 4, 0x04, 0x02, 0x14, 0x00),
		"sessions listed":           set(ioctl, 56+22, 12),
		"a share added":             set(ioctl, 56+22, 14),
		"a share deleted":           set(ioctl, 56+22, 18),
		"files listed":              set(ioctl, 56+22, 9),
		"paths of shares":           set(ioctl, len(ioctl)-headerSize-28, 2, 0, 0, 0, 2),
		"another bind":              set(ok["IOCTL RPC bind srvsvc"], 56+32, 0x78, 0x57, 0x34, 0x12),
		"an alteration":             set(ok["IOCTL RPC bind srvsvc"], 56+2, 14),
		"more than a fragment":      set(ok["READ srvsvc"], 4, 0, 0, 1, 0),
	}
	for command := range uint16(20) {
		m := bytes.Clone(ok["LOGOFF"])
		le.PutUint16(m[12:], command)
		if known := []uint16{commandLogoff, commandTreeDisconnect}; !slices.Contains(known, command) {
			list[fmt.Sprintf("command %#02x", command)] = m
		}
	}
	for label, m := range ok {
		compound, response, encrypted := bytes.Clone(m), bytes.Clone(m), bytes.Clone(m)
		compound[20] = 64
		response[16] = 1
		encrypted[0] = 0xfd
		list["a compound "+label], list["a response "+label], list["an encrypted "+label] = compound, response, encrypted
	}
	return list
}

func TestGuardSessionForbidden(t *testing.T) {
	for name, m := range forbiddenSessions(t) {
		label, err := guard(probe.LevelAnonymous, frame(m))
		require.Error(t, err, "%s: %s", name, label)
	}
	both := sent(t)["CLOSE"]
	_, err := guard(probe.LevelAnonymous, append(frame(both), frame(both)...))
	require.Error(t, err, "two messages at once")
}

// A last message of NTLM is only allowed where it is nobody's.
func TestGuardSessionLogins(t *testing.T) {
	setup := sent(t)["SESSION_SETUP anonymous"]
	at := bytes.Index(setup, []byte("NTLMSSP\x00"))
	anonymous := setup[at:]
	require.Len(t, anonymous, 65)
	with := func(change func(ntlm []byte) []byte) []byte {
		ntlm := change(bytes.Clone(anonymous))
		token, err := nobodyToken(ntlm)
		require.NoError(t, err)
		m := append(bytes.Clone(setup[:headerSize+24]), token...)
		le.PutUint16(m[headerSize+14:], uint16(len(token)))
		return m
	}
	_, err := guardSession(with(func(b []byte) []byte { return b }))
	require.NoError(t, err, "the test's own wrapping")
	field := func(at int, value []byte) func([]byte) []byte {
		return func(b []byte) []byte {
			le.PutUint16(b[at:], uint16(len(value)))
			le.PutUint16(b[at+2:], uint16(len(value)))
			le.PutUint32(b[at+4:], uint32(len(b)))
			return append(b, value...)
		}
	}
	for name, change := range map[string]func([]byte) []byte{
		"a user":             field(36, utf16le("guest")),
		"a domain":           field(28, utf16le("WORKGROUP")),
		"a workstation":      field(44, utf16le("HANDCLASP")),
		"an LM response":     field(12, make([]byte, 24)),
		"an NT response":     field(20, make([]byte, 24)),
		"a session key":      field(52, make([]byte, 16)),
		"a byte of a user":   func(b []byte) []byte { b[36], b[38] = 1, 1; return b },
		"another byte":       func(b []byte) []byte { b[64] = 'x'; return b },
		"somebody's flags":   func(b []byte) []byte { b[61] &^= 0x08; return b },
		"another type":       func(b []byte) []byte { b[8] = 2; return b },
		"something behind":   func(b []byte) []byte { return append(b, 0) },
		"something missing":  func(b []byte) []byte { return b[:64] },
		"two messages":       func(b []byte) []byte { return append(b, b...) },
		"no message":         func([]byte) []byte { return []byte("ssh-ed25519 and the like") },
		"only its beginning": func([]byte) []byte { return []byte("NTLMSSP\x00") },
	} {
		label, err := guardSession(with(change))
		require.Error(t, err, "%s: %s", name, label)
	}
}

// nobodyToken wraps as the library does.
func nobodyToken(ntlm []byte) ([]byte, error) {
	head, err := hex.DecodeString("a1820000" + "30820000" + "a0030a0101" + "a2820000" + "0482")
	if len(ntlm) > 0x7f {
		return append(append(head, byte(len(ntlm)>>8), byte(len(ntlm))), ntlm...), err
	}
	head = append([]byte("\xa1\x00\x30\x00\xa0\x03\x0a\x01\x01\xa2\x00\x04"), byte(len(ntlm)))
	return append(head, ntlm...), err
}

func FuzzGuardSession(f *testing.F) {
	for _, m := range sent(f) {
		f.Add(m)
	}
	for _, m := range forbiddenSessions(f) {
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, m []byte) {
		label, err := guardSession(m)
		require.Equal(t, err == nil, label != "" && err == nil)
		if err == nil && (le.Uint32(m[20:]) != 0 || le.Uint32(m[16:]) != 0) {
			t.Fatalf("%s with flags", label)
		}
	})
}
