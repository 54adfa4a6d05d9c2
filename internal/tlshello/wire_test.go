package tlshello

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
)

func hello(t testing.TB, v Version, suites []Suite, groups []Group, signals ...uint16) *Question {
	c := composer{name: "mail.test", rand: seeded()}
	q, err := c.question(v, suites, groups, signals...)
	require.NoError(t, err)
	return q
}

func hello2(t testing.TB) *Question {
	c := composer{rand: seeded()}
	q, err := c.question2()
	require.NoError(t, err)
	return q
}

// What crypto/tls reads in a hello is what was offered.
func TestHelloAsCryptoTLSReadsIt(t *testing.T) {
	for _, v := range []Version{TLS10, TLS11, TLS12, TLS13} {
		q := hello(t, v, usual(v), offeredGroups(v))
		client, server := net.Pipe()
		var seen *tls.ClientHelloInfo
		go func() {
			_, _ = client.Write(q.Send)
			_, _ = io.Copy(io.Discard, client)
		}()
		_ = tls.Server(server, &tls.Config{MinVersion: tls.VersionTLS10, GetConfigForClient: func(i *tls.ClientHelloInfo) (*tls.Config, error) {
			seen = i
			return nil, io.EOF
		}}).Handshake()
		client.Close()
		require.NotNil(t, seen, v)
		require.Equal(t, q.suites, seen.CipherSuites)
		require.Equal(t, "mail.test", seen.ServerName)
		require.EqualValues(t, v, seen.SupportedVersions[0])
		require.Len(t, seen.SupportedCurves, len(q.groups))
	}
}

func TestHellosStayClearOfTheLengthsThatHang(t *testing.T) {
	for _, v := range []Version{TLS10, TLS11, TLS12, TLS13} {
		list := suitesOf(v, nil)
		for n := 1; n < 128; n++ {
			q := hello(t, v, list[:min(n, len(list))], offeredGroups(v))
			size := len(q.Send) - 5
			require.True(t, size < 256 || size >= 512, "%s with %d suites has %d bytes", v, n, size)
		}
	}
}

func TestUsualSuitesAreFewAndOfEachKind(t *testing.T) {
	for _, v := range versions {
		list := usual(v)
		require.LessOrEqual(t, len(list), maxSuites)
		kinds := map[string]bool{}
		for _, s := range list {
			kinds[s.KeyExchange()] = true
		}
		for _, s := range suitesOf(v, nil) {
			require.True(t, kinds[s.KeyExchange()], "%s: none like %s", v, s.Name)
		}
	}
}

func TestCheckNamesHellos(t *testing.T) {
	for want, q := range map[string]*Question{
		"ClientHello SSL 2.0, 8 suites": hello2(t),
		"ClientHello SSL 3.0, 3 suites": hello(t, SSL3, suites[:2], nil),
		"ClientHello TLS 1.1, 2 suites": hello(t, TLS11, suites[:2], curves),
		"ClientHello TLS 1.2, 3 suites": hello(t, TLS12, suites[:2], curves, fallbackSCSV),
		"ClientHello TLS 1.3, 1 suites": hello(t, TLS13, suites[:1], groups13),
	} {
		label, err := Check(q.Send)
		require.NoError(t, err)
		require.Equal(t, want, label)
	}
}

// What goes beyond asking is refused.
func TestCheckRefuses(t *testing.T) {
	plain := hello(t, TLS12, suites[:2], curves).Send
	tls13 := hello(t, TLS13, suites[:1], groups13).Send
	withExtension := func(kind uint16, body string) []byte {
		h := ClientHello{Version: TLS12, Suites: []uint16{0x2f}, Groups: curves}
		b, err := h.Append(nil)
		require.NoError(t, err)
		b = append(b, byte(kind>>8), byte(kind), byte(len(body)>>8), byte(len(body)))
		b = append(b, body...)
		added := uint16(4 + len(body))
		for _, at := range []int{3, 7, 9 + 2 + 32 + 1 + 2 + 2 + 2} {
			binary.BigEndian.PutUint16(b[at:], binary.BigEndian.Uint16(b[at:])+added)
		}
		return b
	}
	_, err := Check(withExtension(0, "\x00\x04\x00\x00\x01a"))
	require.NoError(t, err, "the helper keeps the lengths right")
	for name, b := range map[string][]byte{
		"nothing":             {},
		"text":                []byte("EHLO mail.test\r\n"),
		"an alert":            {21, 3, 1, 0, 2, 1, 0},
		"two records":         slices.Concat(plain, plain),
		"a record cut off":    plain[:len(plain)-1],
		"a key share":         bytes.Replace(tls13, []byte{0, 51, 0, 2, 0, 0}, []byte{0, 51, 0, 2, 0, 1}, 1),
		"other versions":      bytes.Replace(tls13, []byte{0, 43, 0, 3, 2, 3, 4}, []byte{0, 43, 0, 3, 2, 3, 3}, 1),
		"a renegotiation":     withExtension(0xff01, "\x0c123456789012"),
		"a ticket":            withExtension(35, "ticket"),
		"a PSK":               withExtension(41, "identity"),
		"early data":          withExtension(42, ""),
		"a heartbeat":         withExtension(15, "\x01"),
		"a name that is none": withExtension(0, "\x00\x05\x00\x00\x01a"),
		"no name":             withExtension(0, ""),
		"a second list":       withExtension(10, "\x00\x02\x00\x17"),
		"words as padding":    withExtension(21, "QUIT\r\n"),
		"a ClientKeyExchange": func() []byte {
			b := slices.Clone(plain)
			b[5] = 16
			return b
		}(),
		"SSL 2.0 with a session": append(append([]byte{0x80, 9 + 3 + 16 + 16, 1, 0, 2, 0, 3, 0, 16, 0, 16, 1, 0, 0x80}, make([]byte, 16)...), make([]byte, 16)...),
		"SSL 2.0 with more":      append(hello2(t).Send, 1),
	} {
		_, err := Check(b)
		require.Error(t, err, name)
	}
	for i := range tls13 {
		_, err := Check(tls13[:i])
		require.Error(t, err)
	}
}

// An answer is the same in whatever pieces it comes.
func TestReadInPieces(t *testing.T) {
	s := scripted{version: TLS12, suites: []uint16{0x33}, prime: new(big.Int).SetBytes(bytes.Repeat([]byte{0xab}, 128)), deflate: true}
	q := hello(t, TLS12, []Suite{SuiteOf(0x33)}, curves)
	offer, err := parseHello(q.Send[5:])
	require.NoError(t, err)
	whole := s.flight(offer)
	var messages []byte
	for rest := whole; len(rest) > 0; rest = rest[5+int(rest[4])+int(rest[3])<<8:] {
		messages = append(messages, rest[5:5+int(rest[4])+int(rest[3])<<8]...)
	}
	for size := 1; size < len(messages); size++ {
		a, err := q.Read(iotest.OneByteReader(bytes.NewReader(records(messages, size))))
		require.NoError(t, err)
		require.Equal(t, accepted, q.verdict(a))
		require.True(t, a.Complete)
		require.True(t, a.Hello.Compressed)
		require.Equal(t, 1024, a.Exchange.Prime.BitLen())
	}
	for n := range whole {
		a, err := q.Read(bytes.NewReader(whole[:n]))
		if err != nil {
			require.Nil(t, a)
			continue
		}
		require.False(t, a.Complete, "cut off at %d", n)
		require.EqualValues(t, 0x33, a.Hello.Suite.ID)
	}
}

func TestReadIsBounded(t *testing.T) {
	q := hello(t, TLS12, suites[:2], curves)
	endless := func(b []byte) io.Reader { return &repeating{b: b} }
	for name, r := range map[string]io.Reader{
		"empty records":          endless([]byte{22, 3, 3, 0, 0}),
		"warnings":               endless([]byte{21, 3, 3, 0, 2, 1, 112}),
		"a message without end":  io.MultiReader(bytes.NewReader([]byte{22, 3, 3, 0, 4, 2, 255, 255, 255}), endless([]byte{22, 3, 3, 0x40, 0})),
		"a record too long":      endless([]byte{22, 3, 3, 0x40, 1}),
		"application data":       endless([]byte{23, 3, 3, 0, 1, 0}),
		"text":                   strings.NewReader("220 mail.test ESMTP\r\n"),
		"another message":        endless([]byte{22, 3, 3, 0, 4, 14, 0, 0, 0}),
		"an alert that is split": endless([]byte{21, 3, 3, 0, 1, 2}),
	} {
		a, err := q.Read(io.LimitReader(r, 1<<20))
		require.ErrorIs(t, err, ErrMalformed, name)
		require.Nil(t, a)
	}
}

type repeating struct {
	b  []byte
	at int
}

func (r *repeating) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.b[r.at%len(r.b)]
		r.at++
	}
	return len(p), nil
}

// The fixtures below are hand-written: no library that is in use still speaks SSL 2.0 or has export suites.

// serverHello2 is a SERVER-HELLO with a certificate of three bytes, two cipher kinds and a connection id.
const serverHello2 = "\x80\x24" + "\x04\x00\x01\x00\x02\x00\x03\x00\x06\x00\x10" + "DER" + "\x01\x00\x80" + "\x02\x00\x80" + "0123456789abcdef"

func TestSSL2(t *testing.T) {
	q := hello2(t)
	a, err := q.Read(strings.NewReader(serverHello2))
	require.NoError(t, err)
	require.Equal(t, accepted, q.verdict(a))
	require.Equal(t, SSL2, a.Hello2.Version)
	require.Equal(t, "DER", string(a.Hello2.Certificate))
	require.Equal(t, []Suite{{0x010080, "SSL_CK_RC4_128_WITH_MD5"}, {0x020080, "SSL_CK_RC4_128_EXPORT40_WITH_MD5"}}, a.Hello2.Suites)

	for name, c := range map[string]struct {
		answer string
		want   verdict
	}{
		"NO-CIPHER-ERROR":         {"\x80\x03\x00\x00\x01", refused},
		"an alert":                {"\x15\x03\x01\x00\x02\x02\x46", refused},
		"close_notify":            {"\x15\x03\x01\x00\x02\x01\x00", hungUp},
		"a ServerHello of TLS":    {string(scripted{version: SSL2, suites: []uint16{5}}.flight(&ClientHello{Version: SSL2, Suites: []uint16{5}})), refused},
		"another message of it":   {"\x80\x01\x07", unclear},
		"a SERVER-HELLO too long": {"\x80\x0b\x04\x00\x01\x00\x02\x00\x03\x00\x06\x00\x10", unclear},
	} {
		a, err := q.Read(strings.NewReader(c.answer))
		if c.want == unclear {
			require.ErrorIs(t, err, ErrMalformed, name)
		}
		require.Equal(t, c.want, q.verdict(a), name)
	}
	for n := range len(serverHello2) {
		_, err := q.Read(strings.NewReader(serverHello2[:n]))
		require.Error(t, err)
	}
}

func TestSSL2InOffers(t *testing.T) {
	p := peer(func(c net.Conn) {
		var head [2]byte
		_, _ = io.ReadFull(c, head[:])
		_, _ = c.Read(make([]byte, 1<<12))
		answer := "\x15\x03\x00\x00\x02\x02\x28"
		if head[0]&0x80 != 0 {
			answer = serverHello2
		}
		_, _ = c.Write([]byte(answer))
	})
	for _, mode := range []Mode{ModeWeak, ModeFull} {
		o := p.enumerate(t, mode)
		require.Equal(t, Yes, o.SSL2)
		require.Equal(t, []VersionOffer{{Version: "SSLv2", Suites: []string{"SSL_CK_RC4_128_WITH_MD5", "SSL_CK_RC4_128_EXPORT40_WITH_MD5"}}}, o.Versions)
		require.Equal(t, Class{Yes, "SSLv2", "SSL_CK_RC4_128_WITH_MD5"}, o.Weak.RC4)
		require.Equal(t, Class{Yes, "SSLv2", "SSL_CK_RC4_128_EXPORT40_WITH_MD5"}, o.Weak.Export)
		require.Equal(t, Class{Accepted: No}, o.Weak.Null)
		require.Empty(t, o.Unanswered())
	}
}

// An old server: SSL 3.0 alone, export suites with their short group, compression.
func TestSSL3WithExportSuites(t *testing.T) {
	short, _ := new(big.Int).SetString("9fdb8b8a004544f0045f1737d0ba2e0b274cdf1a9f588218fb435316a16e374171fd19d8d8f37c39bf863fd60e3e300680a3030c6e4c3757d08f70e6aa871033", 16)
	p := scripted{version: SSL3, suites: []uint16{0x14, 0x05, 0x0a}, ownOrder: true, prime: short, deflate: true, hangsUp: true}.peer()
	want := []string{"TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", "TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"}
	for _, mode := range []Mode{ModeWeak, ModeFull} {
		o := p.enumerate(t, mode)
		require.Equal(t, []Fact{No, Yes, No, No, No, No}, []Fact{o.SSL2, o.SSL3, o.TLS10, o.TLS11, o.TLS12, o.TLS13})
		require.Equal(t, Yes, o.Weak.Export.Accepted)
		require.Equal(t, Yes, o.Compression)
		require.Equal(t, No, o.SecureRenegotiation)
		require.Equal(t, Unknown, o.ExtendedMasterSecret)
		require.Len(t, o.DH, 1)
		require.Equal(t, 512, o.DH[0].Bits)
		require.Equal(t, "Apache mod_ssl 2.2.x", o.DH[0].Shared)
		require.Equal(t, 2, o.DH[0].GeneratorBits)
		require.Empty(t, o.Unanswered())
		if mode == ModeFull {
			require.Equal(t, want, o.Versions[0].Suites)
			require.Equal(t, Yes, o.Versions[0].ServerOrder)
		}
	}
}

// Answers that offer less than they seem to.
func TestVerdicts(t *testing.T) {
	q := hello(t, TLS12, []Suite{SuiteOf(0xc02f)}, curves)
	choice := func(v Version, suite uint16) *Answer {
		return &Answer{Hello: &ServerHello{Version: v, Suite: SuiteOf(suite)}}
	}
	for name, c := range map[string]struct {
		a    *Answer
		want verdict
	}{
		"a lower version":         {choice(TLS10, 0xc02f), refused},
		"a suite not asked for":   {choice(TLS12, 0x0005), refused},
		"the suite":               {choice(TLS12, 0xc02f), accepted},
		"handshake_failure":       {&Answer{Alert: &Alert{levelFatal, alertHandshakeFailure}}, refused},
		"close_notify":            {&Answer{Alert: &Alert{levelWarning, alertCloseNotify}}, hungUp},
		"no answer":               {nil, unclear},
		"an answer of no content": {&Answer{}, unclear},
	} {
		require.Equal(t, c.want, q.verdict(c.a), name)
	}
}

func TestKeyExchangeWithPSKHint(t *testing.T) {
	b := cryptobyte.NewBuilder(nil)
	for _, v := range []string{"hint", "\x17", "\x02", "\x04"} {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(v)) })
	}
	k, err := ParseKeyExchange(b.BytesOrPanic(), SuiteOf(0x90)) // TLS_DHE_PSK_WITH_AES_128_CBC_SHA
	require.NoError(t, err)
	require.EqualValues(t, 23, k.Prime.Int64())
}
