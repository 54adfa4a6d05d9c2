package interop_test

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/tlshello"
)

// enumerateTLS finds out what a server with implicit TLS accepts.
func enumerateTLS(t testing.TB, addr netip.AddrPort, mode tlshello.Mode) *tlshello.Offers {
	t.Helper()
	began := time.Now()
	o, err := tlshello.Enumerate(tlshello.Config{Mode: mode, ServerName: "localhost", Rand: rand.Reader},
		func(questions []*tlshello.Question) (answers []*tlshello.Answer, err error) {
			for _, q := range questions {
				a, err := askTLS(addr, q)
				if err != nil {
					return answers, err
				}
				answers = append(answers, a)
			}
			return answers, nil
		})
	require.NoError(t, err)
	t.Logf("%s: %d connections, %v", mode, o.Connections, time.Since(began).Round(time.Millisecond))
	return o
}

func askTLS(addr netip.AddrPort, q *tlshello.Question) (*tlshello.Answer, error) {
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience.Idle))
	if _, err := c.Write(q.Send); err != nil {
		return nil, err
	}
	a, err := q.Read(c)
	var timeout net.Error
	switch {
	case err == nil:
		return a, nil
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, err
	case errors.Is(err, tlshello.ErrMalformed):
		return nil, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &tlshello.Answer{HungUp: true}, nil
	}
	return &tlshello.Answer{HungUp: true}, nil // reset
}

// opensslNames are the suites that this OpenSSL has, by IANA's name, with its own.
func opensslNames(t testing.TB, openssl string) map[string]string {
	out, err := exec.Command(openssl, "ciphers", "-stdname", "ALL:COMPLEMENTOFALL:eNULL:@SECLEVEL=0").Output()
	require.NoError(t, err)
	names := map[string]string{}
	for line := range strings.Lines(string(out)) { // TLS_… - NAME VERSION …
		if f := strings.Fields(line); len(f) > 3 {
			names[f[0]] = f[2]
		}
	}
	require.NotEmpty(t, names)
	return names
}

// clientAccepted returns the suites of one version by which openssl s_client gets a handshake, each tried alone.
func clientAccepted(openssl string, names map[string]string, addr netip.AddrPort, flag string) []string {
	list := []string{}
	for iana, name := range names {
		tls13 := strings.HasPrefix(iana, "TLS_AES_") || strings.HasPrefix(iana, "TLS_CHACHA20_")
		if tls13 != (flag == "-tls1_3") {
			continue
		}
		args := []string{"s_client", "-connect", addr.String(), flag, "-cipher", name + ":@SECLEVEL=0"}
		if tls13 {
			args = []string{"s_client", "-connect", addr.String(), flag, "-ciphersuites", name}
		}
		out, err := exec.Command(openssl, args...).CombinedOutput() // standard input is empty
		if err == nil && strings.Contains(string(out), "Cipher is "+name+"\n") {
			list = append(list, iana)
		}
	}
	return list
}

var sclientFlags = map[string]string{"1.0": "-tls1", "1.1": "-tls1_1", "1.2": "-tls1_2", "1.3": "-tls1_3"}

// What OpenSSL's own client gets from OpenSSL's server, suite by suite, is what the hellos say.
func TestTLSOffersOfOpenSSL(t *testing.T) {
	openssl := need(t, "openssl")[0]
	names := opensslNames(t, openssl)
	rsa, ec := makeCert(t, certOptions{}), makeCert(t, certOptions{ECDSA: true})
	dh := filepath.Join(serverDir(t, ""), "dh.pem")
	require.NoError(t, exec.Command(openssl, "dhparam", "-out", dh, "1024").Run())

	both := []string{"-cert", rsa.Cert, "-key", rsa.Key, "-dcert", ec.Cert, "-dkey", ec.Key}
	for name, c := range map[string]struct {
		args  []string
		each  bool // suite is tried with the client
		check func(*testing.T, *tlshello.Offers)
	}{
		"everything": {
			append(both, "-cipher", "ALL:COMPLEMENTOFALL:eNULL:@SECLEVEL=0", "-groups", "X25519:P-256:P-384:P-521:X448:ffdhe2048"), true,
			func(t *testing.T, o *tlshello.Offers) {
				require.Equal(t, tlshello.Yes, o.Weak.Anonymous.Accepted)
				require.Equal(t, tlshello.Yes, o.Weak.Null.Accepted)
				require.Len(t, o.Chains, 2)
				for _, v := range o.Versions[1:] { // three of four are asked
					require.Equal(t, tlshello.No, v.ServerOrder, v.Version)
				}
				require.Equal(t, []string{"x25519", "secp256r1", "secp384r1", "secp521r1", "x448", "ffdhe2048"}, o.Versions[3].Groups)
				require.Equal(t, []string{"x25519", "secp256r1", "secp384r1", "secp521r1", "x448"}, o.Versions[2].Groups)
				require.Equal(t, tlshello.Yes, o.FallbackSCSV)
			},
		},
		"small group, the server's order": {
			append(both, "-cipher", "DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:AES128-SHA:AES256-SHA:@SECLEVEL=0", "-dhparam", dh, "-serverpref", "-no_tls1_3"), false,
			func(t *testing.T, o *tlshello.Offers) {
				require.Len(t, o.DH, 1)
				require.Equal(t, 1024, o.DH[0].Bits)
				require.Empty(t, o.DH[0].Shared)
				for _, v := range o.Versions {
					require.Equal(t, tlshello.Yes, v.ServerOrder)
					require.Equal(t, []string{"TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
						"TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA"}, v.Suites)
				}
			},
		},
		"published group": {
			append(both, "-cipher", "DHE:@SECLEVEL=0", "-tls1_2"), false,
			func(t *testing.T, o *tlshello.Offers) {
				require.NotEmpty(t, o.DH)
				for _, g := range o.DH {
					require.Contains(t, g.Shared, "RFC 3526", "%d bits", g.Bits)
				}
			},
		},
		"an ECDSA certificate alone": {
			[]string{"-cert", ec.Cert, "-key", ec.Key, "-groups", "X25519:P-256:P-384", "-verify", "1", "-no_tls1", "-no_tls1_1", "-cipher", "ECDHE"}, false,
			func(t *testing.T, o *tlshello.Offers) {
				require.Len(t, o.Versions, 2)
				require.Len(t, o.Versions[0].Suites, 15)
				require.ElementsMatch(t, []string{"x25519", "secp256r1", "secp384r1"}, o.Versions[0].Groups)
				require.Equal(t, tlshello.Yes, o.ClientCertificate)
			},
		},
		"TLS 1.3 alone": {
			[]string{"-cert", rsa.Cert, "-key", rsa.Key, "-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256:TLS_AES_256_GCM_SHA384:@SECLEVEL=0", "-serverpref"}, false,
			func(t *testing.T, o *tlshello.Offers) {
				require.Equal(t, tlshello.No, o.PostQuantum, "OpenSSL 3.0 has none")
				require.Len(t, o.Versions, 1)
				require.Equal(t, []string{"TLS_AES_128_CCM_8_SHA256", "TLS_AES_256_GCM_SHA384"}, o.Versions[0].Suites)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			addr := netip.AddrPortFrom(loopback, uint16(freePortRange(t, 1)))
			args := append([]string{"s_server", "-accept", addr.String(), "-quiet", "-naccept", "100000"}, c.args...)
			start(t, process{Path: openssl, Args: args, Listen: addr})

			full := enumerateTLS(t, addr, tlshello.ModeFull)
			require.Empty(t, full.Unanswered())
			require.Equal(t, tlshello.No, full.SSL2)
			require.Equal(t, tlshello.No, full.SSL3)
			found := 0
			for _, v := range full.Versions {
				if c.each {
					agree(t, func(t testing.TB) {
						require.ElementsMatch(t, clientAccepted(openssl, names, addr, sclientFlags[v.Version]), v.Suites, v.Version)
					})
				}
				found += len(v.Suites) + len(v.Groups)
			}
			require.LessOrEqual(t, full.Connections, found+6+8)
			c.check(t, full)

			weak := enumerateTLS(t, addr, tlshello.ModeWeak)
			require.LessOrEqual(t, weak.Connections, 15)
			require.Empty(t, weak.Unanswered())
			require.Equal(t, accepted(full.Weak), accepted(weak.Weak))
			require.Equal(t, full.PostQuantum, weak.PostQuantum)
		})
	}
}

func accepted(w *tlshello.WeakOffers) []tlshello.Fact {
	return []tlshello.Fact{w.Anonymous.Accepted, w.Null.Accepted, w.Export.Accepted, w.RC4.Accepted, w.Block64.Accepted, w.NoForwardSecrecy.Accepted, w.DHE.Accepted}
}
