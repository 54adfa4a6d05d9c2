package lab_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/netbios"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/rsync"
	"github.com/handclasp/handclasp/smb"
	"github.com/handclasp/handclasp/ssh"
)

// Each neighbour has the faults that it is there for, and no others.
func TestFindings(t *testing.T) {
	n, err := lab.Start(t.Context())
	require.NoError(t, err)
	defer n.Close()
	probers := map[string]probe.Prober{"ftp": ftp.Prober{}, "rsync": rsync.Prober{}, "netbios": netbios.Prober{}, "smb": smb.Prober{}, "ssh": ssh.Prober{}}
	rules := slices.Concat(ftp.Rules, rsync.Rules, netbios.Rules, smb.Rules, ssh.Rules, finding.TLS, finding.NTLM)
	want := map[string][]string{
		"anonymous-ftp": {
			"ftp.anonymous-writable", "ftp.anonymous", "ftp.anonymous-listing", "ftp.cleartext-login", "ftp.exposed",
			"ftp.tls-missing",
		},
		"expired-ftp":   {"ftp.exposed", "tls.cert-expired"},
		"implicit-ftps": {"ftp.exposed"},
		"leaky-ftp": {
			"ftp.anonymous", "ftp.anonymous-listing", "ftp.cleartext-login", "ftp.exposed", "ftp.passive-address-leak",
			"ftp.tls-missing",
		},
		"open-rsync":        {"rsync.module-open", "rsync.outdated", "rsync.exposed", "rsync.module-list", "rsync.weak-auth-digest"},
		"talkative-netbios": {"netbios.exposed", "netbios.info-leak", "netbios.amplifier"},
		"old-files":         {"smb.exposed", "smb.v1", "smb.signing-optional", "ntlm.info", "smb.no-encryption"},
		"open-files":        {"smb.exposed", "smb.null-session", "smb.shares-listed", "smb.signing-optional", "ntlm.info"},
		"password-ssh": {
			"ssh.password-auth", "ssh.weak-hostkey-alg", "ssh.weak-kex", "ssh.exposed", "ssh.small-hostkey", "ssh.weak-cipher",
			"ssh.weak-mac", "ssh.no-post-quantum",
		},
	}
	for _, s := range n.Neighbours() {
		p, ok := probers[s.Protocol]
		if !ok {
			continue
		}
		r := probe.Run(t.Context(), p, probe.Target{Network: probe.Network(s.Network), Addr: s.Addr}, &probe.Options{
			Level: probe.LevelAnonymous, ImplicitTLS: probe.FactOf(s.ImplicitTLS), RootCAs: n.CA(),
		})
		require.NoError(t, r.Err, s.Name)
		var got []string
		for _, f := range finding.Evaluate(r, rules) {
			got = append(got, f.ID)
		}
		require.Equal(t, want[s.Name], got, s.Name)
	}
}
