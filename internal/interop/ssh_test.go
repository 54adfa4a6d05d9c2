package interop_test

import (
	"cmp"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/ssh"
)

// What each server must show to an outsider. Facts that are left out must be unknown.
var sshFacts = []struct {
	server, variant string
	start           func(testing.TB) sshServer
	outcome         probe.Outcome // "" is ok
	software        string        // its beginning
	lines           []string      // before the identification, or instead of it
	strict          probe.Fact
	keys            []string // types, in the order in which they are asked for
	bits            []int
	missing         []ssh.MissingHostKey
	methods         []string
	none            probe.Fact
	banner          string
	findings        []string
	folder          string // of the transcript: long ones take too long to be replayed at each split
}{
	{
		server: "openssh-server", variant: "passwords", start: sshdPasswords, software: "OpenSSH_", strict: probe.Yes,
		keys: []string{"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"}, bits: []int{256, 3072, 256},
		methods: []string{"publickey", "password"}, none: probe.No, banner: "Authorised users only.\n",
		findings: []string{"ssh.password-auth", "ssh.exposed"},
		folder:   "long/",
	},
	{
		server: "openssh-server", variant: "keys-only", start: sshdKeysOnly, software: "OpenSSH_", strict: probe.Yes,
		keys: []string{"ssh-ed25519"}, bits: []int{256}, methods: []string{"publickey"}, none: probe.No,
		findings: []string{"ssh.exposed"},
	},
	{
		server: "openssh-server", variant: "legacy", start: sshdLegacy, software: "OpenSSH_", strict: probe.Yes,
		keys: []string{"ssh-rsa", "ssh-dss"}, bits: []int{1024, 1024},
		methods: []string{"publickey", "password", "keyboard-interactive"}, none: probe.No,
		findings: []string{
			"ssh.password-auth", "ssh.weak-hostkey-alg", "ssh.weak-kex", "ssh.exposed", "ssh.small-hostkey", "ssh.weak-cipher",
			"ssh.weak-mac", "ssh.no-post-quantum",
		},
		folder: "long/",
	},
	{
		server: "openssh-server", variant: "groups", start: sshdGroups, software: "OpenSSH_", strict: probe.Yes,
		keys: []string{"ecdsa-sha2-nistp384"}, bits: []int{384},
		methods: []string{"publickey", "password", "keyboard-interactive"}, none: probe.No,
		findings: []string{"ssh.password-auth", "ssh.exposed", "ssh.no-post-quantum"},
		folder:   "long/",
	},
	{
		server: "openssh-server", variant: "nothing-in-common", start: sshdStranger, software: "OpenSSH_", strict: probe.Yes,
		missing: []ssh.MissingHostKey{{Type: "ssh-ed25519", Reason: ssh.ReasonNoCommon}}, findings: []string{"ssh.exposed"},
	},
	{
		server: "openssh-server", variant: "certificate", start: sshdCertified, software: "OpenSSH_", strict: probe.Yes,
		keys: []string{"ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com"}, bits: []int{256, 256},
		methods: []string{"publickey", "password", "keyboard-interactive"}, none: probe.No,
		findings: []string{"ssh.password-auth", "ssh.exposed"},
		folder:   "long/",
	},
	{
		server: "openssh-server", variant: "full", start: sshdFull, outcome: probe.OutcomeBusy,
		lines: []string{"Exceeded MaxStartups"}, findings: []string{"ssh.exposed"},
	},
	{ // Debian's has the remedy against Terrapin
		server: "dropbear-bin", variant: "passwords", start: dropbear, software: "dropbear_", strict: probe.Yes,
		keys: []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"}, bits: []int{256, 256, 2048},
		methods: []string{"publickey", "password"}, none: probe.No,
		findings: []string{"ssh.password-auth", "ssh.weak-hostkey-alg", "ssh.exposed", "ssh.no-post-quantum"},
		folder:   "long/",
	},
	{ // Debian's doesn't
		server: "tinysshd", variant: "keys-only", start: tinyssh, software: "tinyssh_", strict: probe.No,
		keys: []string{"ssh-ed25519"}, bits: []int{256}, methods: []string{"publickey"}, none: probe.No,
		findings: []string{"ssh.terrapin", "ssh.exposed"},
	},
	{
		server: "tinysshd", variant: "open-to-anybody", start: tinysshOpen, software: "tinyssh", strict: probe.No,
		keys: []string{"ssh-ed25519"}, bits: []int{256}, none: probe.Yes,
		findings: []string{"ssh.none-accepted", "ssh.terrapin", "ssh.exposed"},
	},
	{
		server: "mod_sftp", variant: "passwords", start: modSFTP, software: "mod_sftp", strict: probe.Yes,
		keys: []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"}, bits: []int{256, 256, 2048},
		methods: []string{"password"}, none: probe.No,
		findings: []string{
			"ssh.password-auth", "ssh.weak-hostkey-alg", "ssh.weak-kex", "ssh.exposed", "ssh.weak-cipher", "ssh.weak-mac", "ssh.no-post-quantum",
		},
		folder: "long/",
	},
	{ // signs by RSA in SSH Communications Security's names, too
		server: "asyncssh", variant: "passwords", start: asyncSSH, software: "AsyncSSH_", strict: probe.Yes,
		keys: []string{"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"}, bits: []int{256, 2048, 256},
		missing: []ssh.MissingHostKey{
			{Type: "ssh-rsa-sha224@ssh.com", Reason: ssh.ReasonUnsupported}, {Type: "ssh-rsa-sha256@ssh.com", Reason: ssh.ReasonUnsupported},
			{Type: "ssh-rsa-sha384@ssh.com", Reason: ssh.ReasonUnsupported}, {Type: "ssh-rsa-sha512@ssh.com", Reason: ssh.ReasonUnsupported},
		},
		methods: []string{"keyboard-interactive", "password"}, none: probe.No,
		findings: []string{"ssh.password-auth", "ssh.weak-hostkey-alg", "ssh.exposed", "ssh.no-post-quantum"},
		folder:   "long/",
	},
	{ // Debian's has no remedy against Terrapin
		server: "paramiko", variant: "passwords", start: paramiko, software: "paramiko_", strict: probe.No,
		keys: []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"}, bits: []int{256, 256, 2048},
		methods: []string{"password", "publickey"}, none: probe.No,
		findings: []string{
			"ssh.password-auth", "ssh.terrapin", "ssh.weak-hostkey-alg", "ssh.weak-kex", "ssh.exposed", "ssh.weak-cipher", "ssh.weak-mac",
			"ssh.no-post-quantum",
		},
		folder: "long/",
	},
	{
		server: "erlang-ssh", variant: "passwords", start: erlangSSH, software: "Erlang/", strict: probe.Yes,
		keys: []string{"ssh-ed25519", "ssh-rsa"}, bits: []int{256, 2048}, methods: []string{"publickey", "password"}, none: probe.No,
		findings: []string{"ssh.password-auth", "ssh.exposed", "ssh.weak-cipher", "ssh.no-post-quantum"},
		folder:   "long/",
	},
	{
		server: "gliderlabs", variant: "passwords", start: gliderlabs, software: "Go", strict: probe.Yes,
		keys: []string{"ssh-ed25519"}, bits: []int{256}, methods: []string{"password"}, none: probe.No,
		findings: []string{"ssh.password-auth", "ssh.exposed", "ssh.weak-mac", "ssh.no-post-quantum"},
		folder:   "long/",
	},
}

func TestSSH(t *testing.T) {
	for _, want := range sshFacts {
		t.Run(want.server+" "+want.variant, func(t *testing.T) {
			t.Parallel()
			server := want.start(t)
			o := &probe.Options{Level: probe.LevelAnonymous, Limits: patience}
			r := probe.Run(t.Context(), ssh.Prober{}, probe.Target{Addr: server.Addr}, o)
			e, ok := probe.As[*ssh.Evidence](r)
			require.True(t, ok)
			capture(t, r, want.folder+want.server+"-"+upstream(server.Version)+"-"+want.variant, want.server+" "+server.Version, 22)

			require.Equal(t, cmp.Or(want.outcome, probe.OutcomeOK), r.Outcome, "%v", r.Err)
			require.Regexp(t, "^"+want.software, e.Software)
			if e.Identification == "" {
				requireNoSoftware(t, r)
			} else {
				requireSoftware(t, r, want.server, server.Version)
			}
			require.Equal(t, orEmpty(want.lines), e.GreetingLines)
			require.Equal(t, want.strict, e.StrictKex)
			require.Equal(t, want.strict != probe.Unknown, e.Algorithms != nil)
			require.Equal(t, orEmpty(want.keys), columns(e.HostKeys, func(h ssh.HostKey) string { return h.Type }))
			require.Equal(t, orEmpty(want.bits), columns(e.HostKeys, func(h ssh.HostKey) int { return h.Bits }))
			for _, h := range e.HostKeys {
				require.Equal(t, server.Keys[h.Type], h.SHA256, h.Type)
				require.Equal(t, probe.Yes, h.Proven, h.Type)
			}
			require.Equal(t, orEmpty(want.missing), orEmpty(e.HostKeysMissing))
			require.Equal(t, want.methods, e.AuthMethods)
			require.Equal(t, want.none, e.NoneAccepted)
			require.Equal(t, want.banner, e.Banner)
			require.Equal(t, want.findings, columns(finding.Evaluate(r, ssh.Rules), func(f finding.Finding) string { return f.ID }))
		})
	}
}

// The lists are those that OpenSSH's own client sees, for a configuration that says them.
func TestSSHAlgorithms(t *testing.T) {
	server := sshdKeysOnly(t)
	e, err := ssh.Grab(t.Context(), server.Addr.String(), &probe.Options{Limits: patience})
	require.NoError(t, err)
	require.Equal(t, []string{"sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "kex-strict-s-v00@openssh.com"}, e.Algorithms.Kex)
	require.Equal(t, []string{"ssh-ed25519"}, e.Algorithms.HostKey)
	require.Equal(t, []string{"chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com"}, e.Algorithms.CiphersClientToServer)
	require.Equal(t, e.Algorithms.CiphersClientToServer, e.Algorithms.CiphersServerToClient)
	require.Equal(t, []string{"hmac-sha2-512-etm@openssh.com"}, e.Algorithms.MACsClientToServer)
	require.Equal(t, e.Algorithms.MACsClientToServer, e.Algorithms.MACsServerToClient)
	require.Equal(t, []string{"none", "zlib@openssh.com"}, e.Algorithms.Compression)
	require.Nil(t, e.AuthMethods, "nobody asked at this level")
}

// The sizes of groups are those of OpenSSH's moduli, of which none is below 2048 bits.
func TestSSHGroups(t *testing.T) {
	server := sshdGroups(t)
	r := probe.Run(t.Context(), ssh.Prober{GroupExchange: true}, probe.Target{Addr: server.Addr}, &probe.Options{Limits: patience})
	require.NoError(t, r.Err)
	e, _ := probe.As[*ssh.Evidence](r)
	if len(e.GroupExchange) == 0 {
		require.NotContains(t, e.Algorithms.Kex, "diffie-hellman-group-exchange-sha256")
		return
	}
	require.Len(t, e.GroupExchange, 4)
	for _, g := range e.GroupExchange {
		require.GreaterOrEqual(t, g.Bits, max(g.Asked, 2048))
	}
}

// The command, as a user builds and calls it, shows what the library shows.
func TestSSHCommand(t *testing.T) {
	command := filepath.Join(t.TempDir(), "handclasp")
	out, err := exec.Command("go", "build", "-o", command, "../../cmd/handclasp").CombinedOutput()
	require.NoError(t, err, string(out))
	for _, want := range sshFacts {
		if want.outcome != "" {
			continue
		}
		t.Run(want.server+" "+want.variant, func(t *testing.T) {
			server := want.start(t)
			line, status := runCommand(t, command, "scan", "ssh://"+server.Addr.String(), "--plain", "--format", "jsonl", "--level", "anonymous")
			require.Equal(t, 0, status)
			r, err := probe.Decode([]byte(line), handclasp.Probers()...)
			require.NoError(t, err)
			e, ok := probe.As[*ssh.Evidence](r)
			require.True(t, ok)
			require.Equal(t, orEmpty(want.keys), columns(e.HostKeys, func(h ssh.HostKey) string { return h.Type }))
			require.Equal(t, want.methods, e.AuthMethods)
			require.Equal(t, want.findings, columns(finding.Evaluate(r, ssh.Rules), func(f finding.Finding) string { return f.ID }))
		})
	}
}

func columns[T, V any](rows []T, get func(T) V) []V {
	list := []V{}
	for _, r := range rows {
		list = append(list, get(r))
	}
	return list
}

func orEmpty[T any](list []T) []T { return append([]T{}, list...) }
