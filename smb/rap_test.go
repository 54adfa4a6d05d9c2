package smb

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/probe"
)

// visit1 runs a null session of SMB1 against a server.
func visit1(t testing.TB, server fakesmb.Server) *probe.Result {
	t.Helper()
	server.SMB1, server.Security, server.Token = []string{dialectNTLM012}, 7, fakesmb.Mechanisms(fakesmb.NTLM)
	near, far := net.Pipe()
	served := make(chan bool)
	go func() { server.Handle(far); _ = far.Close(); close(served) }()
	r := probe.Run(t.Context(), visitor{dialectNTLM012}, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:445")}, &probe.Options{
		Level: probe.LevelAnonymous, Dial: func(context.Context, string, string) (net.Conn, error) { return near, nil },
	})
	<-served
	return r
}

const nameNotFound = 0xc0000034

// A server that doesn't list its shares by the server service is asked as LAN Manager's clients do.
func TestSharesByRAP(t *testing.T) {
	shares := []Share{{"public", "disk", "for all"}, {"lp", "printer", ""}, {"ADMIN", "device", "?"}, {"IPC$", "ipc", ""}}
	only := func(command, status uint32) map[uint16]uint32 { return map[uint16]uint32{uint16(command): status} }
	for name, c := range map[string]struct {
		visit  fakesmb.Visit
		list   string
		shares []Share
		asked  bool
	}{
		"no pipe":      {visit: fakesmb.Visit{Statuses: only(command1Create, nameNotFound)}, list: "ERROR_SUCCESS", shares: shares, asked: true},
		"bind refused": {visit: fakesmb.Visit{RefuseBind: true}, list: "ERROR_SUCCESS", shares: shares, asked: true},
		"fault":        {visit: fakesmb.Visit{Fault: true}, list: "ERROR_SUCCESS", shares: shares, asked: true},
		"both refuse":  {visit: fakesmb.Visit{Result: 5}, list: "ERROR_ACCESS_DENIED", asked: true},
		"neither": {
			visit: fakesmb.Visit{Statuses: map[uint16]uint32{command1Create: nameNotFound, command1Transaction: statusNotSupported}},
			list:  "STATUS_OBJECT_NAME_NOT_FOUND", asked: true,
		},
		"the service answers": {visit: fakesmb.Visit{}, list: "ERROR_SUCCESS", shares: shares},
		"no tree":             {visit: fakesmb.Visit{Statuses: only(command1TreeConnect, accessDenied)}},
	} {
		for _, old := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				c.visit.Shares = fakeShares(shares)
				r := visit1(t, fakesmb.Server{Old: old, Visit: &c.visit})
				require.NoError(t, r.Err)
				e := evidenceOf(t, r)
				require.Equal(t, c.list, e.Anonymous.ListStatus)
				require.Equal(t, c.shares, e.Shares)
				asked := slices.ContainsFunc(r.Transcript, func(e probe.Event) bool { return e.Label == labelRAP })
				require.Equal(t, c.asked, asked)
			})
		}
	}
}

const labelRAP = "TRANSACTION NetShareEnum by RAP"

// sentRAP is what a session sends that asks so.
func sentRAP(t testing.TB) (list sending) {
	r := visit1(t, fakesmb.Server{Visit: &fakesmb.Visit{Statuses: map[uint16]uint32{command1Create: nameNotFound}}})
	require.NoError(t, r.Err)
	for _, e := range r.Transcript {
		if e.Dir == probe.DirSend {
			list = append(list, e)
		}
	}
	return list
}

func TestGuardRAP(t *testing.T) {
	list := sentRAP(t)
	at := list.at(t, labelRAP)
	m := list[at].Data[frameSize:]
	refusesChanges(t, list[:at+1], [][2]int{{24, 26}, {28, 30}}, map[string][][2]int{
		"SESSION_SETUP anonymous over SMB1": {{43, 47}, {59 + 13 + 60, 59 + 13 + 64}},
		labelRAP:                            {{39, 41}, {len(m) - 2, len(m)}}, // how much there is room for
	})
	_, err := list.guard(t, at)(probe.LevelHandshake, list[at].Data)
	require.Error(t, err, "below the level")
	for name, change := range map[string][2]string{
		"users listed":        {"\x00\x00WrLeh", "\x35\x00WrLeh"},
		"a share added":       {"\x00\x00WrLeh\x00", "\x03\x00WsTPD\x00"},
		"a print job":         {"L\x00A\x00N\x00M\x00A\x00N", "S\x00P\x00O\x00O\x00L\x00S"},
		"paths and passwords": {"B13BWz\x00\x01\x00", "B13BWz\x00\x02\x00"},
	} {
		changed := bytes.Replace(m, []byte(change[0]), []byte(change[1]), 1)
		require.NotEqual(t, m, changed, name)
		label, err := list.guard(t, at)(probe.LevelAnonymous, frame(changed))
		require.Error(t, err, "%s: %s", name, label)
	}
	for i := range list {
		if label := strings.TrimSuffix(list[i].Label, " over SMB1"); i < at && label != "CREATE srvsvc" {
			again := bytes.Clone(list[at].Data)
			le.PutUint16(again[frameSize+30:], uint16(i+1))
			_, err := list.guard(t, i+1)(probe.LevelAnonymous, again)
			require.Error(t, err, "behind %s", label)
		}
	}
}

// Wherever a session of SMB1 is, what passes has a name, and no command but those of a null session; the one call by RAP is
// NetShareEnum.
func FuzzGuardRAP(f *testing.F) {
	list := sentRAP(f)
	for _, e := range list {
		f.Add(e.Data)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for i := range list {
			label, err := list.guard(t, i)(probe.LevelAnonymous, b)
			require.Equal(t, err == nil, label != "")
			if err == nil && i > 0 {
				require.Contains(t, []byte{0x04, 0x25, 0x2e, 0x71, 0x73, 0x74, 0x75, 0xa2}, b[frameSize+4], label)
			}
			if label == labelRAP {
				require.Contains(t, string(b), "\x00\x00WrLeh\x00B13BWz\x00\x01\x00")
			}
		}
	})
}

// A rapReply is the reply to a call, in a message or several, of which each brings so many bytes of data.
func rapReply(parameters, data []byte, part int) (messages []response1) {
	for first := true; first || len(data) > 0; first = false {
		here := data[:min(part, len(data))]
		m := append(make([]byte, 100), append(bytes.Clone(parameters), here...)...)
		r := response1{message: m, at: 100}
		done := 0
		if !first {
			done = messages[len(messages)-1].done()
		}
		for _, field := range []int{rapReplySize, done + len(data), 0, len(parameters), 100, rapReplySize - len(parameters), len(here), 100 + len(parameters), done, 0} {
			r.words = le.AppendUint16(r.words, uint16(field))
		}
		messages = append(messages, r)
		parameters, data = nil, data[len(here):]
	}
	return messages
}

// done is how much of the data has come.
func (r response1) done() int { return int(le.Uint16(r.words[16:])) + int(le.Uint16(r.words[12:])) }

func rapParameters(code, converter, count uint16) (b []byte) {
	for _, field := range []uint16{code, converter, count, count} {
		b = le.AppendUint16(b, field)
	}
	return b
}

// collect returns the list that messages bring.
func collect(messages []response1) (shares []Share, code uint16, err error) {
	var t transaction
	for i, r := range messages {
		last, err := t.add(r)
		if err != nil {
			return nil, 0, err
		}
		if last != (i == len(messages)-1) {
			return nil, 0, errShort
		}
	}
	return t.shares()
}

func TestRAPReplies(t *testing.T) {
	entry := func(name string, kind, comment uint16) []byte {
		b := make([]byte, rapEntrySize)
		copy(b, name)
		le.PutUint16(b[14:], kind)
		le.PutUint16(b[16:], comment)
		return b
	}
	data := append(append(entry("thirteenchars", 0, 0x1028), entry("IPC$", 3, 0)...), "both\x00"...)
	want := []Share{{"thirteenchars", "disk", "both"}, {"IPC$", "ipc", ""}}
	for _, part := range []int{1, 7, rapEntrySize, len(data)} {
		shares, _, err := collect(rapReply(rapParameters(0, 0x1000, 2), data, part))
		require.NoError(t, err, part)
		require.Equal(t, want, shares, part)
	}
	shares, _, err := collect(rapReply(rapParameters(0, 0, 0), nil, 1))
	require.NoError(t, err)
	require.Equal(t, []Share{}, shares, "asked, and none")

	long := append(entry("a", 0, rapEntrySize), bytes.Repeat([]byte("x"), 2*rapComment)...)
	shares, _, err = collect(rapReply(rapParameters(0, 0, 1), long, len(long)))
	require.NoError(t, err)
	require.Len(t, shares[0].Comment, rapComment)

	_, code, err := collect(rapReply(rapParameters(5, 0, 0), nil, 1))
	require.NoError(t, err)
	require.EqualValues(t, 5, code)
	_, _, err = collect(rapReply(rapParameters(234, 0, 2), data, len(data)))
	require.ErrorIs(t, err, errTooMany)
	for name, messages := range map[string][]response1{
		"more entries than bytes":     rapReply(rapParameters(0, 0x1000, 3), data, len(data)),
		"a comment outside":           rapReply(rapParameters(0, 0, 2), data, len(data)),
		"no parameters":               rapReply(nil, data, len(data)),
		"a part that is missing":      rapReply(rapParameters(0, 0x1000, 2), data, 7)[1:],
		"more than was asked for":     rapReply(rapParameters(0, 0, 1), make([]byte, rapMost+1), 1000),
		"a message without its words": {{}},
	} {
		_, _, err := collect(messages)
		require.Error(t, err, name)
	}
}

// FuzzRAP gives any words, parameters and data to the readers of a reply: a list is no longer than what came.
func FuzzRAP(f *testing.F) {
	for _, r := range rapReply(rapParameters(0, 0x1000, 1), append(make([]byte, rapEntrySize), "a\x00"...), 9) {
		f.Add(r.words, r.message)
	}
	f.Fuzz(func(t *testing.T, words, message []byte) {
		var x transaction
		r := response1{message: message, words: words, at: min(len(message), smb1HeaderSize)}
		for range 3 {
			if _, err := x.add(r); err != nil {
				break
			}
		}
		require.LessOrEqual(t, len(x.data), rapMost)
		require.LessOrEqual(t, len(x.parameters), rapReplySize)
		shares, _, err := x.shares()
		require.LessOrEqual(t, len(shares)*rapEntrySize, len(x.data))
		require.True(t, err == nil || shares == nil)
		for _, s := range shares {
			require.LessOrEqual(t, len(s.Comment), 3*rapComment) // a byte may become three
		}
	})
}
