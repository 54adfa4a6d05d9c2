package interop_test

import (
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
)

var (
	allDialects = []string{"2.0.2", "2.1", "3.0", "3.0.2", "3.1.1"}
	ntlmOnly    = []string{"NTLM"}
)

// What each Samba must show to an outsider who doesn't log in.
var smbFacts = []struct {
	variant           string
	status            string
	dialects, refused []string
	preferred         string
	enabled, required probe.Fact
	capabilities      []string
	maxSize           uint32
	hash              string
	ciphers, signing  []string // the favourites
	allCiphers        []string
	allSigning        []string
	encryption        probe.Fact
	smb1              smb.SMB1 // without its time
	findings          []string
	kept              string // the transport of which the conversation is kept; empty for both
}{
	{
		variant: "default", status: "STATUS_SUCCESS", dialects: allDialects, refused: none, preferred: "3.1.1",
		enabled: probe.Yes, required: probe.No, capabilities: []string{"DFS", "LEASING", "LARGE_MTU", "MULTI_CHANNEL"}, maxSize: 8 << 20,
		hash: "SHA-512", ciphers: []string{"AES-128-GCM"}, signing: []string{"AES-GMAC"}, encryption: probe.Yes,
		allCiphers: []string{"AES-128-GCM", "AES-128-CCM", "AES-256-GCM", "AES-256-CCM"}, allSigning: []string{"AES-GMAC", "AES-CMAC", "HMAC-SHA256"},
		smb1:     smb.SMB1{Supported: probe.No, Outcome: probe.OutcomeOK, Dialects: none},
		findings: []string{"smb.exposed", "smb.signing-optional", "ntlm.info"},
	},
	{
		variant: "nt1-guest", kept: "direct", status: "STATUS_SUCCESS", dialects: allDialects, refused: none, preferred: "3.1.1",
		enabled: probe.Yes, required: probe.No, capabilities: []string{"DFS", "LEASING", "LARGE_MTU", "MULTI_CHANNEL"}, maxSize: 8 << 20,
		hash: "SHA-512", ciphers: []string{"AES-128-GCM"}, signing: []string{"AES-GMAC"}, encryption: probe.Yes,
		allCiphers: []string{"AES-128-GCM", "AES-128-CCM", "AES-256-GCM", "AES-256-CCM"}, allSigning: []string{"AES-GMAC", "AES-CMAC", "HMAC-SHA256"},
		smb1: smb.SMB1{
			Supported: probe.Yes, Outcome: probe.OutcomeOK, Dialect: "NT LM 0.12", Dialects: []string{"NT LM 0.12"},
			UserSecurity: probe.Yes, ChallengeResponse: probe.Yes, SigningEnabled: probe.No, SigningRequired: probe.No,
			NativeOS: "Windows 6.1", Domain: smbGroup, ServerName: smbName,
		},
		findings: []string{"smb.exposed", "smb.v1", "smb.signing-optional", "ntlm.info"},
	},
	{ // SMB3 is 3.1.1: there is no asking for 3.0 and later
		variant: "strict", status: "STATUS_SUCCESS", dialects: []string{"3.1.1"}, refused: []string{"2.0.2", "2.1", "3.0", "3.0.2"}, preferred: "3.1.1",
		enabled: probe.Yes, required: probe.Yes, capabilities: []string{"DFS", "LEASING", "LARGE_MTU", "MULTI_CHANNEL"}, maxSize: 8 << 20,
		hash: "SHA-512", ciphers: []string{"AES-128-GCM"}, signing: []string{"AES-GMAC"}, encryption: probe.Yes,
		allCiphers: []string{"AES-128-GCM", "AES-128-CCM", "AES-256-GCM", "AES-256-CCM"}, allSigning: []string{"AES-GMAC", "AES-CMAC", "HMAC-SHA256"},
		smb1:     smb.SMB1{Supported: probe.No, Outcome: probe.OutcomeOK, Dialects: none},
		findings: []string{"smb.exposed", "ntlm.info"},
	},
	{
		variant: "up-to-2.1", kept: "direct", status: "STATUS_SUCCESS", dialects: []string{"2.0.2", "2.1"}, refused: []string{"3.0", "3.0.2", "3.1.1"}, preferred: "2.1",
		enabled: probe.Yes, required: probe.No, capabilities: []string{"DFS", "LEASING", "LARGE_MTU"}, maxSize: 8 << 20,
		ciphers: none, signing: none, allCiphers: none, allSigning: none, encryption: probe.No,
		smb1:     smb.SMB1{Supported: probe.No, Outcome: probe.OutcomeOK, Dialects: none},
		findings: []string{"smb.exposed", "smb.signing-optional", "ntlm.info", "smb.no-encryption"},
	},
	{
		variant: "lanman", kept: "netbios", status: "STATUS_SUCCESS", dialects: allDialects, refused: none, preferred: "3.1.1",
		enabled: probe.Yes, required: probe.No, capabilities: []string{"DFS", "LEASING", "LARGE_MTU", "MULTI_CHANNEL"}, maxSize: 8 << 20,
		hash: "SHA-512", ciphers: []string{"AES-128-GCM"}, signing: []string{"AES-GMAC"}, encryption: probe.Yes,
		allCiphers: []string{"AES-128-GCM", "AES-128-CCM", "AES-256-GCM", "AES-256-CCM"}, allSigning: []string{"AES-GMAC", "AES-CMAC", "HMAC-SHA256"},
		smb1: smb.SMB1{
			Supported: probe.Yes, Outcome: probe.OutcomeOK, Dialect: "NT LM 0.12", Dialects: []string{"NT LM 0.12", "LANMAN2.1"},
			UserSecurity: probe.Yes, ChallengeResponse: probe.Yes, SigningEnabled: probe.No, SigningRequired: probe.No,
			NativeOS: "Windows 6.1", Domain: smbGroup, ServerName: smbName,
		},
		findings: []string{"smb.exposed", "smb.v1", "smb.signing-optional", "ntlm.info"},
	},
	{ // hangs up on SMB 2, which says nothing, and on LAN Manager's dialects, which can't sign
		variant: "smb1-only", kept: "direct",
		smb1: smb.SMB1{
			Supported: probe.Yes, Outcome: probe.OutcomeOK, Dialect: "NT LM 0.12", Dialects: []string{"NT LM 0.12"},
			UserSecurity: probe.Yes, ChallengeResponse: probe.Yes, SigningEnabled: probe.Yes, SigningRequired: probe.Yes,
			NativeOS: "Windows 6.1", Domain: smbGroup, ServerName: smbName,
		},
		findings: []string{"smb.exposed", "smb.v1", "ntlm.info"},
	},
}

func TestSMB(t *testing.T) {
	for _, want := range smbFacts {
		t.Run(want.variant, func(t *testing.T) {
			t.Parallel()
			server := samba(t, want.variant)
			release := sambaVersion(t)
			for transport, addr := range map[string]netip.AddrPort{"direct": server.Direct, "netbios": server.NetBIOS} {
				p := smb.Prober{NetBIOS: probe.FactOf(transport == "netbios")}
				r, e := askSMB(t, p, addr)
				if want.kept == "" || want.kept == transport {
					capture(t, r, "samba-"+release+"-"+want.variant+"-"+transport, "samba "+version(t, "samba"), map[string]uint16{"direct": 445, "netbios": 139}[transport])
				}
				require.NoError(t, r.Err)
				require.Equal(t, transport, e.Transport)
				requireSambaSoftware(t, r, e)
				if transport == "netbios" {
					require.Equal(t, []smb.SessionRequest{{CalledName: "*SMBSERVER", Reply: "positive"}}, e.SessionRequests)
				}
				require.Equal(t, want.status, e.NegotiateStatus)
				require.Equal(t, want.dialects, e.Dialects)
				require.Equal(t, want.refused, e.DialectsRefused)
				require.Equal(t, want.preferred, e.PreferredDialect)
				require.Equal(t, want.enabled, e.SigningEnabled)
				require.Equal(t, want.required, e.SigningRequired)
				require.Equal(t, want.capabilities, e.Capabilities)
				require.Equal(t, [3]uint32{want.maxSize, want.maxSize, want.maxSize}, [3]uint32{e.MaxTransactSize, e.MaxReadSize, e.MaxWriteSize})
				require.Equal(t, want.hash, e.PreauthHash)
				require.Equal(t, want.ciphers, e.Ciphers)
				require.Equal(t, want.signing, e.SigningAlgorithms)
				require.Empty(t, e.Compression)
				require.Equal(t, want.encryption, e.Encryption)
				checkMatrix(t, e)
				checkTimes(t, e, want.preferred != "")
				checkNTLM(t, e)

				one := e.SMB1
				one.SystemTime = nil
				if want.smb1.NativeOS != "" {
					require.Equal(t, "Samba "+release+"-Debian", one.NativeLM)
					one.NativeLM = ""
				}
				require.Equal(t, want.smb1, one)
				ids := []string{}
				for _, f := range finding.Evaluate(r, append(smb.Rules, finding.NTLM...)) {
					ids = append(ids, f.ID)
				}
				require.Equal(t, want.findings, ids)
			}
			_, e := askSMB(t, smb.Prober{Algorithms: true}, server.Direct)
			require.Equal(t, want.allCiphers, e.Ciphers)
			require.Equal(t, want.allSigning, e.SigningAlgorithms)
		})
	}
}

// requireSambaSoftware requires that the version is told if SMB1 is spoken, and nowhere else, and that a version of
// Windows isn't taken for one.
func requireSambaSoftware(t *testing.T, r *probe.Result, e *smb.Evidence) {
	t.Helper()
	fact := "samba"
	if e.SMB1.Supported == probe.Yes {
		fact = "samba-smb1"
	}
	requireSoftware(t, r, fact, version(t, "samba"))
}

// checkMatrix compares each dialect's own answer with what the preferred one says.
func checkMatrix(t *testing.T, e *smb.Evidence) {
	t.Helper()
	require.Len(t, e.Matrix, len(allDialects))
	for _, n := range e.Matrix {
		if n.Spoken != probe.Yes {
			continue
		}
		require.Equal(t, e.SigningRequired, n.SigningRequired, n.Dialect)
		require.Equal(t, probe.FactOf(n.Dialect >= "3.0"), n.Encryption, n.Dialect)
		if n.Dialect == "2.0.2" {
			require.Equal(t, []string{"DFS"}, n.Capabilities)
			require.EqualValues(t, 64<<10, n.MaxReadSize)
		}
	}
}

func checkTimes(t *testing.T, e *smb.Evidence, smb2 bool) {
	t.Helper()
	require.Nil(t, e.BootTime, "Samba doesn't tell")
	require.Equal(t, smb2, e.SystemTime != nil)
	if smb2 {
		require.WithinDuration(t, time.Now(), *e.SystemTime, patience.Total)
		require.Equal(t, "656c6966-0073-0000-0000-000000000000", e.ServerGUID, "Samba puts its name there")
	}
	if e.SMB1.Supported == probe.Yes {
		require.WithinDuration(t, time.Now(), *e.SMB1.SystemTime, patience.Total)
	}
}

func checkNTLM(t *testing.T, e *smb.Evidence) {
	t.Helper()
	require.Equal(t, ntlmOnly, e.AuthMechanisms)
	require.Equal(t, probe.Yes, e.NTLMAccepted)
	require.Equal(t, "STATUS_MORE_PROCESSING_REQUIRED", e.SessionSetupStatus)
	require.NotNil(t, e.NTLM.SystemTime)
	require.WithinDuration(t, time.Now(), *e.NTLM.SystemTime, patience.Total)
	n := *e.NTLM
	n.SystemTime = nil
	require.Equal(t, probe.NTLM{
		TargetName: smbName, NetBIOSComputer: smbName, NetBIOSDomain: smbName, DNSComputer: smbHost, DNSDomain: "handclasp.test", OSVersion: "Windows 6.1 build 0",
	}, n)
}

func askSMB(t *testing.T, p smb.Prober, addr netip.AddrPort) (*probe.Result, *smb.Evidence) {
	t.Helper()
	r := probe.Run(t.Context(), p, probe.Target{Addr: addr}, &probe.Options{Limits: patience})
	e, ok := probe.As[*smb.Evidence](r)
	require.True(t, ok)
	return r, e
}

// The command asks both ports of a bare host.
func TestSMBCommand(t *testing.T) {
	command := filepath.Join(t.TempDir(), "handclasp")
	out, err := exec.Command("go", "build", "-o", command, "../../cmd/handclasp").CombinedOutput()
	require.NoError(t, err, string(out))
	sambaAlone(t, "default")
	text, status := runCommand(t, command, "scan", alone.String(), "--plain", "--format", "jsonl")
	require.Equal(t, 0, status)
	answered := map[string]string{}
	for line := range strings.Lines(text) {
		r, err := probe.Decode([]byte(line), handclasp.Probers()...)
		require.NoError(t, err)
		if e, ok := probe.As[*smb.Evidence](r); ok {
			require.NoError(t, r.Err)
			answered[r.Target.Addr.String()] = e.Transport + " " + e.PreferredDialect
		}
	}
	require.Equal(t, map[string]string{"192.0.2.7:445": "direct 3.1.1", "192.0.2.7:139": "netbios 3.1.1"}, answered)
}
