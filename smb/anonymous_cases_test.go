package smb

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/probe"
)

const accessDenied = 0xc0000022

// What a server may say, and what is made of it. The library is told neither of flags nor of encryption.
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
		"login denied":  {fakesmb.Visit{Statuses: only(commandSessionSetup, accessDenied)}, no, unknown, []string{}, "", 0, probe.OutcomeOK},
		"login busy":    {fakesmb.Visit{Statuses: only(commandSessionSetup, 0xc00000ce)}, unknown, unknown, []string{}, "", 0, probe.OutcomeOK},
		"old dialect":   {fakesmb.Visit{Statuses: only(commandNegotiate, statusNotSupported)}, unknown, unknown, []string{}, "", 0, probe.OutcomeOK},
		"no guest tree": {fakesmb.Visit{Flags: 1, Statuses: only(commandTreeConnect, accessDenied)}, no, no, []string{"guest"}, "", 0, probe.OutcomeOK},
		"no tree":       {fakesmb.Visit{Statuses: only(commandTreeConnect, accessDenied)}, no, unknown, []string{}, "", 0, probe.OutcomeOK},
		"tree busy":     {fakesmb.Visit{Statuses: only(commandTreeConnect, 0xc00000ce)}, unknown, unknown, []string{}, "", 0, probe.OutcomeOK},
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
				require.Equal(t, append([]Share{}, shares[:c.shares]...), e.Shares)
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

// Below SMB 2 there is nobody to ask.
func TestAnonymousWithoutSMB2(t *testing.T) {
	r := visitServer("", nil)
	require.NoError(t, r.Err)
	require.Nil(t, evidenceOf(t, r).Anonymous)
	require.Empty(t, r.Transcript)
}
