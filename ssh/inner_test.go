package ssh

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
)

// An inner server has the host keys that OpenSSH makes when it is installed.
type inner struct {
	refused func() bool
	mu      sync.Mutex
	conns   int
}

func (s *inner) start(t *testing.T) probe.Target {
	config := ssh.ServerConfig{
		PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("no") },
	}
	_, first, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	second, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	third, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for _, key := range []any{first, second, third} {
		signer, err := ssh.NewSignerFromKey(key)
		require.NoError(t, err)
		config.AddHostKey(signer)
	}
	return script(t, func(c net.Conn) {
		s.mu.Lock()
		s.conns++
		s.mu.Unlock()
		if s.refused() {
			_, _ = c.Write([]byte("Not allowed at this time\r\n"))
			return
		}
		_, _, _, _ = ssh.NewServerConn(c, &config)
	})
}
