package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/selfsigned"
)

// certificate writes one with its key.
func (s *stage) certificate(name string) {
	c := selfsigned.Certificate(name)
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	require.NoError(s.t, err)
	s.write(name+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})))
	s.write(name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
}

// nkey makes an identity by which somebody is known.
func nkey(t *testing.T, make func() (nkeys.KeyPair, error)) (public string, seed []byte, pair nkeys.KeyPair) {
	pair, err := make()
	require.NoError(t, err)
	public, err = pair.PublicKey()
	require.NoError(t, err)
	seed, err = pair.Seed()
	require.NoError(t, err)
	return public, seed, pair
}

// operated makes an operator, an account that may keep streams, and a user of it: the configuration, and the user's credentials.
func operated(t *testing.T) (config, credentials string) {
	operator, _, operatorKey := nkey(t, nkeys.CreateOperator)
	account, _, accountKey := nkey(t, nkeys.CreateAccount)
	system, _, _ := nkey(t, nkeys.CreateAccount)
	user, seed, _ := nkey(t, nkeys.CreateUser)
	encode := func(c jwt.Claims, by nkeys.KeyPair) string {
		text, err := c.Encode(by)
		require.NoError(t, err)
		return text
	}
	o := jwt.NewOperatorClaims(operator)
	o.SystemAccount = system
	a := jwt.NewAccountClaims(account)
	a.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: jwt.NoLimit, MemoryStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit}
	creds, err := jwt.FormatUserConfig(encode(jwt.NewUserClaims(user), accountKey), seed)
	require.NoError(t, err)
	return fmt.Sprintf("operator: %s\nsystem_account: %s\nresolver: MEMORY\nresolver_preload: {%s: %s, %s: %s}\n", encode(o, operatorKey), system,
		account, encode(a, operatorKey), system, encode(jwt.NewAccountClaims(system), operatorKey)), string(creds)
}

// Over TLS, and by each way to say who one is, a scan goes through; who doesn't say it, or doesn't know the server, learns why not.
func TestIdentities(t *testing.T) {
	targets := listen(t)
	public, seed, _ := nkey(t, nkeys.CreateUser)
	operator, credentials := operated(t)
	for name, c := range map[string]struct {
		config  string
		tls     string // what more the server is told of it
		user    string // in the URL
		flags   func(*stage) []string
		refusal string // of who says nothing; a server that wants a certificate may hang up before it says so
	}{
		"password": {fmt.Sprintf("authorization {users = [{user: a, password: b}, {nkey: %s}]}", public), "", "a:b@", func(*stage) []string { return nil }, "Authorization"},
		"nkey": {fmt.Sprintf("authorization {users = [{nkey: %s}]}", public), "", "", func(s *stage) []string {
			return []string{"--nkey", s.write("a.nk", string(seed))}
		}, "Authorization"},
		"certificate": {fmt.Sprintf("authorization {users = [{nkey: %s}]}", public), ", verify: true, ca_file: client.pem", "", func(s *stage) []string {
			s.certificate("client")
			return []string{"--nkey", s.write("a.nk", string(seed)), "--tls-cert", "client.pem", "--tls-key", "client.key"}
		}, "nats: "},
		"credentials": {operator, "", "", func(s *stage) []string { return []string{"--creds", s.write("a.creds", credentials)} }, "Authorization"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.certificate("localhost")
			config := s.write("nats.conf", fmt.Sprintf("tls {cert_file: localhost.pem, key_file: localhost.key%s}\n%s", c.tls, c.config))
			who := slices.Concat(c.flags(s), []string{"--tls-ca", "localhost.pem"})
			coordinator := slices.Concat(who, []string{"--config", config})
			if c.user != "" { // which is told by the URL alone, and within its process it has none
				coordinator = append(coordinator, "--nkey", s.write("coordinator.nk", string(seed)))
			}
			s.serve(coordinator...)
			url := fmt.Sprintf("--nats=tls://%slocalhost:%d", c.user, s.port)
			command := func(args ...string) []string { return slices.Concat(args, who, []string{url}) }
			s.start(command("worker")...)
			s.once(command("submit", "--id", "x", "--only", "ftp", "--level", "greeting", "--shards", "2", fmt.Sprintf("ftp://127.64.0.0/29:%d", targets.port))...)
			s.once(command("results", "--follow", "-o", "out.jsonl")...)
			require.Len(t, read(t, filepath.Join(s.dir, "out.jsonl")), 8)

			failure := func(args ...string) string {
				var failed *exec.ExitError
				_, err := s.command(append(args, "status")...).Output()
				require.ErrorAs(t, err, &failed)
				return string(failed.Stderr)
			}
			require.Contains(t, failure(append(c.flags(s), url)...), "failed to verify certificate")
			require.Contains(t, failure("--tls-ca", "localhost.pem", fmt.Sprintf("--nats=tls://localhost:%d", s.port)), c.refusal)
		})
	}
}
