package interop_test

import (
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
)

// What servers other than a Samba for files show to somebody without a name. Facts that are left out must be unknown.
var smbOtherFacts = []struct {
	name       string
	start      func(testing.TB) smbServer
	outcome    probe.Outcome
	said       string // of the error
	partial    []string
	dialects   []string
	preferred  string
	required   probe.Fact
	mechanisms []string
	ntlm       *probe.NTLM // without its time
	smb1       probe.Fact
	null       probe.Fact
	status     string // of the null session
	shares     []smb.Share
	software   string
	findings   []string
}{
	{ // answers each dialect but its own by its own; its names are drawn anew, and its NTLM has no version
		name: "impacket", start: impacketSMB, outcome: probe.OutcomeMalformed, said: "wasn't offered",
		dialects: []string{"2.0.2"}, preferred: "2.0.2", required: probe.No, mechanisms: ntlmOnly, smb1: probe.Yes, null: probe.Yes,
		status: "STATUS_SUCCESS", shares: []smb.Share{{Name: "IPC$", Type: "disk"}, {Name: "PUB", Type: "disk", Comment: "Public files"}},
		findings: []string{
			"smb.exposed", "smb.null-session", "smb.v1", "smb.shares-listed", "smb.signing-optional", "smb.no-encryption",
		},
	},
	{ // refuses as NetBIOS does, on either port, whoever is on its list
		name: "samba hosts deny", start: func(t testing.TB) smbServer { return samba(t, "hosts-deny") },
		outcome: probe.OutcomeDenied, said: "not listening for calling name", partial: []string{"/evidence"}, findings: []string{},
	},
	{ // signs always, and knows Kerberos; a session needs the rest of samba
		name: "samba AD DC", start: sambaDC, outcome: probe.OutcomeOK,
		dialects: allDialects, preferred: "3.1.1", required: probe.Yes, mechanisms: []string{"MS-KRB5", "KRB5", "NTLM"}, smb1: probe.No,
		ntlm: &probe.NTLM{
			TargetName: "LAB", NetBIOSComputer: "DC1", NetBIOSDomain: "LAB", DNSComputer: "dc1.lab.test", DNSDomain: "lab.test",
			OSVersion: "Windows 6.1 build 0",
		},
		status: "0xc00000e5", software: "samba", findings: []string{"smb.exposed"},
	},
}

func TestSMBOthers(t *testing.T) {
	for _, want := range smbOtherFacts {
		t.Run(want.name, func(t *testing.T) {
			t.Parallel()
			server := want.start(t)
			r := probe.Run(t.Context(), smb.Prober{}, probe.Target{Addr: server.Direct}, &probe.Options{Level: probe.LevelAnonymous, Limits: patience})
			e, ok := probe.As[*smb.Evidence](r)
			require.True(t, ok)
			require.Equal(t, want.outcome, r.Outcome, "%v", r.Err)
			if want.said != "" {
				require.ErrorContains(t, r.Err, want.said)
			}
			require.Equal(t, orEmpty(want.partial), orEmpty(r.Partial))
			require.Equal(t, want.dialects, e.Dialects)
			require.Equal(t, want.preferred, e.PreferredDialect)
			require.Equal(t, want.required, e.SigningRequired)
			require.Equal(t, want.mechanisms, e.AuthMechanisms)
			require.Equal(t, want.smb1, e.SMB1.Supported)
			require.Regexp(t, "^[ -~]*$", e.SMB1.NativeOS+e.SMB1.NativeLM)
			if want.ntlm != nil {
				n := *e.NTLM
				n.SystemTime = nil
				require.Equal(t, *want.ntlm, n)
			}
			require.Equal(t, want.null, e.NullSession)
			require.Equal(t, want.status != "", e.Anonymous != nil)
			if e.Anonymous != nil {
				require.Equal(t, want.status, e.Anonymous.Status)
			}
			require.Equal(t, want.shares, e.Shares)
			if want.software != "" {
				requireSoftware(t, r, want.software, version(t, "samba"))
			} else {
				requireNoSoftware(t, r)
			}
			require.Equal(t, want.findings, columns(finding.Evaluate(r, smb.Rules), func(f finding.Finding) string { return f.ID }))
		})
	}
}

// impacketSMB is the server of impacket's, which lets in whoever comes.
func impacketSMB(t testing.TB) smbServer {
	t.Helper()
	pub := filepath.Dir(writeFile(t, filepath.Join(serverDir(t, ""), "pub", "README"), "hello\n", 0o644))
	addr, _ := python(t, "smb_impacket.py", "python3-impacket", pub)
	return smbServer{Direct: addr}
}

// sambaDC is the first controller of a domain, as far as its file server goes.
func sambaDC(t testing.TB) smbServer {
	t.Helper()
	needRoot(t)
	paths := need(t, "smbd", "usr/bin/python3", "usr/share/samba/setup/provision.ldif", "usr/lib/*/samba/ldb/samba_dsdb.so")
	dir := serverDir(t, "")
	script := filepath.Join("testdata", "servers", "samba_provision.py")
	if out, err := exec.CommandContext(t.Context(), paths[1], script, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	conf := writeFile(t, filepath.Join(dir, "smbd.conf"), lines(
		"[global]", "interfaces = lo", "bind interfaces only = yes", "smb ports = "+strconv.Itoa(int(server.Port())),
		"netbios name = DC1", "workgroup = LAB", "realm = LAB.TEST", "server role = active directory domain controller",
		"server role check:inhibit = yes", // that the rest of samba isn't there
		"vfs objects =", "private dir = "+filepath.Join(dir, "private"), "state directory = "+filepath.Join(dir, "state"),
		"cache directory = "+filepath.Join(dir, "cache"), "lock directory = "+dir, "pid directory = "+dir,
		"ncalrpc dir = "+filepath.Join(dir, "ncalrpc"), "log file = "+filepath.Join(dir, "log"),
		"[sysvol]", "path = "+filepath.Join(dir, "state", "sysvol"),
	), 0o644)
	start(t, process{Path: paths[0], Args: []string{"-F", "--no-process-group", "-s", conf, "-d", "1", "--debug-stdout"}, Listen: server})
	return smbServer{Direct: server}
}
