package lab_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/internal/lab"
)

// It asks for a password, and none is right.
func TestPasswordSSH(t *testing.T) {
	s, err := lab.PasswordSSH(t.Context())
	must(t, s, err)
	asked := 0
	_, err = ssh.Dial("tcp", s.Addr.String(), &ssh.ClientConfig{
		User: "root", HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		Auth: []ssh.AuthMethod{ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) {
			asked++
			return "root", nil
		}), 2)},
	})
	require.ErrorContains(t, err, "unable to authenticate")
	require.Equal(t, 2, asked)
	_, err = ssh.Dial("tcp", s.Addr.String(), &ssh.ClientConfig{User: "root", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	require.Error(t, err)
}
