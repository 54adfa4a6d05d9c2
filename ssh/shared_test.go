package ssh

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

func TestSharedHostKey(t *testing.T) {
	plain := HostKey{Type: "ssh-ed25519", SHA256: "SHA256:one", Proven: probe.Yes}
	certified := plain
	certified.Type, certified.Certificate = "ssh-ed25519"+certSuffix, &Certificate{}
	other := HostKey{Type: "ssh-rsa", SHA256: "SHA256:other", Proven: probe.Yes}
	unproven := plain
	unproven.Proven = probe.Unknown
	const here, there = "192.0.2.1:22", "192.0.2.2:22"
	for name, c := range map[string]struct {
		first, second []HostKey
		addr          string // of the second
		basis         []string
	}{
		"the same key":                {first: []HostKey{plain}, second: []HostKey{other, plain}, addr: there, basis: []string{"/evidence/host_keys/1/sha256"}},
		"within a certificate":        {first: []HostKey{certified}, second: []HostKey{plain}, addr: there, basis: []string{"/evidence/host_keys/0/sha256"}},
		"all of them":                 {first: []HostKey{plain, other}, second: []HostKey{plain, other}, addr: there, basis: []string{"/evidence/host_keys/0/sha256", "/evidence/host_keys/1/sha256"}},
		"another key":                 {first: []HostKey{plain}, second: []HostKey{other}, addr: there},
		"another port of the host":    {first: []HostKey{plain}, second: []HostKey{plain}, addr: "192.0.2.1:2222"},
		"shown here, and not proven":  {first: []HostKey{plain}, second: []HostKey{unproven}, addr: there},
		"shown there, and not proven": {first: []HostKey{unproven}, second: []HostKey{plain}, addr: there},
		"no key there":                {second: []HostKey{plain}, addr: there},
		"no key here":                 {first: []HostKey{plain}, addr: there},
		"no fingerprint":              {first: []HostKey{{Proven: probe.Yes}}, second: []HostKey{{Proven: probe.Yes}}, addr: there},
	} {
		t.Run(name, func(t *testing.T) {
			j := finding.NewJudge(nil, Comparisons)
			result := func(addr string, keys []HostKey) *probe.Result {
				e := new(Evidence)
				e.HostKeys = keys
				return &probe.Result{Protocol: protocol, Target: probe.Target{Addr: netip.MustParseAddrPort(addr)}, Evidence: e}
			}
			require.Empty(t, j.Evaluate(result(here, c.first)))
			r := result(c.addr, c.second)
			found := j.Evaluate(r)
			if c.basis == nil {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			require.Equal(t, c.basis, found[0].Basis)
			require.Equal(t, finding.Seen, found[0].Known)
			require.Equal(t, "also on "+here, found[0].Detail)
			text, err := json.Marshal(r)
			require.NoError(t, err)
			for _, pointer := range found[0].Basis {
				_, err := finding.Resolve(text, pointer)
				require.NoError(t, err)
			}
		})
	}
	j := finding.NewJudge(nil, Comparisons)
	require.Empty(t, j.Evaluate(&probe.Result{Protocol: "ftp"}), "another protocol")
}
