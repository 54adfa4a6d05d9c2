package tlshello

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/selfsigned"
)

func rsaCertificate(t testing.TB) tls.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 1024+1024)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"mail.test"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func names(ids ...uint16) (list []string) {
	for _, id := range ids {
		list = append(list, tls.CipherSuiteName(id))
	}
	return list
}

func allOfGo() (ids []uint16) {
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		ids = append(ids, s.ID)
	}
	return ids
}

func TestGoServerInFull(t *testing.T) {
	both := []tls.Certificate{selfsigned.Certificate("mail.test"), rsaCertificate(t)}
	o := goPeer(&tls.Config{
		Certificates: both, MinVersion: tls.VersionTLS10, CipherSuites: allOfGo(),
		CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521},
		ClientAuth:       tls.RequestClientCert,
	}).enumerate(t, ModeFull)

	require.Equal(t, []Fact{No, No, Yes, Yes, Yes, Yes}, []Fact{o.SSL2, o.SSL3, o.TLS10, o.TLS11, o.TLS12, o.TLS13})
	require.Len(t, o.Versions, 4)
	for i, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		var want []string
		for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			if slices.Contains(s.SupportedVersions, version) {
				want = append(want, s.Name)
			}
		}
		require.ElementsMatch(t, want, o.Versions[i].Suites, "%#x", version)
		require.Equal(t, Yes, o.Versions[i].ServerOrder)
		require.Contains(t, want, o.Versions[i].Suite)
	}
	require.ElementsMatch(t, []string{"X25519MLKEM768", "x25519", "secp256r1", "secp384r1", "secp521r1"}, o.Versions[3].Groups)
	require.ElementsMatch(t, []string{"x25519", "secp256r1", "secp384r1", "secp521r1"}, o.Versions[2].Groups)
	require.Nil(t, o.Versions[1].Groups, "asked of two versions only")
	require.Len(t, o.Chains, 2, "one of each key")
	require.Equal(t, Yes, o.PostQuantum)
	require.Equal(t, "X25519MLKEM768", o.PostQuantumGroup)
	require.Equal(t, Class{Yes, "1.2", "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"}, o.Weak.RC4)
	require.Equal(t, Yes, o.Weak.Block64.Accepted)
	require.Equal(t, Yes, o.Weak.NoForwardSecrecy.Accepted)
	for _, class := range []Class{o.Weak.Anonymous, o.Weak.Null, o.Weak.Export, o.Weak.DHE} {
		require.Equal(t, Class{Accepted: No}, class)
	}
	require.Equal(t, []DHGroup{}, o.DH)
	require.Equal(t, []Fact{Yes, Yes, No, Yes, Yes},
		[]Fact{o.SecureRenegotiation, o.ExtendedMasterSecret, o.Compression, o.FallbackSCSV, o.ClientCertificate})
	require.Empty(t, o.Unanswered())
}

func TestGoServerInWeak(t *testing.T) {
	for name, c := range map[string]struct {
		config *tls.Config
		want   WeakOffers
		post   Fact
	}{
		"3DES by TLS 1.0 to 1.2": {
			&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}},
			WeakOffers{
				Anonymous: Class{Accepted: No}, Null: Class{Accepted: No}, Export: Class{Accepted: No}, RC4: Class{Accepted: No}, DHE: Class{Accepted: No},
				Block64:          Class{Yes, "1.2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
				NoForwardSecrecy: Class{Yes, "1.2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
			}, No,
		},
		"the default": {
			&tls.Config{},
			WeakOffers{Class{Accepted: No}, Class{Accepted: No}, Class{Accepted: No}, Class{Accepted: No}, Class{Accepted: No}, Class{Accepted: No}, Class{Accepted: No}}, Yes,
		},
		"TLS 1.3 alone, without post-quantum": {
			&tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.CurveP384}},
			WeakOffers{Class{Accepted: No}, Class{Accepted: No}, Class{Accepted: No}, Class{Accepted: No}, Class{Accepted: No}, Class{Accepted: No}, Class{Accepted: No}}, No,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.Certificates = []tls.Certificate{rsaCertificate(t)}
			o := goPeer(c.config).enumerate(t, ModeWeak)
			require.Equal(t, c.want, *o.Weak)
			require.Equal(t, c.post, o.PostQuantum)
			require.Equal(t, []DHGroup{}, o.DH)
			require.Empty(t, o.Unanswered())
			for _, v := range o.Versions {
				require.Nil(t, v.Suites, "not asked for in this mode")
				require.NotEmpty(t, v.Suite)
			}
		})
	}
}

// With TLS 1.3 the rarest classes share a question, and what is found of one is no answer for the others. That leaves one for a sign
// of life, without which a server that sends no alerts would have refused nothing.
func TestWeakOfServersWithTLS13(t *testing.T) {
	rc4, des := tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA
	config := tls.Config{Certificates: []tls.Certificate{rsaCertificate(t)}, CurvePreferences: []tls.CurveID{tls.X25519}}
	for _, c := range []struct {
		more     []uint16
		mute     bool
		rc4, des Fact
	}{
		{nil, true, No, No}, {[]uint16{rc4}, true, Yes, No}, {[]uint16{des}, true, No, Yes},
		{nil, false, No, No}, {[]uint16{rc4}, false, Yes, No}, {[]uint16{des}, false, No, Yes}, {[]uint16{rc4, des}, false, Yes, Yes},
	} {
		config := config.Clone()
		config.CipherSuites = append(c.more, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_128_CBC_SHA)
		p := goPeer(config)
		if c.mute {
			p = func(conn net.Conn) { goPeer(config)(mute{conn}) }
		}
		o := p.enumerate(t, ModeWeak)
		require.Empty(t, o.Unanswered())
		require.Equal(t, []Fact{No, Yes, Yes}, []Fact{o.TLS11, o.TLS12, o.TLS13})
		require.Equal(t, []Fact{No, No, No, c.rc4, c.des, Yes, No}, []Fact{
			o.Weak.Anonymous.Accepted, o.Weak.Null.Accepted, o.Weak.Export.Accepted, o.Weak.RC4.Accepted, o.Weak.Block64.Accepted,
			o.Weak.NoForwardSecrecy.Accepted, o.Weak.DHE.Accepted,
		})
		require.Equal(t, []Fact{No, Yes}, []Fact{o.PostQuantum, o.FallbackSCSV})
	}
}

// mute is a connection on which alerts are lost.
type mute struct{ net.Conn }

func (m mute) Write(b []byte) (int, error) {
	if b[0] == recordAlert {
		return len(b), nil
	}
	return m.Conn.Write(b)
}

func TestVersionsAsksForLittle(t *testing.T) {
	o := goPeer(&tls.Config{Certificates: []tls.Certificate{selfsigned.Certificate("mail.test")}}).enumerate(t, ModeVersions)
	require.Equal(t, 6, o.Connections)
	require.Nil(t, o.Weak)
	require.Nil(t, o.DH)
	require.Equal(t, []Fact{Unknown, Unknown}, []Fact{o.PostQuantum, o.FallbackSCSV})
	require.Equal(t, []VersionOffer{
		{Version: "1.2", Suite: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}, {Version: "1.3", Suite: "TLS_AES_128_GCM_SHA256"},
	}, o.Versions)
	require.Empty(t, o.Unanswered())
}

// A server with a curve for its only certificate, which a hello must name, still has its other curves found.
func TestCurvesOfAnECDSAServer(t *testing.T) {
	s := scripted{version: TLS12, suites: []uint16{0xc02b}, curves: []Group{29, 23, 24}, bound: 23}
	o := s.peer().enumerate(t, ModeFull)
	require.Equal(t, []string{"x25519", "secp256r1", "secp384r1"}, o.Versions[0].Groups)
	require.Empty(t, o.Unanswered())
}

func TestOrder(t *testing.T) {
	strongFirst := []uint16{0xc02f, 0xc030, 0x009c, 0x002f, 0x0005}
	weakFirst := slices.Clone(strongFirst)
	slices.Reverse(weakFirst)
	for name, c := range map[string]struct {
		scripted
		want  Fact
		suits []uint16
	}{
		"the server's, the strongest first": {scripted{suites: strongFirst, ownOrder: true}, Yes, strongFirst},
		"the server's, the weakest first":   {scripted{suites: weakFirst, ownOrder: true}, Yes, weakFirst},
		"the client's":                      {scripted{suites: weakFirst}, No, strongFirst},
		"one suite has no order":            {scripted{suites: strongFirst[:1], ownOrder: true}, Unknown, strongFirst[:1]},
	} {
		t.Run(name, func(t *testing.T) {
			c.version, c.curves = TLS12, []Group{23}
			o := c.peer().enumerate(t, ModeFull)
			require.Equal(t, c.want, o.Versions[0].ServerOrder)
			require.Equal(t, names(c.suits...), o.Versions[0].Suites)
		})
	}
}

// Servers that choke on long lists hang up, as they do on what they refuse; they are asked again with shorter ones.
func TestServerThatChokesOnLongLists(t *testing.T) {
	s := scripted{version: TLS12, suites: []uint16{0xc02f, 0x00a8, 0x002f}, curves: []Group{23}, most: 127, hangsUp: true}
	o, err := Enumerate(Config{Mode: ModeFull, Rand: seeded()}, s.peer().ask(t))
	require.NoError(t, err)
	require.Equal(t, Yes, o.TLS12)
	require.Equal(t, No, o.TLS10, "by a hang-up; the server was still there afterwards")
	require.ElementsMatch(t, []string{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_PSK_WITH_AES_128_GCM_SHA256"}, o.Versions[0].Suites)
	require.Empty(t, o.Unanswered())
}

// Some servers have Diffie-Hellman over integers for clients alone that name a group (RFC 7919 §4).
func TestGroupsThatTheClientNames(t *testing.T) {
	s := scripted{version: TLS12, suites: []uint16{0xc02f, 0x009e, 0x0033, 0x002f}, curves: []Group{23}, prime: new(big.Int).Lsh(big.NewInt(1), 2047), named: true}
	o := s.peer().enumerate(t, ModeFull)
	require.ElementsMatch(t, []string{
		"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
	}, o.Versions[0].Suites)
	require.Equal(t, Yes, o.Weak.DHE.Accepted)
	require.Len(t, o.DH, 1)
	require.Equal(t, 2048, o.DH[0].Bits)
	require.Empty(t, o.Unanswered())
}

// Others choose it, have no group, and end the connection, whatever else was offered.
func TestServerThatFailsAtDiffieHellman(t *testing.T) {
	s := scripted{version: TLS12, suites: []uint16{0xc02f, 0x009e, 0xc013, 0x0033, 0x002f}, ownOrder: true, curves: []Group{23}, hangsUp: true}
	o, err := Enumerate(Config{Mode: ModeFull, Rand: seeded()}, s.peer().ask(t))
	require.NoError(t, err)
	require.Equal(t, names(0xc02f, 0xc013, 0x002f), o.Versions[0].Suites)
	require.Equal(t, No, o.Weak.DHE.Accepted)
	require.Empty(t, o.Unanswered())
}

// A server that sends no alerts ends a connection with the fallback signal, and goes on answering others.
func TestFallbackIsRefusedWithoutAnAlert(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{rsaCertificate(t)}}
	o, err := Enumerate(Config{Mode: ModeWeak, Rand: seeded()}, peer(func(c net.Conn) {
		hello := new(bytes.Buffer)
		if h, err := readHello(io.TeeReader(c, hello)); err == nil && !slices.Contains(h.Suites, fallbackSCSV) {
			goPeer(config)(before{c, hello})
		}
	}).ask(t))
	require.NoError(t, err)
	require.Equal(t, Yes, o.FallbackSCSV)
}

// before is a connection of which something was read already.
type before struct {
	net.Conn
	read *bytes.Buffer
}

func (b before) Read(p []byte) (int, error) {
	if b.read.Len() > 0 {
		return b.read.Read(p)
	}
	return b.Conn.Read(p)
}

// A server that answers only so many connections doesn't refuse what it no longer answers.
func TestHangUpsAreRefusalsOnlyOfAServerThatIsStillThere(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{rsaCertificate(t)}, MinVersion: tls.VersionTLS10}
	for _, mode := range []Mode{ModeVersions, ModeWeak, ModeFull} {
		whole := goPeer(config).enumerate(t, mode)
		for most := range whole.Connections {
			left := most
			o, err := Enumerate(Config{Mode: mode, Rand: seeded()}, peer(func(c net.Conn) {
				if left--; left >= 0 {
					goPeer(config)(c)
				}
			}).ask(t))
			require.NoError(t, err)
			sameOrUnknown(t, whole, o)
			require.NotEmpty(t, o.Unanswered(), "%s, %d connections", mode, most)
		}
	}
}

// Wherever an enumeration is cut short, what it says is what the whole one says, or nothing.
func TestCutShort(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{rsaCertificate(t)}, MinVersion: tls.VersionTLS10}
	gone := errors.New("gone")
	for _, mode := range []Mode{ModeVersions, ModeWeak, ModeFull} {
		whole := goPeer(config).enumerate(t, mode)
		for most := range whole.Connections {
			left := most
			ask := goPeer(config).ask(t)
			o, err := Enumerate(Config{Mode: mode, ServerName: "mail.test", Rand: seeded()}, func(q []*Question) ([]*Answer, error) {
				answers, err := ask(q[:min(left, len(q))])
				require.NoError(t, err)
				if left < len(q) {
					err = gone
				}
				left -= len(answers)
				return answers, err
			})
			require.ErrorIs(t, err, gone)
			sameOrUnknown(t, whole, o)
			require.NotEmpty(t, o.Unanswered(), "%s, %d connections", mode, most)
		}
	}
}

func sameOrUnknown(t *testing.T, whole, o *Offers) {
	for _, f := range [][2]Fact{
		{whole.SSL2, o.SSL2}, {whole.SSL3, o.SSL3}, {whole.TLS10, o.TLS10}, {whole.TLS11, o.TLS11}, {whole.TLS12, o.TLS12}, {whole.TLS13, o.TLS13},
		{whole.PostQuantum, o.PostQuantum}, {whole.FallbackSCSV, o.FallbackSCSV}, {whole.Compression, o.Compression},
	} {
		require.Contains(t, []Fact{f[0], Unknown}, f[1])
	}
	if o.Weak != nil {
		for i, class := range o.Weak.classes() {
			require.Contains(t, []Fact{whole.Weak.classes()[i].Accepted, Unknown}, class.Accepted, class.name)
		}
	}
	for _, v := range o.Versions {
		i := slices.IndexFunc(whole.Versions, func(w VersionOffer) bool { return w.Version == v.Version })
		require.GreaterOrEqual(t, i, 0)
		if v.Suites != nil {
			require.Equal(t, whole.Versions[i].Suites, v.Suites)
		}
		if v.Groups != nil {
			require.Equal(t, whole.Versions[i].Groups, v.Groups)
		}
	}
}

func TestPeerThatSpeaksNoTLS(t *testing.T) {
	for name, p := range map[string]peer{
		"text": func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1<<12))
			_, _ = c.Write([]byte("220 mail.test ESMTP\r\n"))
		},
		"hangup": func(c net.Conn) { _, _ = c.Read(make([]byte, 1<<12)) },
	} {
		for _, mode := range []Mode{ModeVersions, ModeWeak, ModeFull} {
			o, err := Enumerate(Config{Mode: mode, Rand: seeded()}, p.ask(t))
			require.NoError(t, err, name)
			require.Nil(t, o.Versions)
			require.Nil(t, o.DH)
			require.Contains(t, o.Unanswered(), "/tls12")
		}
	}
}
