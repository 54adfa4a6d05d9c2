package ssh

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// modern returns evidence of a server with which nothing is wrong, changed.
func modern(change func(*Evidence, *Algorithms)) *Evidence {
	e := newEvidence()
	e.Identification, e.ProtocolVersion, e.Software = "SSH-2.0-x", "2.0", "x"
	e.StrictKex = probe.Yes
	e.HostKeys = []HostKey{{Type: "ssh-ed25519", Bits: 256, Proven: probe.Yes}}
	e.AuthMethods, e.NoneAccepted = []string{"publickey"}, probe.No
	e.Algorithms = &Algorithms{
		Kex: []string{"mlkem768x25519-sha256", "curve25519-sha256"}, HostKey: []string{"ssh-ed25519", "rsa-sha2-256"},
		CiphersClientToServer: []string{"chacha20-poly1305@openssh.com", "aes128-ctr"}, CiphersServerToClient: []string{"aes128-ctr"},
		MACsClientToServer: []string{"hmac-sha2-256-etm@openssh.com"}, MACsServerToClient: []string{"hmac-sha2-256", "umac-64@openssh.com", "hmac-sha1"},
		Compression: []string{"none"},
	}
	change(e, e.Algorithms)
	return e
}

type change = func(*Evidence, *Algorithms)

func kex(names ...string) change { return func(_ *Evidence, a *Algorithms) { a.Kex = names } }

func TestRules(t *testing.T) {
	noLists := func(e *Evidence, _ *Algorithms) { e.Algorithms = nil }
	keys := func(names ...string) change { return func(_ *Evidence, a *Algorithms) { a.HostKey = names } }
	up := func(ciphers []string, macs ...string) change {
		return func(e *Evidence, a *Algorithms) {
			e.StrictKex, a.CiphersClientToServer, a.MACsClientToServer = probe.No, ciphers, macs
		}
	}
	down := func(ciphers []string, macs ...string) change {
		return func(e *Evidence, a *Algorithms) {
			e.StrictKex, a.CiphersServerToClient, a.MACsServerToClient = probe.No, ciphers, macs
			a.CiphersClientToServer = []string{"aes128-ctr"}
		}
	}
	key := func(kind string, bits int) change {
		return func(e *Evidence, _ *Algorithms) { e.HostKeys = append(e.HostKeys, HostKey{Type: kind, Bits: bits}) }
	}
	methods := func(names ...string) change {
		return func(e *Evidence, _ *Algorithms) { e.AuthMethods = append([]string{}, names...) }
	}
	version := func(v string) change { return func(e *Evidence, _ *Algorithms) { e.ProtocolVersion = v } }
	cipher := func(name string) change {
		return func(_ *Evidence, a *Algorithms) { a.CiphersServerToClient = []string{"aes128-ctr", name} }
	}
	mac := func(name string) change {
		return func(_ *Evidence, a *Algorithms) { a.MACsServerToClient = []string{"hmac-sha2-512", name} }
	}
	for id, c := range map[string]struct{ fires, not, unknown []change }{
		"ssh.exposed": {
			fires:   []change{kex(), func(e *Evidence, _ *Algorithms) { e.TransferHint = "sftp" }},
			unknown: []change{func(e *Evidence, _ *Algorithms) { *e = *newEvidence(); e.GreetingLines = []string{"220 ftp"} }},
		},
		"ssh.v1": {
			fires: []change{version("1.99"), version("1.5")}, not: []change{version("2.0"), version("2.1")},
			unknown: []change{version("")},
		},
		"ssh.weak-kex": {
			fires: []change{
				kex("curve25519-sha256", "diffie-hellman-group1-sha1"), kex("diffie-hellman-group-exchange-sha1"), kex("rsa1024-sha1"),
				kex("gss-gex-sha1-toWM5Slw5Ew8Mqkay+al2g=="), kex("gss-group14-sha1-x"), kex("gss-group1-sha1-x"),
			},
			not: []change{
				kex("diffie-hellman-group14-sha1"), // MAY
				kex("diffie-hellman-group14-sha256", "ecdh-sha2-nistp256", "gss-group14-sha256-x", "rsa2048-sha256"),
			},
			unknown: []change{noLists},
		},
		"ssh.weak-hostkey-alg": {
			fires:   []change{keys("rsa-sha2-256", "ssh-rsa"), keys("ssh-dss"), keys("ssh-rsa-cert-v01@openssh.com"), keys("x509v3-sign-rsa")},
			not:     []change{keys("rsa-sha2-256", "rsa-sha2-512-cert-v01@openssh.com", "ssh-ed25519", "x509v3-sign-rsa-sha256@ssh.com")},
			unknown: []change{noLists},
		},
		"ssh.weak-cipher": {
			fires: []change{
				cipher("arcfour"), cipher("arcfour256"), cipher("3des-cbc"), cipher("aes128-cbc"), cipher("rijndael-cbc@lysator.liu.se"),
				cipher("none"),
			},
			not:     []change{cipher("aes256-gcm@openssh.com"), cipher("chacha20-poly1305@openssh.com")},
			unknown: []change{noLists},
		},
		"ssh.weak-mac": {
			fires:   []change{mac("hmac-md5"), mac("hmac-md5-96-etm@openssh.com"), mac("hmac-sha1-96"), mac("hmac-sha1-96-etm@openssh.com"), mac("none")},
			not:     []change{mac("hmac-sha1"), mac("umac-64-etm@openssh.com"), mac("hmac-sha2-256")},
			unknown: []change{noLists},
		},
		"ssh.small-hostkey": {
			fires:   []change{key("ssh-rsa", 1024), key("ssh-rsa-cert-v01@openssh.com", 2047)},
			not:     []change{key("ssh-rsa", 2048), key("ecdsa-sha2-nistp256", 256)},
			unknown: []change{func(e *Evidence, _ *Algorithms) { e.HostKeys = []HostKey{} }, key("ssh-rsa", 0)},
		},
		"ssh.terrapin": {
			fires: []change{
				up([]string{"chacha20-poly1305@openssh.com"}, "hmac-sha1"), down([]string{"chacha20-poly1305@openssh.com"}, "hmac-sha1"),
				up([]string{"aes128-cbc"}, "hmac-sha2-256-etm@openssh.com"), down([]string{"aes128-ctr", "aes256-cbc"}, "umac-64-etm@openssh.com"),
			},
			not: []change{
				kex("kex-strict-s-v00@openssh.com"), // ChaCha20 with the remedy
				up([]string{"aes128-cbc"}, "hmac-sha2-256"), up([]string{"aes128-ctr", "aes128-gcm@openssh.com"}, "hmac-sha2-256-etm@openssh.com"),
				func(e *Evidence, a *Algorithms) { // not the same way
					e.StrictKex = probe.No
					a.CiphersClientToServer, a.MACsClientToServer = []string{"aes128-cbc"}, []string{"hmac-sha1"}
					a.CiphersServerToClient, a.MACsServerToClient = []string{"aes128-ctr"}, []string{"hmac-sha2-256-etm@openssh.com"}
				},
			},
			unknown: []change{noLists, func(e *Evidence, _ *Algorithms) { e.StrictKex = probe.Unknown }},
		},
		"ssh.password-auth": {
			fires: []change{methods("publickey", "password")}, not: []change{methods("publickey", "keyboard-interactive")},
			unknown: []change{methods()},
		},
		"ssh.no-post-quantum": {
			fires: []change{kex("curve25519-sha256"), kex()},
			not: []change{
				kex("mlkem768x25519-sha256"), kex("sntrup761x25519-sha512@openssh.com"), kex("sntrup4591761x25519-sha512@tinyssh.org"),
				kex("ecdh-nistp384-kyber-768r3-sha384-d00@openquantumsafe.org"),
			},
			unknown: []change{noLists},
		},
	} {
		t.Run(id, func(t *testing.T) {
			for i, c := range c.fires {
				found := judged(t, id, modern(c))
				require.NotNil(t, found, "case %d", i)
				require.Equal(t, finding.Seen, found.Known)
			}
			for i, c := range c.not {
				require.Nil(t, judged(t, id, modern(c)), "case %d", i)
			}
			for i, c := range c.unknown {
				require.Nil(t, judged(t, id, modern(c)), "unknown %d", i)
			}
			require.Nil(t, judged(t, id, newEvidence()))
		})
	}
}

// judged returns the finding of one rule, whose pointers lead somewhere.
func judged(t *testing.T, id string, e *Evidence) *finding.Finding {
	t.Helper()
	r := &probe.Result{Protocol: protocol, Evidence: e}
	text, err := json.Marshal(r)
	require.NoError(t, err)
	known := false
	for _, rule := range Rules {
		known = known || rule.ID == id
	}
	require.True(t, known)
	for _, f := range finding.Evaluate(r, Rules) {
		for _, pointer := range f.Basis {
			_, err := finding.Resolve(text, pointer)
			require.NoError(t, err, "%s: %s", f.ID, pointer)
		}
		if f.ID == id {
			return &f
		}
	}
	return nil
}

// A server may list very many names.
func TestProofsAreShort(t *testing.T) {
	names := make([]string, 1<<16)
	for i := range names {
		names[i] = "arcfour"
	}
	names[0] = "3des-cbc"
	p := weakCiphers(modern(func(_ *Evidence, a *Algorithms) { a.CiphersServerToClient = names }).Algorithms).Proof()
	require.Len(t, p.Basis, 2)
	require.Equal(t, "3des-cbc, arcfour", p.Detail)
}
