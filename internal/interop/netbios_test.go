package interop_test

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/netbios"
	"github.com/handclasp/handclasp/probe"
)

// What nmbd must tell an outsider in each configuration.
var nmbdFacts = []struct {
	variant             string
	settings            []string
	last                string   // the name that is registered last
	names               []string // as nmblookup writes them, and their kind
	computer, workgroup string
	domainController    probe.Fact
	bytes               int
	amplification       float64
	queried             string
	findings            []string
	nmapUser            string // nmap takes every other <03> for a user's
}{
	{
		variant:  "member",
		settings: []string{"netbios name = FILER", "workgroup = LABGROUP", "local master = no"},
		last:     "LABGROUP       \x1e",
		names: []string{
			"FILER <00> - B <ACTIVE> workstation",
			"FILER <03> - B <ACTIVE> messenger",
			"FILER <20> - B <ACTIVE> file server",
			"LABGROUP <00> - <GROUP> B <ACTIVE> workgroup or domain",
			"LABGROUP <1e> - <GROUP> B <ACTIVE> browser elections",
		},
		computer: "FILER", workgroup: "LABGROUP", domainController: probe.No, bytes: 193, amplification: 3.86, queried: "FILER<20>",
		findings: []string{"netbios.exposed", "netbios.info-leak", "netbios.amplifier"},
	},
	{
		variant: "domain-controller",
		settings: []string{
			"netbios name = PDC", "workgroup = LABDOMAIN", "domain logons = yes", "domain master = yes",
			"preferred master = yes", "local master = yes", "os level = 65",
		},
		last: "LABDOMAIN      \x1d",
		names: []string{
			"PDC <00> - B <ACTIVE> workstation",
			"PDC <03> - B <ACTIVE> messenger",
			"PDC <20> - B <ACTIVE> file server",
			"..__MSBROWSE__. <01> - <GROUP> B <ACTIVE> master browsers",
			"LABDOMAIN <00> - <GROUP> B <ACTIVE> workgroup or domain",
			"LABDOMAIN <1b> - B <ACTIVE> domain master browser",
			"LABDOMAIN <1c> - B <ACTIVE> domain controllers",
			"LABDOMAIN <1d> - B <ACTIVE> master browser",
			"LABDOMAIN <1e> - <GROUP> B <ACTIVE> browser elections",
		},
		computer: "PDC", workgroup: "LABDOMAIN", domainController: probe.Yes, bytes: 265, amplification: 5.3, queried: "PDC<20>",
		findings: []string{"netbios.exposed", "netbios.info-leak", "netbios.amplifier"},
	},
	{ // its names are as long as names can be, and it has more than one
		variant:  "aliases",
		settings: []string{"netbios name = FIFTEEN-LETTERS", "workgroup = FIFTEEN-OTHERS1", "netbios aliases = SECOND", "local master = no"},
		last:     "FIFTEEN-OTHERS1\x1e",
		names: []string{
			"FIFTEEN-LETTERS <00> - B <ACTIVE> workstation",
			"FIFTEEN-LETTERS <03> - B <ACTIVE> messenger",
			"FIFTEEN-LETTERS <20> - B <ACTIVE> file server",
			"SECOND <00> - B <ACTIVE> workstation",
			"SECOND <03> - B <ACTIVE> messenger",
			"SECOND <20> - B <ACTIVE> file server",
			"FIFTEEN-OTHERS1 <00> - <GROUP> B <ACTIVE> workgroup or domain",
			"FIFTEEN-OTHERS1 <1e> - <GROUP> B <ACTIVE> browser elections",
		},
		computer: "FIFTEEN-LETTERS", workgroup: "FIFTEEN-OTHERS1", domainController: probe.No, bytes: 247, amplification: 4.94,
		queried: "FIFTEEN-LETTERS<20>", nmapUser: "SECOND",
		findings: []string{"netbios.exposed", "netbios.info-leak", "netbios.amplifier"},
	},
}

func TestNetBIOSNames(t *testing.T) {
	for _, want := range nmbdFacts {
		t.Run(want.variant, func(t *testing.T) {
			t.Parallel()
			ownNetwork(t)
			conf := sambaConf(t, want.settings...)
			nmbd(t, conf, want.last)
			r, e := askNetBIOS(t, probe.UDP, netbiosNames)
			capture(t, r, "nmbd-"+sambaVersion(t)+"-"+want.variant, "nmbd "+version(t, "samba"), 137)

			require.NoError(t, r.Err)
			told, kinds := tabulate(e.Names)
			require.ElementsMatch(t, want.names, kinds)
			require.Equal(t, len(want.names), e.NameCount)
			require.Equal(t, want.computer, e.Computer)
			require.Equal(t, want.workgroup, e.Workgroup)
			require.Empty(t, e.User)
			require.Equal(t, want.domainController, e.DomainController)
			require.Empty(t, e.MAC, "Samba tells a zero one")
			require.Equal(t, want.bytes, e.ResponseBytes)
			require.Equal(t, want.amplification, e.Amplification)
			require.Equal(t, want.queried, e.QueriedName)
			require.Equal(t, []netip.Addr{alone}, e.Addresses)
			require.Zero(t, e.Strays)
			require.Equal(t, want.findings, netbiosIDs(r))

			requireNoSoftware(t, r) // names tell none

			agree(t, func(t testing.TB) { require.Equal(t, told, lookedUp(t, conf), "nmblookup") })
			agree(t, func(t testing.TB) { mapped(t, e, cmp.Or(want.nmapUser, "<unknown>")) })
			agree(t, func(t testing.TB) {
				require.Equal(t, e.Addresses, resolved(t, conf, e.Computer), "nmblookup's addresses")
			})
		})
	}
}

// What smbd must answer on port 139 in each configuration.
var smbd139Facts = []struct {
	variant               string
	settings              []string
	session, error, names string
	retarget, called      string
	conns                 int
	outcome               probe.Outcome // "" is ok
}{
	{variant: "positive", session: "positive", called: "*SMBSERVER", conns: 1},
	{variant: "retarget", settings: []string{"netbios retarget:*SMBSERVER#20 = 192.0.2.9"}, session: "retarget", retarget: "192.0.2.9:139", called: "*SMBSERVER", conns: 1},
	{variant: "denied", settings: []string{"hosts deny = ALL"}, session: "negative", error: "not listening for calling name", called: "*SMBSERVER", conns: 1, outcome: probe.OutcomeDenied},
}

func TestNetBIOSSessions(t *testing.T) {
	for _, want := range smbd139Facts {
		t.Run(want.variant, func(t *testing.T) {
			t.Parallel()
			ownNetwork(t)
			conf := sambaConf(t, append(want.settings, "netbios name = FILER", "workgroup = LABGROUP", "local master = no")...)
			smbd139(t, conf)
			r, e := askNetBIOS(t, probe.TCP, netbiosSessions)
			capture(t, r, "smbd-"+sambaVersion(t)+"-"+want.variant, "smbd "+version(t, "samba"), 139)

			require.Equal(t, cmp.Or(want.outcome, probe.OutcomeOK), r.Outcome, "%v", r.Err)
			require.Equal(t, want.session, e.Session)
			require.Equal(t, want.error, e.SessionError)
			require.Equal(t, want.called, e.CalledName)
			require.Equal(t, want.retarget, e.Retarget)
			require.Equal(t, []string{"netbios.exposed"}, netbiosIDs(r))
			requireNoSoftware(t, r)
			conns := 0
			for _, event := range r.Transcript {
				if event.Dir == probe.DirOpen {
					conns++
				}
			}
			require.Equal(t, want.conns, conns)
		})
	}
}

// If nobody listens, the host says so over both networks.
func TestNetBIOSRefused(t *testing.T) {
	ownNetwork(t)
	for network, addr := range map[probe.Network]netip.AddrPort{probe.UDP: netbiosNames, probe.TCP: netbiosSessions} {
		r, _ := askNetBIOS(t, network, addr)
		require.Equal(t, probe.OutcomeRefused, r.Outcome, "%s: %v", network, r.Err)
	}
}

func askNetBIOS(t *testing.T, network probe.Network, addr netip.AddrPort) (*probe.Result, *netbios.Evidence) {
	t.Helper()
	r := probe.Run(t.Context(), netbios.Prober{}, probe.Target{Network: network, Addr: addr}, &probe.Options{Limits: patience})
	e, ok := probe.As[*netbios.Evidence](r)
	require.True(t, ok)
	return r, e
}

func netbiosIDs(r *probe.Result) []string {
	ids := []string{}
	for _, f := range finding.Evaluate(r, netbios.Rules) {
		ids = append(ids, f.ID)
	}
	return ids
}

// sambaVersion is the version without its epoch and Debian's part.
func sambaVersion(t testing.TB) string {
	v := version(t, "samba")
	_, v, _ = strings.Cut(v, ":")
	return strings.TrimSuffix(upstream(v), "+dfsg")
}

// tabulate writes names as nmblookup does, and with their kind.
func tabulate(names []netbios.Name) (told, kinds []string) {
	for _, n := range names {
		text := regexp.MustCompile(`[^ -~]`).ReplaceAllString(n.Name, ".")
		line := fmt.Sprintf("%s <%s> - ", text, n.Suffix)
		if n.Group {
			line += "<GROUP> "
		}
		line += n.NodeType
		for _, flag := range []struct {
			set  bool
			name string
		}{{n.Deregistering, "DEREGISTERING"}, {n.Conflict, "CONFLICT"}, {n.Active, "ACTIVE"}, {n.Permanent, "PERMANENT"}} {
			if flag.set {
				line += " <" + flag.name + ">"
			}
		}
		told = append(told, line)
		kinds = append(kinds, line+" "+n.Kind)
	}
	return told, kinds
}

// lookedUp is what nmblookup says of the same host, blanks brought together.
func lookedUp(t testing.TB, conf string) (list []string) {
	t.Helper()
	out, err := exec.Command(need(t, "nmblookup")[0], "-s", conf, "-A", alone.String()).CombinedOutput()
	require.NoError(t, err, string(out))
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "\t") && strings.Contains(line, "<") {
			list = append(list, strings.Join(strings.Fields(line), " "))
		}
	}
	return list
}

// resolved is the addresses that nmblookup gets for a name from the same host.
func resolved(t testing.TB, conf, name string) (list []netip.Addr) {
	t.Helper()
	out, err := exec.Command(need(t, "nmblookup")[0], "-s", conf, "-U", alone.String(), name+"#20").CombinedOutput()
	require.NoError(t, err, string(out))
	for line := range strings.Lines(string(out)) {
		if addr, _, ok := strings.Cut(line, " "+name+"<20>"); ok {
			list = append(list, netip.MustParseAddr(addr))
		}
	}
	return list
}

// mapped holds the evidence against nmap's script nbstat.
func mapped(t testing.TB, e *netbios.Evidence, user string) {
	t.Helper()
	out, err := exec.Command(need(t, "nmap")[0], "-n", "-Pn", "-sU", "-p137", "--script", "nbstat", "-oX", "-", alone.String()).Output()
	require.NoError(t, err)
	var report struct {
		Scripts []struct {
			ID     string `xml:"id,attr"`
			Output string `xml:"output,attr"`
		} `xml:"host>hostscript>script"`
	}
	require.NoError(t, xml.Unmarshal(out, &report))
	require.Len(t, report.Scripts, 1)
	head, table, _ := strings.Cut(report.Scripts[0].Output, "\nNames:\n")
	require.Contains(t, head, "NetBIOS name: "+e.Computer+", NetBIOS user: "+user+", NetBIOS MAC: 000000000000")
	told := []string{}
	for _, n := range e.Names {
		line := strings.NewReplacer("\x01", `\x01`, "\x02", `\x02`).Replace(n.Name) + "<" + n.Suffix + "> Flags: "
		if n.Group {
			line += "<group>"
		} else {
			line += "<unique>"
		}
		told = append(told, line+"<active>")
	}
	var listed []string
	for line := range strings.Lines(table) {
		listed = append(listed, strings.Join(strings.Fields(line), " "))
	}
	require.Equal(t, told, listed)
}

// The command asks both ports of a bare host, and shows what the library shows.
func TestNetBIOSCommand(t *testing.T) {
	command := filepath.Join(t.TempDir(), "handclasp")
	out, err := exec.Command("go", "build", "-o", command, "../../cmd/handclasp").CombinedOutput()
	require.NoError(t, err, string(out))
	ownNetwork(t)
	conf := sambaConf(t, "netbios name = FILER", "workgroup = LABGROUP", "local master = no")
	smbd139(t, conf)
	nmbd(t, conf, "LABGROUP       \x1e")
	text, status := runCommand(t, command, "scan", alone.String(), "--plain", "--format", "jsonl")
	require.Equal(t, 0, status)
	answered := map[string][]string{}
	for line := range strings.Lines(text) {
		r, err := probe.Decode([]byte(line), handclasp.Probers()...)
		require.NoError(t, err)
		if _, ok := probe.As[*netbios.Evidence](r); ok && r.Outcome == probe.OutcomeOK {
			answered[string(r.Target.Network)+" "+r.Target.Addr.String()] = netbiosIDs(r)
		}
	}
	require.Equal(t, map[string][]string{
		"udp 192.0.2.7:137": {"netbios.exposed", "netbios.info-leak", "netbios.amplifier"},
		"tcp 192.0.2.7:139": {"netbios.exposed"},
	}, answered)
}
