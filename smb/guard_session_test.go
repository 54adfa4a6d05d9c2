package smb

import (
	"bytes"
	"context"
	"encoding/asn1"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/probe"
)

// A sending is what a null session sends, in its order.
type sending probe.Transcript

func sent(t testing.TB) (list sending) {
	server := serve(fakesmb.Visit{Shares: fakeShares(longList(20, 10)), Fragment: 300})
	r := visitServer("3.1.1", server.stream)
	require.NoError(t, r.Err)
	for _, e := range r.Transcript {
		if e.Dir == probe.DirSend {
			list = append(list, e)
		}
	}
	return list
}

// sent1 is what one of SMB1 sends, with extended security or without.
func sent1(t testing.TB, old bool) (list sending) {
	server := fakesmb.Server{
		SMB1: []string{dialectNTLM012}, Security: 7, Old: old, Token: fakesmb.Mechanisms(fakesmb.NTLM),
		Visit: &fakesmb.Visit{Shares: fakeShares(longList(20, 10)), Fragment: 300, Part: 100},
	}
	near, far := net.Pipe()
	go server.Handle(far)
	r := probe.Run(t.Context(), visitor{dialectNTLM012}, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:445")}, &probe.Options{
		Level: probe.LevelAnonymous, Dial: func(context.Context, string, string) (net.Conn, error) { return near, nil },
	})
	require.NoError(t, r.Err)
	_ = far.Close()
	for _, e := range r.Transcript {
		if e.Dir == probe.DirSend {
			list = append(list, e)
		}
	}
	return list
}

func (list sending) at(t testing.TB, label string) int {
	i := slices.IndexFunc(list, func(e probe.Event) bool { return e.Label == label })
	require.GreaterOrEqual(t, i, 0, label)
	return i
}

// guard returns the guard of a connection on which so many messages were sent.
func (list sending) guard(t testing.TB, before int) probe.Guard {
	g := Prober{}.newGuard(probe.Contact{})
	for _, e := range list[:before] {
		_, err := g(probe.LevelAnonymous, e.Data)
		require.NoError(t, err, e.Label)
	}
	return g
}

func TestGuardSessionAllows(t *testing.T) {
	list := sent(t)
	var labels []string
	for i, e := range list {
		labels = append(labels, e.Label)
		_, err := list.guard(t, i)(probe.LevelGreeting, e.Data)
		require.Error(t, err)
		_, err = list.guard(t, i)(probe.LevelHandshake, e.Data)
		require.Equal(t, i >= 2, err != nil, "%s below the level", e.Label)
	}
	require.Equal(t, []string{
		"NEGOTIATE 3.1.1", "SESSION_SETUP NTLM", "SESSION_SETUP anonymous", `TREE_CONNECT \\192.0.2.7\IPC$`, "CREATE srvsvc",
		"IOCTL RPC bind srvsvc", "IOCTL NetrShareEnum", "READ srvsvc", "CLOSE", "TREE_DISCONNECT", "LOGOFF",
	}, slices.Compact(labels))
}

func TestGuardSession1Allows(t *testing.T) {
	for _, old := range []bool{false, true} {
		list := sent1(t, old)
		var labels []string
		for i, e := range list {
			labels = append(labels, strings.TrimSuffix(e.Label, " over SMB1"))
			_, err := list.guard(t, i)(probe.LevelHandshake, e.Data)
			require.Equal(t, labels[i] != "SESSION_SETUP NTLM" && i > 0, err != nil, "%s below the level", e.Label)
			other := sent(t)
			_, err = list.guard(t, i)(probe.LevelAnonymous, other[min(i+1, len(other)-1)].Data)
			require.Error(t, err, "SMB 2 behind %s", e.Label)
		}
		want := []string{
			"SESSION_SETUP NTLM", "SESSION_SETUP anonymous", `TREE_CONNECT \\192.0.2.7\IPC$`, "CREATE srvsvc",
			"IOCTL RPC bind srvsvc", "IOCTL NetrShareEnum", "READ srvsvc", "CLOSE", "TREE_DISCONNECT", "LOGOFF",
		}
		if old {
			want = want[1:]
		}
		require.Equal(t, want, slices.Compact(labels[1:]))
	}
}

// A server may refuse any step, and give a session without the login: what may follow then does, and nothing else.
func TestGuardSessionKnowsTheOrder(t *testing.T) {
	list := sent(t)
	label := map[string]string{
		"negotiate": "NEGOTIATE 3.1.1", "setup": "SESSION_SETUP NTLM", "login": "SESSION_SETUP anonymous", "tree": `TREE_CONNECT \\192.0.2.7\IPC$`,
		"create": "CREATE srvsvc", "bind": "IOCTL RPC bind srvsvc", "call": "IOCTL NetrShareEnum", "read": "READ srvsvc", "close": "CLOSE",
		"disconnect": "TREE_DISCONNECT", "logoff": "LOGOFF",
	}
	for conversation, good := range map[string]bool{ // whether the last step may be
		"negotiate setup logoff":                                     true,
		"negotiate setup tree logoff":                                true,
		"negotiate setup login tree disconnect logoff":               true,
		"negotiate setup login tree create close disconnect":         true,
		"negotiate setup login tree create bind close":               true,
		"negotiate setup login tree create bind read call read read": true,
		"negotiate login":                                            false,
		"negotiate tree":                                             false,
		"negotiate logoff":                                           false,
		"negotiate setup create":                                     false,
		"negotiate setup login login":                                false,
		"negotiate setup login tree tree":                            false,
		"negotiate setup login tree bind":                            false,
		"negotiate setup login tree create call":                     false,
		"negotiate setup login tree create read":                     false,
		"negotiate setup login tree create disconnect":               true,
		"negotiate setup login tree create bind call call":           false,
		"negotiate setup login logoff tree":                          false,
	} {
		g := Prober{}.newGuard(probe.Contact{})
		steps := strings.Fields(conversation)
		for i, step := range steps {
			m := bytes.Clone(list[list.at(t, label[step])].Data)
			le.PutUint64(m[frameSize+24:], uint64(i))
			_, err := g(probe.LevelAnonymous, m)
			require.Equal(t, i < len(steps)-1 || good, err == nil, "%s: %s", conversation, step)
		}
	}
}

// Any change of a byte is refused, but of those that tell nothing: a charge of one credit or none, the numbers of sessions,
// trees, handles and calls, sizes that are smaller, and what the server's address may be.
func TestGuardSessionRefusesChanges(t *testing.T) {
	const call, address = 16 + 8, 16 + 8 + 16                                   // of an RPC PDU: its pointer and the server's name behind the header
	refusesChanges(t, sent(t), [][2]int{{6, 7}, {36, 48}}, map[string][][2]int{ // offsets, from the message's beginning on
		"SESSION_SETUP anonymous": {{88 + 13 + 60, 88 + 13 + 64}},                                                                                              // NTLM's flags, of which one counts
		"IOCTL RPC bind srvsvc":   {{72, 88}, {108, 110}, {120 + 12, 120 + 20}},                                                                                // handle, size, call and fragments
		"IOCTL NetrShareEnum":     {{72, 88}, {108, 110}, {120 + 12, 120 + 20}, {120 + call, 120 + call + 4}, {120 + address, 120 + address + 18}, {188, 192}}, // the same, pointers, address
		"READ srvsvc":             {{68, 70}, {80, 96}},                                                                                                        // size, handle
		"CLOSE":                   {{72, 88}},
	})
	pdu := 84 // where it begins in a TRANSACTION
	for _, old := range []bool{false, true} {
		refusesChanges(t, sent1(t, old), [][2]int{{24, 26}, {28, 30}}, map[string][][2]int{
			"SESSION_SETUP anonymous over SMB1": {{43, 47}, {59 + 13 + 60, 59 + 13 + 64}},
			"IOCTL RPC bind srvsvc over SMB1":   {{39, 41}, {63, 65}, {pdu + 12, pdu + 20}},
			"IOCTL NetrShareEnum over SMB1":     {{39, 41}, {63, 65}, {pdu + 12, pdu + 20}, {pdu + call, pdu + call + 4}, {pdu + address, pdu + address + 18}, {pdu + 68, pdu + 72}},
			"READ srvsvc over SMB1":             {{37, 39}, {43, 45}},
			"CLOSE over SMB1":                   {{33, 35}},
		})
	}
}

// refusesChanges changes each byte of what a session sends from the login on, but for those that are free in each message or
// in those of a label.
func refusesChanges(t *testing.T, list sending, always [][2]int, free map[string][][2]int) {
	t.Helper()
	for at := 1; at < len(list); at++ {
		label, m := list[at].Label, list[at].Data[frameSize:]
		if label == list[at-1].Label || label == "SESSION_SETUP NTLM" || label == "SESSION_SETUP NTLM over SMB1" {
			continue // another READ, and what a handshake sends
		}
		for i := range m {
			changed := bytes.Clone(m)
			changed[i] ^= 0x41
			inFree := slices.ContainsFunc(append(free[label], always...), func(f [2]int) bool { return i >= f[0] && i < f[1] })
			if got, err := list.guard(t, at)(probe.LevelAnonymous, frame(changed)); err == nil && !inFree && got == label {
				t.Errorf("%s: byte %d may be %#02x", label, i, changed[i])
			}
			_, err := list.guard(t, at)(probe.LevelAnonymous, frame(m[:i]))
			require.Error(t, err, "%s cut to %d bytes", label, i)
		}
		_, err := list.guard(t, at)(probe.LevelAnonymous, frame(append(bytes.Clone(m), bytes.Repeat([]byte{1}, 8)...)))
		require.Error(t, err, "%s and more", label)
	}
}

// A forbidden message stands where another one is allowed.
type forbidden struct {
	name, label string
	message     []byte
}

// forbiddenSessions are messages that a null session could go on with, or that aren't its.
func forbiddenSessions(t testing.TB) (all []forbidden) {
	list := sent(t)
	const (
		setup, tree, create, read, logoff = "SESSION_SETUP anonymous", `TREE_CONNECT \\192.0.2.7\IPC$`, "CREATE srvsvc", "READ srvsvc", "LOGOFF"
		bind, ioctl                       = "IOCTL RPC bind srvsvc", "IOCTL NetrShareEnum"
	)
	add := func(name, label string, change func(m []byte) []byte) {
		m := bytes.Clone(list[list.at(t, label)].Data[frameSize:])
		all = append(all, forbidden{name, label, frame(change(m))})
	}
	// set replaces bytes at a place of the body.
	set := func(name, label string, at int, values ...byte) {
		add(name, label, func(m []byte) []byte { copy(m[headerSize+at:], values); return m })
	}
	// named replaces the name that a message ends with.
	named := func(name, label string, at int, text string) {
		add(name, label, func(m []byte) []byte {
			m = append(m[:le.Uint16(m[headerSize+at:])], utf16le(text)...)
			le.PutUint16(m[headerSize+at+2:], uint16(2*len(text)))
			return m
		})
	}
	set("a binding to a session", setup, 2, 1)
	set("an end to another session", setup, 16, 1)
	named("a share for all", tree, 4, `\\192.0.2.7\public`)
	named("an administrative share", tree, 4, `\\192.0.2.7\C$`)
	named("a share behind IPC$", tree, 4, `\\192.0.2.7\IPC$\x`)
	named("a name that hides another", tree, 4, `\\a\C$\IPC$`)
	named("the share of a name", tree, 4, `\\server\IPC$`)
	named("no share", tree, 4, ``)
	set("a tree with flags", tree, 2, 4)
	named("a file", create, 44, `secret.txt`)
	named("the pipe of accounts", create, 44, `samr`)
	named("the pipe of policies", create, 44, `lsarpc`)
	named("the pipe of services", create, 44, `svcctl`)
	named("the pipe of printers", create, 44, `spoolss`)
	named("a path to the pipe", create, 44, `..\srvsvc`)
	set("a new file", create, 36, 2)
	set("a file to replace", create, 36, 5)
	set("a file to delete", create, 40, 0x20, 0x10)
	set("all access", create, 24, 0, 0, 0, 0x10)
	set("another control code", ioctl, 4, 0x04, 0x02, 0x14, 0x00)
	set("sessions listed", ioctl, 56+22, 12)
	set("a share added", ioctl, 56+22, 14)
	set("a share deleted", ioctl, 56+22, 18)
	set("files listed", ioctl, 56+22, 9)
	add("paths of shares", ioctl, func(m []byte) []byte { copy(m[len(m)-28:], "\x02\x00\x00\x00\x02"); return m })
	set("another bind", bind, 56+32, 0x78, 0x57, 0x34, 0x12)
	set("an alteration", bind, 56+2, 14)
	set("more than a fragment", read, 4, 0, 0, 1, 0)
	for command := range uint16(20) {
		if command != commandLogoff {
			add(fmt.Sprintf("command %#02x", command), logoff, func(m []byte) []byte { le.PutUint16(m[12:], command); return m })
		}
	}
	for _, e := range list {
		for name, change := range map[string]func(m []byte){
			"a compound":       func(m []byte) { m[20] = 64 },
			"a response":       func(m []byte) { m[16] = 1 },
			"a signed":         func(m []byte) { m[16] = 8 },
			"an encrypted":     func(m []byte) { m[0] = 0xfd },
			"another number's": func(m []byte) { m[24]++ },
		} {
			add(name+" "+e.Label, e.Label, func(m []byte) []byte { change(m); return m })
		}
	}
	return all
}

func TestGuardSessionForbidden(t *testing.T) {
	list := sent(t)
	for _, c := range forbiddenSessions(t) {
		label, err := list.guard(t, list.at(t, c.label))(probe.LevelAnonymous, c.message)
		require.Error(t, err, "%s: %s", c.name, label)
	}
	i := list.at(t, "CLOSE")
	_, err := list.guard(t, i)(probe.LevelAnonymous, append(bytes.Clone(list[i].Data), list[i].Data...))
	require.Error(t, err, "two messages at once")
}

// A last message of NTLM is only allowed when there is no user in it.
func TestGuardSessionLogins(t *testing.T) {
	list := sent(t)
	i := list.at(t, "SESSION_SETUP anonymous")
	setup := list[i].Data[frameSize:]
	anonymous := setup[bytes.Index(setup, []byte("NTLMSSP\x00")):]
	require.Len(t, anonymous, 65)
	judge := func(change func(ntlm []byte) []byte) (string, error) {
		token, err := asn1.MarshalWithParams(negTokenResp{NegState: 1, ResponseToken: change(bytes.Clone(anonymous))}, "explicit,tag:1")
		require.NoError(t, err)
		m := append(bytes.Clone(setup[:headerSize+24]), token...)
		le.PutUint16(m[headerSize+14:], uint16(len(token)))
		return list.guard(t, i)(probe.LevelAnonymous, frame(m))
	}
	_, err := judge(func(b []byte) []byte { return b })
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
		label, err := judge(change)
		require.Error(t, err, "%s: %s", name, label)
	}
}

// Wherever a session is, what passes has a name, and no command but those of a null session.
func FuzzGuardSession(f *testing.F) {
	list := sent(f)
	for _, e := range list {
		f.Add(e.Data)
	}
	for _, c := range forbiddenSessions(f) {
		f.Add(c.message)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for i := range list {
			label, err := list.guard(t, i)(probe.LevelAnonymous, b)
			require.Equal(t, err == nil, label != "")
			if err == nil && i > 0 {
				require.Contains(t, []uint16{1, 2, 3, 4, 5, 6, 8, 11}, le.Uint16(b[frameSize+12:]), label)
			}
		}
	})
}
