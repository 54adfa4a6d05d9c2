package netbios_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/netbios"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/probe/replay"
)

const transcripts = "testdata/transcripts/"

func evidence(t *testing.T, r *probe.Result) *netbios.Evidence {
	t.Helper()
	e, ok := probe.As[*netbios.Evidence](r)
	require.True(t, ok)
	return e
}

// Every conversation replays strictly and at each split, and its evidence survives being stored.
func TestReplay(t *testing.T) {
	probetest.ReplayAll(t, netbios.Prober{}, transcripts+"*.txt", func(t *testing.T, _ string, r *probe.Result) {
		require.NotEqual(t, probe.OutcomeInternal, r.Outcome)
		stored, err := json.Marshal(r)
		require.NoError(t, err)
		decoded, err := probe.Decode(stored, netbios.Prober{})
		require.NoError(t, err)
		require.Equal(t, r.Evidence, decoded.Evidence)
	})
}

func addrs(texts ...string) []netip.Addr {
	list := []netip.Addr{}
	for _, text := range texts {
		list = append(list, netip.MustParseAddr(text))
	}
	return list
}

func TestNames(t *testing.T) {
	for _, test := range []struct {
		file    string
		outcome probe.Outcome
		check   func(t *testing.T, e *netbios.Evidence)
	}{
		{"workstation", probe.OutcomeOK, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, netbios.Name{
				Name: "DESK-07", Suffix: "00", Kind: "workstation", NodeType: "H", Active: true,
			}, e.Names[0])
			require.Equal(t, 6, e.NameCount)
			require.Equal(t, "DESK-07", e.Computer)
			require.Equal(t, "CORP", e.Workgroup)
			require.Equal(t, "ALICE", e.User)
			require.Equal(t, probe.No, e.DomainController)
			require.Equal(t, "00:00:5e:00:53:07", e.MAC)
			require.Equal(t, 211, e.ResponseBytes)
			require.Equal(t, 4.22, e.Amplification)
			require.Equal(t, "DESK-07<20>", e.QueriedName)
			require.Equal(t, addrs("192.0.2.7", "10.1.2.3"), e.Addresses)
			require.Zero(t, e.Strays)
			require.Empty(t, e.Session)
		}},
		{"domain-controller", probe.OutcomeOK, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, probe.Yes, e.DomainController)
			require.Empty(t, e.User)
			require.Equal(t, netbios.Name{
				Name: "\x01\x02__MSBROWSE__\x02", Suffix: "01", Kind: "master browsers", Group: true, NodeType: "H", Active: true,
			}, e.Names[7])
		}},
		{"web-server", probe.OutcomeOK, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, "WEB01", e.Computer)
			require.Equal(t, probe.No, e.DomainController, "INet~Services is a web server's")
			require.Empty(t, e.User, "a name that is being given up")
			require.Equal(t, "web server", e.Names[0].Kind)
			require.Equal(t, "web servers", e.Names[1].Kind)
			require.Empty(t, e.Names[4].Kind)
			require.True(t, e.Names[4].Permanent)
			require.True(t, e.Names[5].Deregistering)
			require.True(t, e.Names[6].Conflict)
		}},
		{"oem", probe.OutcomeOK, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, "B\uFFFDRO", e.Computer)
			require.True(t, e.Names[0].Lossy)
			require.False(t, e.Names[2].Lossy)
			require.Empty(t, e.MAC)
			require.Equal(t, "*<00>", e.QueriedName)
			require.Equal(t, addrs("192.0.2.7"), e.Addresses)
		}},
		{"strays", probe.OutcomeOK, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, 7, e.Strays)
			require.Equal(t, "FILER", e.Computer)
			require.Equal(t, addrs("192.0.2.7"), e.Addresses)
		}},
		{"resent", probe.OutcomeOK, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, "FILER", e.Computer)
			require.Zero(t, e.Strays)
		}},
		{"silence", probe.OutcomeTimeout, requireNothing},
		{"refused", probe.OutcomeRefused, requireNothing},
		{"elsewhere", probe.OutcomeTimeout, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, 4, e.Strays)
			require.Len(t, e.StrayReplies, 4)
			file1 := e.StrayReplies[0]
			require.Equal(t, netip.MustParseAddrPort("192.0.2.7:40137"), file1.From)
			require.Equal(t, 139, file1.Bytes)
			require.Equal(t, "FILE1", file1.Names[0].Name)
			require.Equal(t, netbios.Stray{From: netip.MustParseAddrPort("198.51.100.9:137"), Bytes: 5}, e.StrayReplies[3])
			require.Nil(t, e.Names, "it isn't the target's word")
			require.Empty(t, e.Computer)
		}},
		{"only-strays", probe.OutcomeNotProtocol, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, 3, e.Strays)
			require.Zero(t, e.ResponseBytes)
		}},
		{"query-silence", probe.OutcomeTimeout, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, "FILER<20>", e.QueriedName)
			require.Empty(t, e.Addresses)
			require.Zero(t, e.QueryCode)
		}},
		{"query-negative", probe.OutcomeOK, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, 3, e.QueryCode)
			require.Empty(t, e.Addresses)
		}},
		{"status-negative", probe.OutcomeOK, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, 4, e.ResponseCode)
			require.Equal(t, 50, e.ResponseBytes)
			require.Equal(t, 1.0, e.Amplification)
			require.Empty(t, e.Names)
			require.Empty(t, e.QueriedName)
			require.Equal(t, probe.Unknown, e.DomainController)
		}},
		{"no-names", probe.OutcomeOK, func(t *testing.T, e *netbios.Evidence) {
			require.Empty(t, e.Computer)
			require.Equal(t, "WORKGROUP", e.Workgroup)
			require.Equal(t, 3, e.QueryCode)
		}},
		{"empty-table", probe.OutcomeOK, func(t *testing.T, e *netbios.Evidence) {
			require.Empty(t, e.Names)
			require.NotZero(t, e.ResponseBytes)
			require.Equal(t, probe.Unknown, e.DomainController)
			require.Equal(t, addrs(), e.Addresses)
		}},
		{"truncated", probe.OutcomeOK, func(t *testing.T, e *netbios.Evidence) {
			require.True(t, e.Truncated)
			require.Equal(t, probe.Unknown, e.DomainController, "the name may be among those that were left out")
		}},
		{"cut-off", probe.OutcomeMalformed, func(t *testing.T, e *netbios.Evidence) {
			require.True(t, e.Truncated)
			require.Len(t, e.Names, 1)
			require.Equal(t, 3, e.NameCount)
			require.Equal(t, "FILER", e.Computer)
			require.Empty(t, e.QueriedName)
		}},
		{"count-lies", probe.OutcomeMalformed, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, 200, e.NameCount)
			require.Equal(t, "FILER", e.Computer)
			require.False(t, e.Truncated)
			require.Equal(t, probe.Unknown, e.DomainController)
		}},
		{"half-an-address", probe.OutcomeMalformed, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, addrs("192.0.2.7"), e.Addresses)
		}},
		{"cut-addresses", probe.OutcomeMalformed, func(t *testing.T, e *netbios.Evidence) {
			require.Equal(t, addrs("192.0.2.7"), e.Addresses)
			require.Equal(t, "FILER", e.Computer)
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			r := rerun(t, "handwritten-"+test.file)
			require.Equal(t, test.outcome, r.Outcome, "%v", r.Err)
			test.check(t, evidence(t, r))
		})
	}
}

// What a Windows told, as others recorded it, by what Wireshark's dissector reads in it.
func TestCapture(t *testing.T) {
	r := rerun(t, "capture-windows-WIN-I82B81NSLLJ")
	e := evidence(t, r)
	require.Equal(t, []string{"WIN-I82B81NSLLJ<00>", "WORKGROUP<00>", "WIN-I82B81NSLLJ<20>"}, []string{
		e.Names[0].Name + "<" + e.Names[0].Suffix + ">", e.Names[1].Name + "<" + e.Names[1].Suffix + ">", e.Names[2].Name + "<" + e.Names[2].Suffix + ">",
	})
	require.Equal(t, 3, e.NameCount)
	require.Equal(t, []bool{false, true, false}, []bool{e.Names[0].Group, e.Names[1].Group, e.Names[2].Group})
	require.Equal(t, "WIN-I82B81NSLLJ", e.Computer)
	require.Equal(t, "WORKGROUP", e.Workgroup)
	require.Empty(t, e.User)
	require.Equal(t, "0a:02:d7:5e:97:02", e.MAC)
	require.Equal(t, probe.No, e.DomainController)
	require.Equal(t, []string{"/evidence/addresses"}, r.Partial)
}

func requireNothing(t *testing.T, e *netbios.Evidence) {
	require.Equal(t, &netbios.Evidence{}, e)
}

func TestSessions(t *testing.T) {
	for _, test := range []struct {
		file                             string
		outcome                          probe.Outcome
		session, error, called, retarget string
		computer                         string // learned beside it
	}{
		{"named", probe.OutcomeOK, "positive", "", "DESK-07", "", "DESK-07"},
		{"silent-names", probe.OutcomeOK, "negative", "called name not present", "*SMBSERVER", "", ""},
		{"unreachable-names", probe.OutcomeOK, "negative", "called name not present", "*SMBSERVER", "", ""},
		{"no-server", probe.OutcomeOK, "negative", "not listening on called name", "*SMBSERVER", "", "FILER"},
		{"cut-names", probe.OutcomeOK, "negative", "error 8a", "FILER", "", "FILER"},
		{"second-closed", probe.OutcomeClosed, "negative", "called name not present", "*SMBSERVER", "", "FILER"},
		{"busy", probe.OutcomeBusy, "negative", "called name present, but insufficient resources", "*SMBSERVER", "", ""},
		{"retarget", probe.OutcomeOK, "retarget", "", "*SMBSERVER", "10.0.0.5:1163", ""},
		{"closed", probe.OutcomeClosed, "", "", "", "", ""},
		{"ftp", probe.OutcomeNotProtocol, "", "", "", "", ""},
		{"malformed", probe.OutcomeMalformed, "", "", "", "", ""},
		{"greeting", probe.OutcomeOK, "", "", "", "", ""},
		{"refused", probe.OutcomeRefused, "", "", "", "", ""},
	} {
		t.Run(test.file, func(t *testing.T) {
			r := rerun(t, "handwritten-session-"+test.file)
			require.Equal(t, test.outcome, r.Outcome, "%v", r.Err)
			e := evidence(t, r)
			require.Equal(t, test.session, e.Session)
			require.Equal(t, test.error, e.SessionError)
			require.Equal(t, test.called, e.CalledName)
			require.Equal(t, test.retarget, e.Retarget)
			require.Equal(t, test.computer, e.Computer)
		})
	}
}

// At level greeting a name service isn't even dialled: there is nothing to wait for.
func TestGreetingOfTheNameService(t *testing.T) {
	r := run(t, netip.MustParseAddrPort("192.0.2.7:137"), probe.UDP, &probe.Options{Level: probe.LevelGreeting, Dial: replay.Dial(nil)})
	require.NoError(t, r.Err)
	require.Empty(t, r.Transcript)
	requireNothing(t, evidence(t, r))
}

func run(t *testing.T, addr netip.AddrPort, network probe.Network, o *probe.Options) *probe.Result {
	t.Helper()
	return probe.Run(t.Context(), netbios.Prober{}, probe.Target{Network: network, Addr: addr}, o)
}

// Grab tells the services apart by the port.
func TestGrab(t *testing.T) {
	for file, addr := range map[string]string{"workstation": "192.0.2.7:137", "session-retarget": "192.0.2.7:139"} {
		e, err := netbios.Grab(t.Context(), addr, recording(t, "handwritten-"+file).Options())
		require.NoError(t, err)
		require.Equal(t, file == "workstation", e.Session == "")
	}
	_, err := netbios.Grab(t.Context(), "filer:137", nil)
	require.Error(t, err)
	require.Equal(t, "netbios", (*netbios.Evidence)(nil).Protocol())
}

func rerun(t *testing.T, name string) *probe.Result {
	t.Helper()
	rec := recording(t, name)
	player := rec.Player()
	r := run(t, rec.Target.Addr, rec.Target.Network, &probe.Options{Level: rec.Level, Dial: player.Dial, Rand: player.Rand()})
	require.NoError(t, player.Err())
	return r
}

func recording(t testing.TB, name string) *replay.Recording {
	t.Helper()
	text, err := os.ReadFile(transcripts + name + ".txt")
	require.NoError(t, err)
	rec, err := replay.Parse(text)
	require.NoError(t, err)
	return rec
}

// What the rules say of real servers, and of some that can't be had here.
func TestFindings(t *testing.T) {
	all := []string{"netbios.exposed", "netbios.info-leak", "netbios.amplifier"}
	for name, want := range map[string][]string{
		"nmbd-4.17.12-member":            all,
		"nmbd-4.17.12-domain-controller": all,
		"nmbd-4.17.12-aliases":           all,
		"smbd-4.17.12-positive":          {"netbios.exposed"},
		"smbd-4.17.12-retarget":          {"netbios.exposed"},
		"smbd-4.17.12-denied":            {"netbios.exposed"},
		"handwritten-workstation":        all,
		"handwritten-no-names":           {"netbios.exposed", "netbios.info-leak"},
		"handwritten-empty-table":        {"netbios.exposed", "netbios.info-leak"}, // by its MAC address
		"handwritten-status-negative":    {},
		"handwritten-only-strays":        {},
		"handwritten-session-named":      {"netbios.exposed"},
		"handwritten-session-closed":     {},
	} {
		ids := []string{}
		for _, f := range finding.Evaluate(rerun(t, name), netbios.Rules) {
			ids = append(ids, f.ID)
		}
		require.Equal(t, want, ids, name)
	}
}
