package ssh_test

import (
	"crypto/elliptic"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	xssh "golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/ssh"
)

func TestSmoke(t *testing.T) {
	s := (&server{keys: []xssh.Signer{ed25519Key(t), ecdsaKey(t, elliptic.P256()), ecdsaKey(t, elliptic.P521()), rsaKey(t, 1024), dsaKey(t)}}).takeAll()
	target := serve(t, s)
	for _, l := range []probe.Level{-1, 0, 1} {
		r := probe.Run(t.Context(), ssh.Prober{}, target, &probe.Options{Level: l})
		fmt.Println(r.Outcome, r.Err)
		b, _ := json.MarshalIndent(r.Evidence, "", " ")
		fmt.Println(string(b))
		require.Empty(t, s.offered)
		for _, e := range r.Transcript {
			if e.Dir != probe.DirRand {
				fmt.Println(e.Conn, e.Dir, len(e.Data), e.Outcome, e.Label)
			}
		}
	}
}
