package lab

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

// oldHostKey is the size of the RSA key of PasswordSSH in bits: what was usual once.
const oldHostKey = 1024

var errNoLogin = errors.New("no password is right")

// PasswordSSH starts an SSH server (RFC 4253) that asks for passwords, as it says, with algorithms and a key that were
// left behind long ago beside those of today. It calls itself an old OpenSSH. No password is right.
func PasswordSSH(ctx context.Context) (*Server, error) {
	config, err := oldSSH()
	if err != nil {
		return nil, fmt.Errorf("password-ssh: %w", err)
	}
	return Serve(ctx, Neighbour{
		Name: "password-ssh", About: "asks for passwords, and offers algorithms of the last century", Protocol: "ssh",
	}, func(c net.Conn) {
		_ = c.SetDeadline(time.Now().Add(idleTime))
		_, _, _, _ = ssh.NewServerConn(c, config) // nobody gets in
	})
}

func oldSSH() (*ssh.ServerConfig, error) {
	old, err := rsa.GenerateKey(rand.Reader, oldHostKey)
	if err != nil {
		return nil, err
	}
	_, recent, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	config := &ssh.ServerConfig{
		Config: ssh.Config{
			KeyExchanges: []string{ssh.KeyExchangeCurve25519, ssh.InsecureKeyExchangeDH1SHA1},
			Ciphers:      []string{ssh.CipherAES128CTR, ssh.InsecureCipherTripleDESCBC},
			MACs:         []string{ssh.HMACSHA256, ssh.InsecureHMACSHA196},
		},
		ServerVersion:    "SSH-2.0-OpenSSH_6.7p1 Debian-5",
		MaxAuthTries:     3,
		PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errNoLogin },
		BannerCallback:   func(ssh.ConnMetadata) string { return "For the people of the lab only.\n" },
	}
	for _, key := range []any{recent, old} {
		signer, err := ssh.NewSignerFromKey(key)
		if err != nil {
			return nil, err
		}
		config.AddHostKey(signer)
	}
	return config, nil
}
