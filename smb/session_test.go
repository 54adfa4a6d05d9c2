package smb

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/probe/replay"
)

// Conversations of the whole prober at level anonymous.
const anonymousTranscripts = "testdata/transcripts/anonymous/"

func TestAnonymousReplays(t *testing.T) {
	listed := AnonymousSession{
		NegotiateStatus: "STATUS_SUCCESS", Status: "STATUS_SUCCESS", Flags: []string{}, TreeStatus: "STATUS_SUCCESS", ListStatus: "ERROR_SUCCESS",
	}
	denied, restricted := listed, listed
	denied.Status, denied.Flags, denied.TreeStatus, denied.ListStatus = "STATUS_ACCESS_DENIED", nil, "", ""
	restricted.TreeStatus, restricted.ListStatus = "STATUS_ACCESS_DENIED", ""
	open, pub := Share{"open", "disk", ""}, Share{"pub", "disk", "Public files"}
	ipc := Share{"IPC$", "ipc", "IPC Service (Samba 4.17.12-Debian)"}
	for name, want := range map[string]struct {
		null    probe.Fact
		session AnonymousSession
		shares  []Share
	}{
		"samba-4.17.12-default":    {probe.Yes, listed, []Share{pub, ipc}},
		"samba-4.17.12-nt1-guest":  {probe.Yes, listed, []Share{open, pub, ipc}},
		"samba-4.17.12-up-to-2.1":  {probe.Yes, listed, []Share{pub, ipc}},
		"samba-4.17.12-smb1-only":  {probe.Yes, listed, []Share{pub, ipc}},
		"samba-4.17.12-strict":     {probe.No, denied, nil},
		"samba-4.17.12-restricted": {probe.No, restricted, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var r *probe.Result
			if name == "samba-4.17.12-default" {
				r = probetest.ReplayFile(t, Prober{}, anonymousTranscripts+name+".txt")
			} else { // once will do
				rec := recording(t, anonymousTranscripts+name+".txt")
				player := rec.Player()
				r = probe.Run(t.Context(), Prober{}, rec.Target, &probe.Options{Level: rec.Level, Dial: player.Dial, Rand: player.Rand()})
				require.NoError(t, player.Err())
			}
			require.NoError(t, r.Err)
			e := evidenceOf(t, r)
			require.Equal(t, &want.session, e.Anonymous)
			require.Equal(t, want.null, e.NullSession)
			require.Equal(t, probe.Unknown, e.Guest)
			require.Equal(t, want.shares, e.Shares)
		})
	}
}

// The session stands every hostile server, and every recorded one told wrong in every way.
func TestAnonymousConform(t *testing.T) {
	for name, dialect := range map[string]string{"samba-4.17.12-default.txt": "3.1.1", "samba-4.17.12-smb1-only.txt": dialectNTLM012} {
		path := filepath.Join(t.TempDir(), "visit.txt")
		require.NoError(t, os.WriteFile(path, recordedVisits(t)[name].Format(), 0o600))
		probetest.ConformWith(t, visitor{dialect}, probetest.Conformance{Recordings: path})
	}
}

func recording(t testing.TB, file string) *replay.Recording {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	rec, err := replay.Parse(text)
	require.NoError(t, err)
	return rec
}

// recordedVisits returns the null sessions that recordings end with.
func recordedVisits(t testing.TB) map[string]*replay.Recording {
	t.Helper()
	files, err := filepath.Glob(anonymousTranscripts + "*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	visits := map[string]*replay.Recording{}
	for _, file := range files {
		rec := recording(t, file)
		login := slices.IndexFunc(rec.Transcript, func(e probe.Event) bool { return strings.HasPrefix(e.Label, "SESSION_SETUP anonymous") })
		require.GreaterOrEqual(t, login, 0, file)
		conn, visit := rec.Transcript[login].Conn, probe.Transcript(nil)
		for i, e := range rec.Transcript {
			if e.Dir == probe.DirRand && i < login && !strings.HasSuffix(rec.Transcript[login].Label, "SMB1") {
				visit = probe.Transcript{e} // the last before it
			}
			if e.Conn == conn && e.Dir != probe.DirRand {
				e.Conn = 1
				visit = append(visit, e)
			}
		}
		rec.Transcript = visit
		visits[filepath.Base(file)] = rec
	}
	return visits
}

const accessDenied = 0xc0000022

// What a server may say, and what is made of it.
func TestAnonymousFacts(t *testing.T) {
	shares := []Share{{"öffentlich", "disk", "für alle"}, {"lp", "printer", ""}, {"ADMIN", "device", ""}, {"IPC$", "ipc", ""}, {"odd", "", "?"}}
	only := func(command uint16, status uint32) map[uint16]uint32 { return map[uint16]uint32{command: status} }
	const yes, no, unknown = probe.Yes, probe.No, probe.Unknown
	for name, c := range map[string]struct {
		visit       fakesmb.Visit
		null, guest probe.Fact
		flags       []string
		list        string
		shares      int
		outcome     probe.Outcome
	}{
		"no flag":       {fakesmb.Visit{}, yes, unknown, []string{}, "ERROR_SUCCESS", 5, probe.OutcomeOK},
		"null":          {fakesmb.Visit{Flags: 2}, yes, unknown, []string{"null"}, "ERROR_SUCCESS", 5, probe.OutcomeOK},
		"guest":         {fakesmb.Visit{Flags: 1}, no, yes, []string{"guest"}, "ERROR_SUCCESS", 5, probe.OutcomeOK},
		"both":          {fakesmb.Visit{Flags: 3}, yes, yes, []string{"guest", "null"}, "ERROR_SUCCESS", 5, probe.OutcomeOK},
		"a new flag":    {fakesmb.Visit{Flags: 0x102}, yes, unknown, []string{"null", "0x0100"}, "ERROR_SUCCESS", 5, probe.OutcomeOK},
		"encrypted":     {fakesmb.Visit{Flags: 6}, unknown, unknown, []string{"null", "encrypt"}, "", 0, probe.OutcomeOK},
		"share encrypt": {fakesmb.Visit{Flags: 2, ShareFlags: shareEncrypt}, yes, unknown, []string{"null"}, "", 0, probe.OutcomeOK},
		"many PDUs":     {fakesmb.Visit{Fragment: 50}, yes, unknown, []string{}, "ERROR_SUCCESS", 5, probe.OutcomeOK},
		"split PDU":     {fakesmb.Visit{Part: 77, Fragment: 200}, yes, unknown, []string{}, "ERROR_SUCCESS", 5, probe.OutcomeOK},
		"promises":      {fakesmb.Visit{Interim: 1}, yes, unknown, []string{}, "ERROR_SUCCESS", 5, probe.OutcomeOK},
		"only promises": {fakesmb.Visit{Interim: 9}, yes, unknown, []string{}, "", 0, probe.OutcomeMalformed},
		"bind refused":  {fakesmb.Visit{RefuseBind: true}, yes, unknown, []string{}, "RPC bind refused", 0, probe.OutcomeOK},
		"fault":         {fakesmb.Visit{Fault: true}, yes, unknown, []string{}, "RPC fault 0x00000005", 0, probe.OutcomeOK},
		"list denied":   {fakesmb.Visit{Result: 5}, yes, unknown, []string{}, "ERROR_ACCESS_DENIED", 0, probe.OutcomeOK},
		"new error":     {fakesmb.Visit{Result: 0x999}, yes, unknown, []string{}, "0x00000999", 0, probe.OutcomeOK},
		"login denied":  {fakesmb.Visit{Statuses: only(commandSessionSetup, accessDenied)}, no, unknown, nil, "", 0, probe.OutcomeOK},
		"login busy":    {fakesmb.Visit{Statuses: only(commandSessionSetup, 0xc00000ce)}, unknown, unknown, nil, "", 0, probe.OutcomeBusy},
		"old dialect":   {fakesmb.Visit{Statuses: only(commandNegotiate, statusNotSupported)}, unknown, unknown, nil, "", 0, probe.OutcomeOK},
		"no guest tree": {fakesmb.Visit{Flags: 1, Statuses: only(commandTreeConnect, accessDenied)}, no, no, []string{"guest"}, "", 0, probe.OutcomeOK},
		"no tree":       {fakesmb.Visit{Statuses: only(commandTreeConnect, accessDenied)}, no, unknown, []string{}, "", 0, probe.OutcomeOK},
		"tree busy":     {fakesmb.Visit{Statuses: only(commandTreeConnect, 0xc00000ce)}, unknown, unknown, []string{}, "", 0, probe.OutcomeBusy},
		"no pipe":       {fakesmb.Visit{Statuses: only(commandCreate, accessDenied)}, yes, unknown, []string{}, "STATUS_ACCESS_DENIED", 0, probe.OutcomeOK},
		"a link":        {fakesmb.Visit{Statuses: only(commandCreate, 0x8000002d)}, yes, unknown, []string{}, "0x8000002d", 0, probe.OutcomeOK},
		"pipe broken":   {fakesmb.Visit{Fragment: 50, Statuses: only(commandRead, 0xc000014b)}, yes, unknown, []string{}, "STATUS_PIPE_BROKEN", 0, probe.OutcomeOK},
	} {
		for _, dialect := range []string{"2.0.2", "3.1.1"} {
			t.Run(name+" "+dialect, func(t *testing.T) {
				server := serve(c.visit)
				server.Shares = fakeShares(shares)
				r := visitServer(dialect, server.stream)
				e := evidenceOf(t, r)
				require.Equal(t, c.outcome, r.Outcome, "%v", r.Err)
				require.Equal(t, [2]probe.Fact{c.null, c.guest}, [2]probe.Fact{e.NullSession, e.Guest})
				require.Equal(t, c.flags, e.Anonymous.Flags)
				require.Equal(t, c.list, e.Anonymous.ListStatus)
				require.Equal(t, append([]Share(nil), shares[:c.shares]...), e.Shares)
			})
		}
	}
}

// A list that is longer than what is kept ends the conversation at a limit; what was learned before stays.
func TestAnonymousLongList(t *testing.T) {
	server := serve(fakesmb.Visit{Fragment: 4000, Shares: fakeShares(longList(1400, 8))})
	r := visitServer("3.1.1", server.stream)
	require.NoError(t, r.Err)
	require.Equal(t, longList(1400, 8), evidenceOf(t, r).Shares)

	server = serve(fakesmb.Visit{Fragment: 4000, Shares: fakeShares(longList(1400, 40))})
	r = visitServer("3.1.1", server.stream)
	require.Equal(t, probe.OutcomeLimit, r.Outcome)
	require.Equal(t, probe.Yes, evidenceOf(t, r).NullSession)
	require.Empty(t, evidenceOf(t, r).Shares)
}

func longList(n, comment int) (list []Share) {
	for i := range n {
		list = append(list, Share{Name: fmt.Sprintf("share-%04d", i), Type: "disk", Comment: strings.Repeat("c", comment)})
	}
	return list
}

// A denial has a name: facts go by it.
func TestDenialsHaveNames(t *testing.T) {
	named := map[string]bool{}
	for _, name := range statusNames {
		named[name] = true
	}
	for name := range denials {
		require.True(t, named[name], name)
	}
}

// Below SMB 2 nothing is asked.
func TestAnonymousWithoutSMB2(t *testing.T) {
	r := visitServer("", nil)
	require.NoError(t, r.Err)
	require.Nil(t, evidenceOf(t, r).Anonymous)
	require.Empty(t, r.Transcript)
}

func put16(at int, v uint16) func([]byte) []byte {
	return func(m []byte) []byte { le.PutUint16(m[at:], v); return m }
}

func put32(at int, v uint32) func([]byte) []byte {
	return func(m []byte) []byte { le.PutUint32(m[at:], v); return m }
}

func cut(n int) func([]byte) []byte { return func(m []byte) []byte { return m[:n] } }

// What isn't a well-formed answer ends the session, and is the server's fault.
func TestSessionRefuses(t *testing.T) {
	const body, rpc = headerSize, headerSize + 48 // of an IOCTL response
	for name, c := range map[string]struct {
		command uint16
		change  func(m []byte) []byte
		says    string
	}{
		"an encrypted message": {commandSessionSetup, put32(0, 0x424d53fd), "no SMB message"},
		"a compressed message": {commandSessionSetup, put32(0, 0x424d53fc), "no SMB message"},
		"another header":       {commandNegotiate, put16(4, 63), "size 63"},
		"another command":      {commandNegotiate, put16(12, 1), "command 0x0001"},
		"another message":      {commandTreeConnect, put32(24, 9), "message 9"},
		"a request":            {commandCreate, put32(16, 0), "a request"},
		"a compound":           {commandCreate, put32(20, 88), "compound"},
		"another tree":         {commandIoctl, put32(36, 8), "another tree"},
		"another session":      {commandTreeConnect, put32(40, 1), "another session"},
		"no credits":           {commandTreeConnect, put16(14, 0), "no credit"},
		"cut in the header":    {commandTreeConnect, cut(headerSize), "too early"},
		"cut in the body":      {commandTreeConnect, cut(headerSize + 10), "too early"},

		"a dialect to choose again":   {commandNegotiate, put16(body+4, 0x02ff), "0x02ff"},
		"a dialect not offered":       {commandNegotiate, put16(body+4, 0x0302), "0x0302"},
		"a token outside":             {commandNegotiate, put32(body+56, 0xffff_0080), "outside"},
		"many contexts":               {commandNegotiate, put16(body+6, 0xffff), "contexts"},
		"contexts outside":            {commandNegotiate, put32(body+60, 0xfffffff8), "contexts"},
		"contexts in the header":      {commandNegotiate, put32(body+60, 8), "contexts"},
		"a context outside":           {commandNegotiate, put16(body+64+2, 0xffff), "context"},
		"a challenge outside":         {commandSessionSetup, put32(body+4, 0xffff_ffff), "outside"},
		"a challenge in the header":   {commandSessionSetup, put16(body+4, 8), "outside"},
		"no challenge":                {commandSessionSetup, put32(body+4, 0), "no SPNEGO"},
		"a challenge of another kind": {commandSessionSetup, func(m []byte) []byte { m[body+8] = 0xa0; return m }, "no SPNEGO"},

		"nothing out of the pipe":     {commandIoctl, put32(body+36, 0), "0 bytes"},
		"too much out of the pipe":    {commandIoctl, put32(body+36, 4281), "4281 bytes"},
		"output outside":              {commandIoctl, put32(body+32, 0xffffffff), "outside"},
		"output in the header":        {commandIoctl, put32(body+32, 0), "outside"},
		"another RPC":                 {commandIoctl, put16(rpc, 4), "RPC"},
		"a big-endian RPC":            {commandIoctl, put32(rpc+4, 0), "RPC"},
		"an RPC PDU of all types":     {commandIoctl, put16(rpc+2, 0x0305), "type 5"},
		"an RPC PDU in the middle":    {commandIoctl, put16(rpc+2, 0x020c), "bind"},
		"a longer RPC PDU":            {commandIoctl, put16(rpc+8, 0xffff), "length"},
		"a signed RPC PDU":            {commandIoctl, put16(rpc+10, 16), "length"},
		"an RPC PDU of another call":  {commandIoctl, put32(rpc+12, 77), "another call"},
		"an address outside":          {commandIoctl, put16(rpc+24, 0xffff), "bind_ack"},
		"a fragment for ever":         {commandRead, put32(body+4, 1), "part of"},
		"nothing more":                {commandRead, put32(body+4, 0), "0 bytes"},
		"more than asked":             {commandRead, put32(body+4, 5000), "5000 bytes"},
		"data in the header":          {commandRead, func(m []byte) []byte { m[body+2] = 8; return m }, "outside"},
		"a number of shares and more": {commandRead, func(m []byte) []byte { return append(m, make([]byte, 64<<10)...) }, "begins no reply"},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(fakesmb.Visit{Shares: fakeShares(longList(30, 20)), Fragment: 400, Part: 100})
			done := false
			r := visitServer("3.1.1", func(request []byte) (stream []byte) {
				messages := server.answer(request)
				if m := &messages[0]; le.Uint16(request[12:]) == c.command && !done {
					done = true
					*m = c.change(bytes.Clone(*m))
				}
				return frame(messages[0])
			})
			require.True(t, done)
			require.Equal(t, probe.OutcomeMalformed, r.Outcome, "%v", r.Err)
			require.ErrorContains(t, r.Err, c.says)
		})
	}
}
