package interop_test

import (
	"encoding/json"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/ssh"
)

// The smallest group that a server gives is what ssh-audit says.
func TestSSHGroupsAndSSHAudit(t *testing.T) {
	bin := need(t, "ssh-audit")[0]
	for name, start := range map[string]func(testing.TB) sshServer{"OpenSSH": sshdGroups, "Dropbear": dropbear, "mod_sftp": modSFTP} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			r := probe.Run(t.Context(), ssh.Prober{GroupExchange: true}, probe.Target{Addr: server.Addr}, &probe.Options{Limits: patience})
			require.NoError(t, r.Err)
			e, _ := probe.As[*ssh.Evidence](r)
			require.NotNil(t, e.GroupExchange)
			require.LessOrEqual(t, len(e.GroupExchange), 4)
			ours := 0
			for _, g := range e.GroupExchange {
				if g.Bits > 0 && (ours == 0 || g.Bits < ours) {
					ours = g.Bits
				}
			}
			agree(t, func(t testing.TB) {
				theirs := smallestGroup(t, bin, server.Addr)
				t.Logf("%s: %d bits at least, by ssh-audit %d; %+v", name, ours, theirs, e.GroupExchange)
				require.Equal(t, theirs, ours)
			})
		})
	}
}

// smallestGroup is that of ssh-audit's report; 0 if groups aren't exchanged.
func smallestGroup(t testing.TB, sshAudit string, addr netip.AddrPort) (bits int) {
	t.Helper()
	// It exits with a status that says what it thinks of the server.
	out, _ := exec.CommandContext(t.Context(), sshAudit, "-j", "-p", strconv.Itoa(int(addr.Port())), addr.Addr().String()).Output()
	var report struct {
		Kex []struct {
			Algorithm string
			Keysize   int
		}
	}
	require.NoError(t, json.Unmarshal(out, &report), "%s", out)
	require.NotEmpty(t, report.Kex)
	for _, k := range report.Kex {
		if strings.HasPrefix(k.Algorithm, "diffie-hellman-group-exchange-") && k.Keysize > 0 && (bits == 0 || k.Keysize < bits) {
			bits = k.Keysize
		}
	}
	return bits
}
