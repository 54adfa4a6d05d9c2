package interop_test

import (
	"crypto/tls"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/tlshello"
)

// What servers made with other libraries accept, with all that those have, is what nmap says.
func TestTLSOffersOfOtherLibraries(t *testing.T) {
	need(t, "nmap")
	cert := makeCert(t, certOptions{})
	for _, c := range []struct {
		library  string
		start    func(t *testing.T) netip.AddrPort
		versions []string
		has      []string // suites that it is known to have
	}{
		{"GnuTLS", func(t *testing.T) netip.AddrPort {
			return gnutlsServer(t, cert, "NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2:+VERS-TLS1.3:+ARCFOUR-128:+3DES-CBC:+RSA:+DHE-RSA:+ANON-DH:+ANON-ECDH:+MD5")
		}, []string{"1.0", "1.1", "1.2", "1.3"}, []string{"TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"}},
		{"GnuTLS, its default", func(t *testing.T) netip.AddrPort { return gnutlsServer(t, cert, "NORMAL") }, []string{"1.0", "1.1", "1.2", "1.3"}, nil},
		{"Go", func(t *testing.T) netip.AddrPort { return goServer(t, cert, tls.VersionTLS10, everySuite()) },
			[]string{"1.0", "1.1", "1.2", "1.3"}, []string{"TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"}},
		{"Go, its default", func(t *testing.T) netip.AddrPort { return goServer(t, cert, 0, nil) }, []string{"1.2", "1.3"}, nil},
		{"OpenSSL", func(t *testing.T) netip.AddrPort { return legacyOpenSSL(t, cert) },
			[]string{"1.0", "1.1", "1.2", "1.3"}, []string{"TLS_DH_anon_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_NULL_SHA"}},
	} {
		t.Run(c.library, func(t *testing.T) {
			addr := c.start(t)
			full := enumerateTLS(t, addr, tlshello.ModeFull)
			require.Empty(t, full.Unanswered())
			require.Equal(t, tlshello.No, full.SSL2)
			require.Equal(t, tlshello.No, full.SSL3)
			ours := map[string][]string{}
			var versions, all []string
			for _, v := range full.Versions {
				ours[v.Version] = v.Suites
				versions, all = append(versions, v.Version), append(all, v.Suites...)
			}
			require.Equal(t, c.versions, versions)
			require.Subset(t, all, append([]string{}, c.has...))
			agree(t, func(t testing.TB) { offersAsNmap(t, addr, ours) })
			weak := enumerateTLS(t, addr, tlshello.ModeWeak)
			require.Equal(t, accepted(full.Weak), accepted(weak.Weak))
			require.Equal(t, full.PostQuantum, weak.PostQuantum)
		})
	}
}

func gnutlsServer(t *testing.T, cert certFiles, priority string) netip.AddrPort {
	t.Helper()
	bin := need(t, "gnutls-serv")[0]
	addr := netip.AddrPortFrom(loopback, uint16(freePortRange(t, 1)))
	start(t, process{Path: bin, Args: []string{
		"--echo", "--quiet", "--port", addr.String()[strings.LastIndex(addr.String(), ":")+1:], "--x509certfile", cert.Cert, "--x509keyfile", cert.Key, "--priority", priority,
	}, Listen: addr})
	return addr
}

func goServer(t *testing.T, cert certFiles, least uint16, suites []uint16) netip.AddrPort {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert.Cert, cert.Key)
	require.NoError(t, err)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: least, CipherSuites: suites})
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = c.(*tls.Conn).Handshake()
				_ = c.Close()
			}()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

func everySuite() (ids []uint16) {
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		ids = append(ids, s.ID)
	}
	return ids
}

func legacyOpenSSL(t *testing.T, cert certFiles) netip.AddrPort {
	t.Helper()
	openssl := need(t, "openssl")[0]
	dh := filepath.Join(serverDir(t, ""), "dh.pem")
	require.NoError(t, exec.Command(openssl, "dhparam", "-out", dh, "1024").Run())
	addr := netip.AddrPortFrom(loopback, uint16(freePortRange(t, 1)))
	start(t, process{Path: openssl, Args: []string{
		"s_server", "-accept", addr.String(), "-quiet", "-naccept", "100000", "-cert", cert.Cert, "-key", cert.Key, "-dhparam", dh,
		"-cipher", "ALL:COMPLEMENTOFALL:eNULL:@SECLEVEL=0",
	}, Listen: addr})
	return addr
}
