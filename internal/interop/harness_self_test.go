package interop_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMakeCert(t *testing.T) {
	for name, c := range map[string]struct {
		o           certOptions
		host        string
		trusted, ok bool
	}{
		"valid":        {certOptions{}, "127.0.0.1", true, true},
		"valid, ECDSA": {certOptions{ECDSA: true}, "localhost", true, true},
		"untrusted CA": {certOptions{}, "localhost", false, false},
		"expired":      {certOptions{Expired: true}, "localhost", true, false},
		"other name":   {certOptions{Name: "elsewhere.test"}, "localhost", true, false},
		"self-signed":  {certOptions{SelfSigned: true}, "localhost", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := makeCert(t, c.o)
			pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
			if err != nil {
				t.Fatal(err)
			}
			roots := x509.NewCertPool()
			if c.trusted {
				roots.AppendCertsFromPEM(must(os.ReadFile(f.CA)))
			}
			_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: c.host})
			if (err == nil) != c.ok {
				t.Errorf("Verify: %v", err)
			}
			if self := pair.Leaf.Issuer.String() == pair.Leaf.Subject.String(); self != c.o.SelfSigned {
				t.Errorf("self-signed: %v", self)
			}
		})
	}
}

// A server's children end with the test even if they ignore SIGTERM.
func TestStartEndsChildren(t *testing.T) {
	pidfile := serverDir(t, "") + "/pid"
	t.Run("server", func(t *testing.T) {
		start(t, process{Path: "/bin/sh", Args: []string{"-c", "(trap '' TERM; sleep 60; sleep 60) & echo $! >" + pidfile + "; wait"}})
		require.Eventually(t, func() bool { return readPID(pidfile) > 0 }, startupTime, 10*time.Millisecond, "no child")
	})
	if left := members([]int{readPID(pidfile)}); len(left) > 0 {
		t.Errorf("still there: %v", left)
	}
}

// Another program may stumble twice, and no more.
func TestAgree(t *testing.T) {
	for stumbles, want := range []bool{true, true, true, false} {
		calls := 0
		passes := (&attempt{TB: t}).passes(func(t testing.TB) {
			agree(t, func(t testing.TB) {
				calls++
				require.Greater(t, calls, stumbles)
			})
		})
		require.Equal(t, want, passes, "%d stumbles", stumbles)
		require.Equal(t, min(stumbles+1, 3), calls)
	}
}

func TestFreePortsAreDistinct(t *testing.T) {
	seen := make(map[int]bool)
	for _, p := range append(freePorts(t, 3), freePort(t)) {
		if seen[p] {
			t.Errorf("%d twice", p)
		}
		seen[p] = true
	}
}
