package interop_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hirochachacha/go-smb2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
)

// What each Samba gives to somebody without a name. Samba has no flag for such a session.
var smbAnonymousFacts = []struct {
	variant  string
	null     probe.Fact
	session  *smb.AnonymousSession
	shares   []smb.Share // without IPC$
	findings []string
	captured bool
}{
	{
		variant: "default", captured: true, null: probe.Yes, session: listed(),
		shares: []smb.Share{pub}, findings: []string{"smb.null-session", "smb.shares-listed"},
	},
	{
		variant: "nt1-guest", captured: true, null: probe.Yes, session: listed(),
		shares: []smb.Share{{Name: "open", Type: "disk"}, pub}, findings: []string{"smb.null-session", "smb.shares-listed"},
	},
	{ // a session without a user has no key to encrypt with
		variant: "strict", captured: true, null: probe.No, findings: none,
		session: &smb.AnonymousSession{NegotiateStatus: "STATUS_SUCCESS", Status: "STATUS_ACCESS_DENIED"},
	},
	{ // the login is taken, and IPC$ refused
		variant: "restricted", captured: true, null: probe.No, findings: none,
		session: &smb.AnonymousSession{NegotiateStatus: "STATUS_SUCCESS", Status: "STATUS_SUCCESS", Flags: none, TreeStatus: "STATUS_ACCESS_DENIED"},
	},
	{ // nobody can sign either, and needn't
		variant: "signing", null: probe.Yes, session: listed(),
		shares: []smb.Share{pub}, findings: []string{"smb.null-session", "smb.shares-listed"},
	},
	{ // the list takes several fragments
		variant: "many-shares", null: probe.Yes, session: listed(),
		shares: append([]smb.Share{pub}, manyShares...), findings: []string{"smb.null-session", "smb.shares-listed"},
	},
	{
		variant: "up-to-2.1", captured: true, null: probe.Yes, session: listed(),
		shares: []smb.Share{pub}, findings: []string{"smb.null-session", "smb.shares-listed"},
	},
	{ // by SMB1, and unsigned though signatures are mandatory
		variant: "smb1-only", captured: true, null: probe.Yes, session: listed(),
		shares: []smb.Share{pub}, findings: []string{"smb.null-session", "smb.shares-listed"},
	},
	{
		variant: "smb1-many-shares", null: probe.Yes, session: listed(),
		shares: append([]smb.Share{pub}, manyShares...), findings: []string{"smb.null-session", "smb.shares-listed"},
	},
	{ // by RAP
		variant: "smb1-without-rpc", captured: true, null: probe.Yes, session: listed(),
		shares: []smb.Share{pub}, findings: []string{"smb.null-session", "smb.shares-listed"},
	},
	{ // which is about users
		variant: "no-ntlm", null: probe.Yes, session: listed(),
		shares: []smb.Share{pub}, findings: []string{"smb.null-session", "smb.shares-listed"},
	},
}

var pub = smb.Share{Name: "pub", Type: "disk", Comment: "Public files"}

func listed() *smb.AnonymousSession {
	return &smb.AnonymousSession{
		NegotiateStatus: "STATUS_SUCCESS", Status: "STATUS_SUCCESS", Flags: none, TreeStatus: "STATUS_SUCCESS", ListStatus: "ERROR_SUCCESS",
	}
}

var manyShares = func() (list []smb.Share) {
	for i := range 300 {
		list = append(list, smb.Share{Name: fmt.Sprintf("share%03d", i), Type: "disk", Comment: "Ein Kommentar für viele"})
	}
	return list
}()

func manyShareSettings() (settings []string) {
	for _, s := range manyShares {
		settings = append(settings, "["+s.Name+"]", "path = /", "comment = "+s.Comment)
	}
	return settings
}

func TestSMBAnonymous(t *testing.T) {
	for _, want := range smbAnonymousFacts {
		t.Run(want.variant, func(t *testing.T) {
			t.Parallel()
			server := samba(t, want.variant)
			r, e := visitSMB(t, smb.Prober{}, server.Direct)
			if want.captured {
				capture(t, r, "anonymous/samba-"+sambaVersion(t)+"-"+want.variant, "samba "+version(t, "samba"), 445)
			}
			require.NoError(t, r.Err)
			require.Equal(t, want.session, e.Anonymous)
			require.Equal(t, want.null, e.NullSession)
			require.Equal(t, probe.Unknown, e.Guest)
			require.ElementsMatch(t, want.shares, withoutIPC(e.Shares))
			ids := []string{}
			for _, f := range finding.Evaluate(r, smb.Rules) {
				if slices.Contains([]string{"smb.null-session", "smb.guest", "smb.shares-listed"}, f.ID) {
					ids = append(ids, f.ID)
				}
			}
			require.ElementsMatch(t, want.findings, ids)
			switch {
			case e.PreferredDialect == "" || want.variant == "no-ntlm": // it speaks SMB 2, and NTLM
			case e.Anonymous.ListStatus != "":
				require.ElementsMatch(t, sharesOfUser(t, server.Direct), shareNames(e.Shares), "go-smb2, as a user")
			default:
				require.Contains(t, sharesOfUser(t, server.Direct), pub.Name, "go-smb2: a user sees what isn't told to anybody")
			}
			agree(t, func(t testing.TB) {
				require.ElementsMatch(t, sharesBySMBClient(t, server.Direct), shareNames(e.Shares), "smbclient -U%% -N -L")
			})
			if want.variant != "smb1-without-rpc" {
				agree(t, func(t testing.TB) {
					require.ElementsMatch(t, sharesByRPCClient(t, server.Direct), shareNames(withoutIPC(e.Shares)), "rpcclient -U%%: it leaves IPC$ out")
				})
			}

			_, e = visitSMB(t, smb.Prober{NetBIOS: probe.Yes}, server.NetBIOS)
			require.Equal(t, want.null, e.NullSession, "inside a NetBIOS session")
			require.ElementsMatch(t, want.shares, withoutIPC(e.Shares))
		})
	}
}

// visitSMB probes a server under an address for documentation: requests hold the address.
func visitSMB(t *testing.T, p smb.Prober, addr netip.AddrPort) (*probe.Result, *smb.Evidence) {
	t.Helper()
	target := probe.Target{Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.7"), 445)}
	r := probe.Run(t.Context(), p, target, &probe.Options{
		Level: probe.LevelAnonymous, Limits: patience,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, addr.String())
		},
	})
	e, ok := probe.As[*smb.Evidence](r)
	require.True(t, ok)
	return r, e
}

func shareNames(shares []smb.Share) []string {
	names := []string{}
	for _, s := range shares {
		names = append(names, s.Name)
	}
	return names
}

func withoutIPC(shares []smb.Share) []smb.Share {
	return slices.DeleteFunc(slices.Clone(shares), func(s smb.Share) bool { return s.Name == "IPC$" && s.Type == "ipc" })
}

// sharesOfUser logs in, with a client that shares no code with the prober, and lists the shares. The client wants every
// message signed, and a server that needs half a second for an answer says so in a message that never is: then it asks
// again.
func sharesOfUser(t *testing.T, addr netip.AddrPort) []string {
	t.Helper()
	var names []string
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		var err error
		names, err = listShares(t.Context(), addr)
		require.NoError(c, err)
	}, startupTime, 100*time.Millisecond)
	return names
}

func listShares(ctx context.Context, addr netip.AddrPort) ([]string, error) {
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience.Idle)); err != nil {
		return nil, err
	}
	d := smb2.Dialer{Initiator: &smb2.NTLMInitiator{User: smbUser, Password: smbPassword}}
	s, err := d.DialContext(ctx, c)
	if err != nil {
		return nil, err
	}
	names, err := s.ListSharenames()
	return names, errors.Join(err, s.Logoff())
}

func sharesBySMBClient(t testing.TB, addr netip.AddrPort) []string {
	t.Helper()
	path := need(t, "smbclient")[0]
	out, _ := exec.CommandContext(t.Context(), path, "-U%", "-N", "-g", "--option=client min protocol=NT1", "-p", fmt.Sprint(addr.Port()), "-L", addr.Addr().String()).CombinedOutput()
	names := []string{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Split(line, "|"); len(f) == 3 {
			names = append(names, f[1])
		}
	}
	return names
}

var netname = regexp.MustCompile(`(?m)^netname: (.*)$`)

func sharesByRPCClient(t testing.TB, addr netip.AddrPort) []string {
	t.Helper()
	path := need(t, "rpcclient")[0]
	out, _ := exec.CommandContext(t.Context(), path, "-U%", "--option=client min protocol=NT1", "-p", fmt.Sprint(addr.Port()), addr.Addr().String(), "-c", "netshareenum 1").CombinedOutput()
	names := []string{}
	for _, m := range netname.FindAllStringSubmatch(string(out), -1) {
		names = append(names, m[1])
	}
	return names
}
