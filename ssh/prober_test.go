package ssh_test

import (
	"context"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	xssh "golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/ssh"
)

// The library's goroutines end with each probe.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ask(t *testing.T, target probe.Target, l probe.Level) (*probe.Result, *ssh.Evidence) {
	t.Helper()
	r := probe.Run(t.Context(), ssh.Prober{}, target, &probe.Options{Level: l})
	stored(t, r)
	return r, evidence(t, r)
}

// A server that would take any credential sees none, at any level.
func TestNoCredential(t *testing.T) {
	for _, l := range []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous} {
		s := (&server{keys: []xssh.Signer{ed25519Key(t)}}).takeAll()
		_, e := ask(t, serve(t, s), l)
		require.NotEmpty(t, e.Identification)
		require.Equal(t, l == probe.LevelAnonymous, len(e.AuthMethods) > 0)
		s.mu.Lock()
		require.Empty(t, s.offered)
		require.Zero(t, s.logins)
		require.Equal(t, 1, s.conns)
		s.mu.Unlock()
	}
}

// One that lets in whoever asks is left at once, and no channel is opened.
func TestNoneAccepted(t *testing.T) {
	s := (&server{keys: []xssh.Signer{ed25519Key(t)}}).takeAll()
	s.config.NoClientAuth = true
	r, e := ask(t, serve(t, s), probe.LevelAnonymous)
	require.NoError(t, r.Err)
	require.Equal(t, probe.Yes, e.NoneAccepted)
	require.Empty(t, e.AuthMethods)
	require.Len(t, e.HostKeys, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Zero(t, s.channels)
	require.Empty(t, s.offered)
}

func TestMethodsAndBanner(t *testing.T) {
	s := &server{keys: []xssh.Signer{ed25519Key(t)}, before: "Hello.\r\n"}
	s.config.ServerVersion = "SSH-2.0-Test_1.0 with a comment"
	s.config.BannerCallback = func(c xssh.ConnMetadata) string { return "for " + c.User() + "\xff\n" }
	r, e := ask(t, serve(t, s), probe.LevelAnonymous)
	require.NoError(t, r.Err)
	require.Equal(t, []string{"Hello."}, e.GreetingLines)
	require.Equal(t, "Test_1.0", e.Software)
	require.Equal(t, "with a comment", e.Comment)
	require.Equal(t, []string{"password"}, e.AuthMethods)
	require.Equal(t, probe.No, e.NoneAccepted)
	require.Equal(t, "for handclasp-no-such-user\uFFFD\n", e.Banner)
	require.NotContains(t, labels(r), "")
}

// Every type of host key.
func TestHostKeys(t *testing.T) {
	keys := []xssh.Signer{
		ed25519Key(t), ecdsaKey(t, elliptic.P256()), ecdsaKey(t, elliptic.P384()), ecdsaKey(t, elliptic.P521()), rsaKey(t, 1024), dsaKey(t),
	}
	s := &server{keys: keys}
	r, e := ask(t, serve(t, s), probe.LevelAnonymous)
	require.NoError(t, r.Err)
	require.Len(t, e.HostKeys, len(keys))
	bits := []int{256, 256, 384, 521, 1024, 1024}
	for i, k := range keys {
		require.Equal(t, ssh.HostKey{
			Type: k.PublicKey().Type(), Bits: bits[i], SHA256: xssh.FingerprintSHA256(k.PublicKey()), Proven: probe.Yes,
			Key: k.PublicKey().Marshal(),
		}, e.HostKeys[i])
	}
	require.Equal(t, []ssh.MissingHostKey{}, e.HostKeysMissing)
	require.Equal(t, len(keys), s.visits(), "a connection for each")
}

// Few connections are made at level handshake, and plain keys come before certificates; at level anonymous no more than eight.
func TestFewConnections(t *testing.T) {
	certified, host, _ := certificate(t)
	s := &server{keys: []xssh.Signer{host, certified, rsaKey(t, 1024), dsaKey(t)}}
	r, e := ask(t, serve(t, s), probe.LevelHandshake)
	require.NoError(t, r.Err)
	require.Equal(t, 3, s.visits())
	require.Equal(t, []string{"ssh-ed25519", "ssh-rsa", "ssh-dss"}, types(e))
	require.Equal(t, []ssh.MissingHostKey{{Type: "ssh-ed25519-cert-v01@openssh.com", Reason: ssh.ReasonLimit}}, e.HostKeysMissing)
	require.NotContains(t, labels(r), "NEWKEYS")

	s = &server{keys: []xssh.Signer{
		host, ecdsaKey(t, elliptic.P256()), ecdsaKey(t, elliptic.P384()), ecdsaKey(t, elliptic.P521()), rsaKey(t, 1024), dsaKey(t), certified,
		certifiedBy(t, rsaKey(t, 1024)), certifiedBy(t, ecdsaKey(t, elliptic.P256())),
	}}
	r, e = ask(t, serve(t, s), probe.LevelAnonymous)
	require.NoError(t, r.Err)
	require.Equal(t, 8, s.visits())
	require.Len(t, e.HostKeysMissing, 1)
}

func types(e *ssh.Evidence) (list []string) {
	for _, h := range e.HostKeys {
		list = append(list, h.Type)
	}
	return list
}

// A key that the library refuses to verify by is described by its own bytes, and isn't held against the server.
func TestForeignExponent(t *testing.T) {
	for _, l := range []probe.Level{probe.LevelHandshake, probe.LevelAnonymous} {
		key := rsaKey(t, 2048)
		r, e := ask(t, serve(t, &server{keys: []xssh.Signer{foreignKey{key}}}), l)
		require.NoError(t, r.Err)
		require.Len(t, e.HostKeys, 1)
		h := e.HostKeys[0]
		require.Equal(t, "ssh-rsa 2048 "+probe.Unknown, probe.Fact(fmt.Sprintf("%s %d %s", h.Type, h.Bits, h.Proven)))
		require.Equal(t, foreignKey{key}.PublicKey().Marshal(), h.Key)
		require.NotEmpty(t, h.SHA256)
		require.Nil(t, e.AuthMethods)
	}
}

// A foreignKey says that its RSA key has an exponent of 30 bits.
type foreignKey struct{ xssh.Signer }

func (k foreignKey) PublicKey() xssh.PublicKey { return foreignPublic{k.Signer.PublicKey()} }

type foreignPublic struct{ xssh.PublicKey }

func (k foreignPublic) Marshal() []byte {
	return []byte(strings.Replace(string(k.PublicKey.Marshal()), "\x00\x00\x00\x03\x01\x00\x01", "\x00\x00\x00\x04\x2f\xff\xff\xff", 1))
}

// A longer identification than the RFC allows is marked, and the lists and keys are learned all the same.
func TestLongIdentification(t *testing.T) {
	for length, long := range map[int]bool{253: false, 254: true, 4000: true} {
		for _, l := range []probe.Level{probe.LevelHandshake, probe.LevelAnonymous} {
			s := &server{keys: []xssh.Signer{ed25519Key(t), rsaKey(t, 1024)}}
			s.config.ServerVersion = "SSH-2.0-Wordy " + strings.Repeat("x", length-len("SSH-2.0-Wordy "))
			r, e := ask(t, serve(t, s), l)
			require.Equal(t, long, e.IdentificationTooLong)
			require.Len(t, e.Identification, length)
			require.NotNil(t, e.Algorithms)
			require.NotEmpty(t, e.HostKeys)
			require.Equal(t, !long, e.HostKeys[0].Proven == probe.Yes)
			if long && l == probe.LevelAnonymous {
				require.Equal(t, probe.OutcomeMalformed, r.Outcome, "nobody can log in, with or without a credential")
				require.ErrorContains(t, r.Err, fmt.Sprintf("an identification of %d bytes", length))
				continue
			}
			require.NoError(t, r.Err)
			require.Equal(t, []string{"ssh-ed25519", "ssh-rsa"}, types(e))
		}
	}
}

// Who asks says so if the protocol has room for it.
func TestContact(t *testing.T) {
	s := &server{keys: []xssh.Signer{ed25519Key(t)}}
	s.config.BannerCallback = func(c xssh.ConnMetadata) string { return c.User() + " of " + string(c.ClientVersion()) }
	name := strings.Repeat("a", 52) + ".example.org"
	r := probe.Run(t.Context(), ssh.Prober{}, serve(t, s), &probe.Options{
		Level: probe.LevelAnonymous, Contact: probe.Contact{Host: name, Mail: "abuse@example.org"},
	})
	require.NoError(t, r.Err)
	require.Equal(t, name+"-no-such-user of SSH-2.0-handclasp abuse@example.org", evidence(t, r).Banner)
}

// The sizes of groups are asked for with the knob alone, and nothing is computed with them.
func TestGroupExchange(t *testing.T) {
	s := &server{keys: []xssh.Signer{ed25519Key(t)}}
	s.config.KeyExchanges = []string{"curve25519-sha256", "diffie-hellman-group-exchange-sha256"}
	target := serve(t, s)
	r := probe.Run(t.Context(), ssh.Prober{GroupExchange: true}, target, nil)
	require.NoError(t, r.Err)
	require.Equal(t, 5, s.visits())
	require.Equal(t, []ssh.GroupExchange{{1024, 2048}, {2048, 2048}, {3072, 3072}, {4096, 4096}}, evidence(t, r).GroupExchange)
	require.NotContains(t, labels(r), "KEX_DH_GEX_INIT")
	_, e := ask(t, target, probe.LevelHandshake)
	require.Nil(t, e.GroupExchange)

	s = &server{keys: []xssh.Signer{ed25519Key(t)}}
	s.config.KeyExchanges = []string{"curve25519-sha256"}
	r = probe.Run(t.Context(), ssh.Prober{GroupExchange: true}, serve(t, s), nil)
	require.NoError(t, r.Err)
	require.Equal(t, []ssh.GroupExchange{}, evidence(t, r).GroupExchange)
	require.Equal(t, 1, s.visits())
}

// One that drops the connections for it leaves the sizes unknown.
func TestGroupExchangeDropped(t *testing.T) {
	s := &server{keys: []xssh.Signer{ed25519Key(t)}}
	s.config.KeyExchanges = []string{"curve25519-sha256", "diffie-hellman-group-exchange-sha1"}
	s.refuse = func(n int) string {
		if n > 1 {
			return "Exceeded MaxStartups\r\n"
		}
		return ""
	}
	r := probe.Run(t.Context(), ssh.Prober{GroupExchange: true}, serve(t, s), nil)
	require.Equal(t, probe.OutcomeBusy, r.Outcome)
	require.Equal(t, []string{"/evidence/gex"}, r.Partial)
	require.Nil(t, evidence(t, r).GroupExchange)
}

func TestTurnedAway(t *testing.T) {
	for said, want := range map[string]probe.Outcome{
		"Not allowed at this time\r\n":                 probe.OutcomeBusy,
		"Exceeded MaxStartups\r\n":                     probe.OutcomeBusy,
		"hello\r\nToo many connections, try later\r\n": probe.OutcomeBusy,
		"Access denied\r\n":                            probe.OutcomeDenied,
		"Your address is blocked":                      probe.OutcomeDenied,
		"SSH-2.0-x\r\n" + disconnect("\x0c"):           probe.OutcomeBusy,
		"SSH-2.0-x\r\n" + disconnect("\x01"):           probe.OutcomeDenied,
		"SSH-2.0-x\r\n" + disconnect("\x0b"):           probe.OutcomeClosed,
		"Welcome\r\n":                                  probe.OutcomeClosed,
		"":                                             probe.OutcomeClosed,
	} {
		r, e := ask(t, serve(t, &server{refuse: func(int) string { return said }, linger: true, silent: said == ""}), probe.LevelAnonymous)
		require.Equal(t, want, r.Outcome, "%q: %v", said, r.Err)
		require.NotEmpty(t, r.Partial)
		require.Nil(t, e.HostKeys)
		require.Nil(t, e.AuthMethods)
		require.NotContains(t, r.Err.Error(), "nothing more was asked")
	}
}

func disconnect(reason string) string {
	return "\x00\x00\x00\x14\x06\x01\x00\x00\x00" + reason + strings.Repeat("\x00", 14)
}

// Every way to exchange keys, the old too.

func TestKeyExchanges(t *testing.T) {
	good, bad := xssh.SupportedAlgorithms(), xssh.InsecureAlgorithms()
	for _, kex := range append(good.KeyExchanges, bad.KeyExchanges...) {
		t.Run(kex, func(t *testing.T) {
			s := &server{keys: []xssh.Signer{ed25519Key(t)}}
			s.config.KeyExchanges = []string{kex}
			r, e := ask(t, serve(t, s), probe.LevelHandshake)
			require.NoError(t, r.Err)
			require.Len(t, e.HostKeys, 1)
			require.Equal(t, probe.Yes, e.HostKeys[0].Proven)
		})
	}
}

// dripping gives a byte at a time.
type dripping struct{ net.Conn }

func (c dripping) Read(p []byte) (int, error) { return c.Conn.Read(p[:min(len(p), 1)]) }

// Where the library begins anew, for a large group, it is told all that the server said until then, and nothing is said twice.
func TestLargeGroupInPieces(t *testing.T) {
	s := &server{keys: []xssh.Signer{ed25519Key(t)}}
	s.config.KeyExchanges = []string{xssh.KeyExchangeDH14SHA256}
	r := probe.Run(t.Context(), ssh.Prober{}, serve(t, s), &probe.Options{
		Level: probe.LevelAnonymous,
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			return dripping{c}, err
		},
	})
	require.NoError(t, r.Err)
	e := evidence(t, r)
	require.Equal(t, probe.Yes, e.HostKeys[0].Proven)
	require.Equal(t, []string{"password"}, e.AuthMethods)
	require.Equal(t, 1, s.visits())
	require.Equal(t, []string{"identification", "KEXINIT", "KEXDH_INIT or KEX_ECDH_INIT", "NEWKEYS", "ciphertext", "ciphertext"}, labels(r))
}

func TestOldCiphers(t *testing.T) {
	for _, cipher := range append(xssh.SupportedAlgorithms().Ciphers, xssh.InsecureAlgorithms().Ciphers...) {
		for _, mac := range []string{"hmac-sha1-96", "hmac-sha2-512-etm@openssh.com"} {
			s := (&server{keys: []xssh.Signer{ed25519Key(t)}}).takeAll()
			s.config.Ciphers, s.config.MACs = []string{cipher}, []string{mac}
			r, e := ask(t, serve(t, s), probe.LevelAnonymous)
			require.NoError(t, r.Err, cipher)
			require.Contains(t, e.AuthMethods, "password", cipher)
		}
	}
}

func certifiedBy(t *testing.T, host xssh.Signer) xssh.Signer {
	cert := &xssh.Certificate{Key: host.PublicKey(), CertType: xssh.HostCert}
	require.NoError(t, cert.SignCert(rand.Reader, ed25519Key(t)))
	certified, err := xssh.NewCertSigner(cert, host)
	require.NoError(t, err)
	return certified
}

func certificate(t *testing.T) (certified, host, authority xssh.Signer) {
	host, authority = ed25519Key(t), rsaKey(t, 2048)
	cert := &xssh.Certificate{
		Key: host.PublicKey(), CertType: xssh.HostCert, KeyId: "a host\xff", Serial: math.MaxUint64,
		ValidPrincipals: []string{"host.example.org"}, ValidAfter: 1767225600, ValidBefore: xssh.CertTimeInfinity,
	}
	require.NoError(t, cert.SignCert(rand.Reader, authority))
	certified, err := xssh.NewCertSigner(cert, host)
	require.NoError(t, err)
	return certified, host, authority
}

func TestCertificate(t *testing.T) {
	certified, host, authority := certificate(t)
	r, e := ask(t, serve(t, &server{keys: []xssh.Signer{certified}}), probe.LevelHandshake)
	require.NoError(t, r.Err)
	after := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	require.Equal(t, []ssh.HostKey{{
		Type: "ssh-ed25519-cert-v01@openssh.com", Bits: 256, SHA256: xssh.FingerprintSHA256(host.PublicKey()), Proven: probe.Yes,
		Key: certified.PublicKey().Marshal(),
		Certificate: &ssh.Certificate{
			KeyID: "a host\uFFFD", Serial: math.MaxUint64, Principals: []string{"host.example.org"}, ValidAfter: &after,
			AuthoritySHA256: xssh.FingerprintSHA256(authority.PublicKey()),
		},
	}}, e.HostKeys)
}

// A server that drops what comes after the first connection, as OpenSSH does with those that keep coming: the other keys
// are unknown, and it isn't asked again.
func TestDropped(t *testing.T) {
	s := &server{keys: []xssh.Signer{ed25519Key(t), ecdsaKey(t, elliptic.P256()), rsaKey(t, 1024)}}
	s.refuse = func(n int) string {
		if n > 1 {
			return "Not allowed at this time\r\n"
		}
		return ""
	}
	r, e := ask(t, serve(t, s), probe.LevelHandshake)
	require.Equal(t, probe.OutcomeBusy, r.Outcome)
	require.Equal(t, []string{"/evidence/host_keys"}, r.Partial)
	require.NotNil(t, e.Algorithms)
	require.Len(t, e.HostKeys, 1)
	require.Equal(t, []ssh.MissingHostKey{
		{Type: "ecdsa-sha2-nistp256", Reason: ssh.ReasonDropped}, {Type: "ssh-rsa", Reason: ssh.ReasonNotAsked},
	}, e.HostKeysMissing)
	require.Equal(t, 2, s.visits())
}

// No more connections are opened than the caller allows.
func TestConnectionLimit(t *testing.T) {
	s := &server{keys: []xssh.Signer{ed25519Key(t), ecdsaKey(t, elliptic.P256()), rsaKey(t, 1024)}}
	r := probe.Run(t.Context(), ssh.Prober{}, serve(t, s), &probe.Options{Limits: probe.Limits{Conns: 2}})
	require.NoError(t, r.Err)
	e := evidence(t, r)
	require.Len(t, e.HostKeys, 2)
	require.Equal(t, []ssh.MissingHostKey{{Type: "ssh-rsa", Reason: ssh.ReasonLimit}}, e.HostKeysMissing)
}

// late is a prober that gets a session of which a connection was used.
type late struct{ ssh.Prober }

func (p late) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	c, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	_ = c.Close()
	return s.HandOver(ctx, p.Prober, probe.Handed{})
}

func TestConnectionsUsedBefore(t *testing.T) {
	s := &server{keys: []xssh.Signer{ed25519Key(t), ecdsaKey(t, elliptic.P256()), rsaKey(t, 1024)}}
	r := probe.Run(t.Context(), late{}, serve(t, s), &probe.Options{Limits: probe.Limits{Conns: 2}})
	require.NoError(t, r.Err)
	e := evidence(t, r)
	require.Len(t, e.HostKeys, 1)
	require.Equal(t, []ssh.MissingHostKey{
		{Type: "ecdsa-sha2-nistp256", Reason: ssh.ReasonLimit}, {Type: "ssh-rsa", Reason: ssh.ReasonLimit},
	}, e.HostKeysMissing)
}

// A key whose owner signs something else isn't proven, and a foreign one neither.
func TestNotProven(t *testing.T) {
	key, other := ed25519Key(t), ed25519Key(t)
	r, e := ask(t, serve(t, &server{keys: []xssh.Signer{impostor{key, other}}}), probe.LevelAnonymous)
	require.Equal(t, probe.OutcomeMalformed, r.Outcome)
	require.Len(t, e.HostKeys, 1)
	require.Equal(t, xssh.FingerprintSHA256(key.PublicKey()), e.HostKeys[0].SHA256)
	require.Equal(t, probe.Unknown, e.HostKeys[0].Proven)
	require.NotContains(t, labels(r), "NEWKEYS")
}

// An impostor shows a key that it doesn't have.
type impostor struct{ shown, own xssh.Signer }

func (i impostor) PublicKey() xssh.PublicKey { return i.shown.PublicKey() }
func (i impostor) Sign(r io.Reader, data []byte) (*xssh.Signature, error) {
	return i.own.Sign(r, data)
}

func TestTooManyLines(t *testing.T) {
	s := &server{refuse: func(int) string { return strings.Repeat("x\r\n", 600) }}
	r, e := ask(t, serve(t, s), probe.LevelHandshake)
	require.Equal(t, probe.OutcomeLimit, r.Outcome)
	require.ErrorContains(t, r.Err, "512 lines")
	require.Len(t, e.GreetingLines, 512)
}

// What is broken in the lists, or said instead of them, is told apart.
func TestBrokenExchange(t *testing.T) {
	const id = "SSH-2.0-x\r\n"
	for name, c := range map[string]struct {
		said    string
		outcome probe.Outcome
	}{
		"closed":         {id, probe.OutcomeClosed},
		"text":           {id + "Protocol mismatch.\r\n", probe.OutcomeMalformed},
		"a long packet":  {id + "\x7f\xff\xff\xff\x04\x14", probe.OutcomeMalformed},
		"no lists":       {id + "\x00\x00\x00\x0c\x0a\x14" + strings.Repeat("\x00", 10), probe.OutcomeMalformed},
		"long lists":     {id + "\x00\x00\x88\xbc\x0a\x14" + strings.Repeat("\x00", 35000), probe.OutcomeMalformed},
		"half a KEXINIT": {id + "\x00\x00\x01\x0c\x0a\x14", probe.OutcomeClosed},
	} {
		t.Run(name, func(t *testing.T) {
			r, e := ask(t, serve(t, &server{refuse: func(int) string { return c.said }, linger: true}), probe.LevelAnonymous)
			require.Equal(t, c.outcome, r.Outcome, "%v", r.Err)
			require.Equal(t, "SSH-2.0-x", e.Identification)
			require.Nil(t, e.Algorithms)
		})
	}
}

func labels(r *probe.Result) (list []string) {
	for _, e := range r.Transcript {
		if e.Dir == probe.DirSend {
			list = append(list, e.Label)
		}
	}
	return list
}
