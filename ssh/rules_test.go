package ssh

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/finding/findingtest"
	"github.com/handclasp/handclasp/probe"
)

// modern returns evidence of a server with which nothing is wrong, changed.
func modern(change func(*Evidence, *Algorithms)) *Evidence {
	e := new(Evidence)
	e.Identification, e.ProtocolVersion, e.Software = "SSH-2.0-x", "2.0", "x"
	e.StrictKex, e.HostKeysMissing = probe.Yes, []MissingHostKey{}
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

// of makes evidence of changes, each on its own.
func of(changes ...change) (list []*Evidence) {
	for _, c := range changes {
		list = append(list, modern(c))
	}
	return list
}

func TestRules(t *testing.T) {
	noKeys := func(e *Evidence, _ *Algorithms) { e.HostKeys, e.HostKeysMissing = nil, nil }
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
	lacks := func(kind string) change {
		return func(e *Evidence, _ *Algorithms) {
			e.HostKeysMissing = []MissingHostKey{{Type: kind, Reason: ReasonDropped}}
		}
	}
	groups := func(bits ...int) change {
		return func(e *Evidence, _ *Algorithms) {
			e.GroupExchange = []GroupExchange{}
			for _, b := range bits {
				e.GroupExchange = append(e.GroupExchange, GroupExchange{2048, b})
			}
		}
	}
	none := func(f probe.Fact) change { return func(e *Evidence, _ *Algorithms) { e.NoneAccepted = f } }
	version := func(v string) change { return func(e *Evidence, _ *Algorithms) { e.ProtocolVersion = v } }
	cipher := func(name string) change {
		return func(_ *Evidence, a *Algorithms) { a.CiphersServerToClient = []string{"aes128-ctr", name} }
	}
	mac := func(name string) change {
		return func(_ *Evidence, a *Algorithms) { a.MACsServerToClient = []string{"hmac-sha2-512", name} }
	}
	type c = findingtest.Case[*Evidence]
	seen := func(detail string, items []string, changes ...change) c {
		return c{Known: finding.Seen, Detail: detail, Items: items, Fires: of(changes...)}
	}
	one := func(item string, changes ...change) c { return seen(item, []string{item}, changes...) }
	not := func(changes ...change) c { return c{NotSo: of(changes...)} }
	open := func(changes ...change) c { return c{NotLearned: of(changes...)} }
	result := func(e *Evidence) *probe.Result {
		return &probe.Result{Protocol: protocol, Outcome: probe.OutcomeOK, Evidence: e}
	}
	findingtest.Rules(t, Rules[1:], result, map[string][]c{
		"ssh.v1": {
			seen("version 1.99", nil, version("1.99")), seen("version 1.5", nil, version("1.5")), not(version("2.0"), version("2.1")),
			open(version("")),
		},
		"ssh.weak-kex": {
			one("diffie-hellman-group1-sha1", kex("curve25519-sha256", "diffie-hellman-group1-sha1")),
			one("diffie-hellman-group-exchange-sha1", kex("diffie-hellman-group-exchange-sha1")), one("rsa1024-sha1", kex("rsa1024-sha1")),
			one("gss-gex-sha1-toWM5Slw5Ew8Mqkay+al2g==", kex("gss-gex-sha1-toWM5Slw5Ew8Mqkay+al2g==")),
			one("gss-group14-sha1-x", kex("gss-group14-sha1-x")), one("gss-group1-sha1-x", kex("gss-group1-sha1-x")),
			not(
				kex("diffie-hellman-group14-sha1"), // MAY
				kex("diffie-hellman-group14-sha256", "ecdh-sha2-nistp256", "gss-group14-sha256-x", "rsa2048-sha256"),
			),
			open(noLists),
		},
		"ssh.weak-hostkey-alg": {
			one("ssh-rsa", keys("rsa-sha2-256", "ssh-rsa")), one("ssh-dss", keys("ssh-dss")),
			one("ssh-rsa-cert-v01@openssh.com", keys("ssh-rsa-cert-v01@openssh.com")), one("x509v3-sign-rsa", keys("x509v3-sign-rsa")),
			not(keys("rsa-sha2-256", "rsa-sha2-512-cert-v01@openssh.com", "ssh-ed25519", "x509v3-sign-rsa-sha256@ssh.com")),
			open(noLists),
		},
		"ssh.weak-cipher": {
			one("arcfour", cipher("arcfour")), one("arcfour256", cipher("arcfour256")), one("3des-cbc", cipher("3des-cbc")),
			one("aes128-cbc", cipher("aes128-cbc")), one("rijndael-cbc@lysator.liu.se", cipher("rijndael-cbc@lysator.liu.se")),
			one("none", cipher("none")), not(cipher("aes256-gcm@openssh.com"), cipher("chacha20-poly1305@openssh.com")), open(noLists),
		},
		"ssh.weak-mac": {
			one("hmac-md5", mac("hmac-md5")), one("hmac-md5-96-etm@openssh.com", mac("hmac-md5-96-etm@openssh.com")),
			one("hmac-sha1-96", mac("hmac-sha1-96")), one("hmac-sha1-96-etm@openssh.com", mac("hmac-sha1-96-etm@openssh.com")),
			one("none", mac("none")), not(mac("hmac-sha1"), mac("umac-64-etm@openssh.com"), mac("hmac-sha2-256")), open(noLists),
		},
		"ssh.small-hostkey": {
			one("1024 bits", key("ssh-rsa", 1024)), one("2047 bits", key("ssh-rsa-cert-v01@openssh.com", 2047)),
			not(key("ssh-rsa", 2048), key("ecdsa-sha2-nistp256", 256), lacks("ssh-dss")),
			open(noKeys, key("ssh-rsa", 0), lacks("ssh-rsa")),
		},
		"ssh.terrapin": {
			one("chacha20-poly1305@openssh.com", up([]string{"chacha20-poly1305@openssh.com"}, "hmac-sha1"), down([]string{"chacha20-poly1305@openssh.com"}, "hmac-sha1")),
			seen("aes128-cbc, hmac-sha2-256-etm@openssh.com", []string{"aes128-cbc", "hmac-sha2-256-etm@openssh.com"}, up([]string{"aes128-cbc"}, "hmac-sha2-256-etm@openssh.com")),
			seen("aes256-cbc, umac-64-etm@openssh.com", []string{"aes256-cbc", "umac-64-etm@openssh.com"}, down([]string{"aes128-ctr", "aes256-cbc"}, "umac-64-etm@openssh.com")),
			not(
				kex("kex-strict-s-v00@openssh.com"), // ChaCha20 with the remedy
				up([]string{"aes128-cbc"}, "hmac-sha2-256"), up([]string{"aes128-ctr", "aes128-gcm@openssh.com"}, "hmac-sha2-256-etm@openssh.com"),
				func(e *Evidence, a *Algorithms) { // not the same way
					e.StrictKex = probe.No
					a.CiphersClientToServer, a.MACsClientToServer = []string{"aes128-cbc"}, []string{"hmac-sha1"}
					a.CiphersServerToClient, a.MACsServerToClient = []string{"aes128-ctr"}, []string{"hmac-sha2-256-etm@openssh.com"}
				},
			),
			open(noLists, func(e *Evidence, _ *Algorithms) { e.StrictKex = probe.Unknown }),
		},
		"ssh.password-auth": {
			seen("", nil, methods("publickey", "password")), not(methods("publickey", "keyboard-interactive"), methods()),
			open(func(e *Evidence, _ *Algorithms) { e.AuthMethods = nil }),
		},
		"ssh.no-post-quantum": {
			seen("", nil, kex("curve25519-sha256")),
			not(
				kex("mlkem768x25519-sha256"), kex("sntrup761x25519-sha512@openssh.com"), kex("sntrup4591761x25519-sha512@tinyssh.org"),
				kex("ecdh-nistp384-kyber-768r3-sha384-d00@openquantumsafe.org"),
			),
			open(noLists),
		},
		"ssh.none-accepted": {seen("", nil, none(probe.Yes)), not(none(probe.No)), open(none(probe.Unknown))},
		"ssh.weak-gex": {
			one("1024 bits", groups(1024, 2048, 3072)), one("768 bits", groups(2048, 768)),
			{Known: finding.Seen, Detail: "1536 bits", Items: []string{"1536 bits"}, Severity: finding.Medium, Fires: of(groups(0, 1536, 4096))},
			not(groups(2048, 2048, 3072, 4096), groups(), groups(0)), open(kex("diffie-hellman-group-exchange-sha256")),
		},
	})
}

// An open port is a server's that says who it is, or turns visitors away in the words of one. What isn't open isn't so for
// nobody: a port that says nothing tells nothing.
func TestExposed(t *testing.T) {
	bare := func(lines ...string) *Evidence { return &Evidence{GreetingLines: lines} }
	sftp := modern(func(e *Evidence, _ *Algorithms) { e.TransferHint = "sftp" })
	require.Equal(t, []string{"/evidence/identification"}, exposed(modern(kex())).Proof().Basis)
	require.Equal(t, "the software is made for SFTP", exposed(sftp).Proof().Detail)
	for _, line := range []string{"Not allowed at this time", "Exceeded MaxStartups"} {
		require.Equal(t, []string{"/evidence/greeting_lines/1"}, exposed(bare("hello", line)).Proof().Basis)
	}
	for _, e := range []*Evidence{{}, bare("220 ftp"), bare("Too many connections")} {
		require.Equal(t, finding.NotLearned(), exposed(e))
	}
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
