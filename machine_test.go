package handclasp_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
	"github.com/handclasp/handclasp/smtp"
	"github.com/handclasp/handclasp/ssh"
)

func at(addr, name string, e probe.Evidence) *probe.Result {
	return &probe.Result{Protocol: e.Protocol(), Outcome: probe.OutcomeOK, Target: probe.Target{Addr: netip.MustParseAddrPort(addr), Name: name}, Evidence: e}
}

func fileServer(guid string) *smb.Evidence { return &smb.Evidence{ServerGUID: guid} }

func keyHolder(sha256 string) *ssh.Evidence {
	return &ssh.Evidence{HostKeys: []ssh.HostKey{{Type: "ssh-ed25519", SHA256: sha256, Proven: probe.Yes}}}
}

func tlsHolder(key, problem string) *smtp.Evidence {
	return &smtp.Evidence{TLS: &probe.TLS{Version: "1.3", Error: problem, Chain: []probe.Certificate{{KeySHA256: key}}}}
}

// Of each pair both are told of once all were seen, in either order, and nobody else.
func TestComparisons(t *testing.T) {
	const (
		random, another = "2fc01176-5f84-4805-9b03-f58562ad15bd", "8019f7db-d016-4806-8130-eae4f7ccfad1"
		sambas          = "6e756275-7574-6566-0000-000000000000" // "ubuntu…" in bytes
		sambasLong      = "45564552-5345-4d4e-8141-4d4542494700" // 15 letters, one of them outside ASCII
	)
	for _, c := range []struct {
		about  string
		id     string
		known  finding.Known
		basis  string // empty if neither is told of
		first  *probe.Result
		second *probe.Result
	}{
		{
			"a random identifier", "net.same-machine", finding.Inferred, "/evidence/server_guid",
			at("192.0.2.1:445", "", fileServer(random)), at("192.0.2.2:445", "", fileServer(random)),
		},
		{
			"another one", "net.same-machine", "", "",
			at("192.0.2.1:445", "", fileServer(random)), at("192.0.2.2:445", "", fileServer(another)),
		},
		{
			"Samba's, which is a name", "net.same-machine", "", "",
			at("192.0.2.1:445", "", fileServer(sambas)), at("192.0.2.2:445", "", fileServer(sambas)),
		},
		{
			"Samba's of 15 letters", "net.same-machine", "", "",
			at("192.0.2.1:445", "", fileServer(sambasLong)), at("192.0.2.2:445", "", fileServer(sambasLong)),
		},
		{
			"an SSH host key", "net.same-machine", finding.Inferred, "/evidence/host_keys/0/sha256",
			at("192.0.2.1:22", "", keyHolder("SHA256:a")), at("[2001:db8::1]:2222", "", keyHolder("SHA256:a")),
		},
		{
			"two ports of one address", "net.same-machine", "", "",
			at("192.0.2.1:22", "", keyHolder("SHA256:a")), at("192.0.2.1:2222", "", keyHolder("SHA256:a")),
		},
		{
			"two addresses of one name", "net.same-machine", "", "",
			at("192.0.2.1:22", "a.example", keyHolder("SHA256:a")), at("192.0.2.2:22", "a.example", keyHolder("SHA256:a")),
		},
		{
			"a TLS key", "tls.shared-key", finding.Seen, "/evidence/tls/chain/0/key_sha256",
			at("192.0.2.1:465", "a.example", tlsHolder("k", "")), at("192.0.2.2:465", "b.example", tlsHolder("k", "")),
		},
		{
			"another TLS key", "tls.shared-key", "", "",
			at("192.0.2.1:465", "a.example", tlsHolder("k", "")), at("192.0.2.2:465", "b.example", tlsHolder("l", "")),
		},
		{
			"a TLS key, and no names", "tls.shared-key", "", "",
			at("192.0.2.1:465", "", tlsHolder("k", "")), at("192.0.2.2:465", "", tlsHolder("k", "")),
		},
		{
			"a TLS key that wasn't proven", "tls.shared-key", "", "",
			at("192.0.2.1:465", "a.example", tlsHolder("k", "")), at("192.0.2.2:465", "b.example", tlsHolder("k", "bad signature")),
		},
	} {
		pair := []*probe.Result{c.first, c.second}
		for _, order := range [][2]int{{0, 1}, {1, 0}} {
			judge := finding.NewJudge(nil, handclasp.Comparisons())
			judge.Learn(pair[order[0]])
			judge.Learn(pair[order[1]])
			for i, r := range pair {
				var found []finding.Finding
				for _, f := range judge.Evaluate(r) {
					if f.ID == c.id {
						found = append(found, f)
					}
				}
				if c.basis == "" {
					require.Empty(t, found, c.about)
					continue
				}
				require.Len(t, found, 1, c.about)
				require.Equal(t, c.known, found[0].Known, c.about)
				require.Equal(t, []string{c.basis}, found[0].Basis, c.about)
				require.Contains(t, found[0].Detail, pair[1-i].Target.Addr.String(), c.about)
			}
		}
	}
}
