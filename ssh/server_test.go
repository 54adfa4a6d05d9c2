package ssh_test

import (
	//lint:ignore SA1019 old servers have such keys
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
)

// A server is an SSH server inside the test, which takes every credential that it is offered, and remembers them.
type server struct {
	config ssh.ServerConfig
	keys   []ssh.Signer
	before string             // said before the identification
	refuse func(n int) string // said to the nth connection instead of serving it; "" serves
	silent bool               // it closes each connection without a word
	linger bool               // it listens for what the client says before it closes such a connection

	mu       sync.Mutex
	conns    int
	offered  []string // credentials
	channels int
	logins   int
}

// serve starts the server on loopback.
func serve(t *testing.T, s *server) probe.Target {
	t.Helper()
	for _, k := range s.keys {
		s.config.AddHostKey(k)
	}
	if s.config.PasswordCallback == nil { // the library wants some way to log in
		s.config.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("no") }
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				s.handle(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return probe.Target{Addr: l.Addr().(*net.TCPAddr).AddrPort()}
}

// visits is how many connections were made so far.
func (s *server) visits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

func (s *server) handle(c net.Conn) {
	s.mu.Lock()
	s.conns++
	n := s.conns
	s.mu.Unlock()
	if s.silent {
		return
	}
	if s.refuse != nil {
		if text := s.refuse(n); text != "" {
			_, _ = c.Write([]byte(text))
			if s.linger {
				_ = c.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, c)
			}
			return
		}
	}
	if s.before != "" {
		_, _ = c.Write([]byte(s.before))
	}
	conn, channels, requests, err := ssh.NewServerConn(c, &s.config)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.logins++
	s.mu.Unlock()
	go ssh.DiscardRequests(requests)
	for channel := range channels {
		s.mu.Lock()
		s.channels++
		s.mu.Unlock()
		_ = channel.Reject(ssh.Prohibited, "no")
	}
	_ = conn.Wait()
}

// takeAll makes the server accept every credential, and note it.
func (s *server) takeAll() *server {
	note := func(what string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.offered = append(s.offered, what)
	}
	s.config.PasswordCallback = func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		note("password " + string(password))
		return nil, nil
	}
	s.config.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
		note("publickey")
		return nil, nil
	}
	s.config.KeyboardInteractiveCallback = func(ssh.ConnMetadata, ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		note("keyboard-interactive")
		return nil, nil
	}
	return s
}

func signer(t *testing.T, key any, err error) ssh.Signer {
	t.Helper()
	require.NoError(t, err)
	s, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	return s
}

func ed25519Key(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return signer(t, key, err)
}

func ecdsaKey(t *testing.T, curve elliptic.Curve) ssh.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	return signer(t, key, err)
}

func rsaKey(t *testing.T, bits int) ssh.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	return signer(t, key, err)
}

func dsaKey(t *testing.T) ssh.Signer {
	t.Helper()
	var key dsa.PrivateKey
	require.NoError(t, dsa.GenerateParameters(&key.Parameters, rand.Reader, dsa.L1024N160))
	err := dsa.GenerateKey(&key, rand.Reader)
	return signer(t, &key, err)
}
