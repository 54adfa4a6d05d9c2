package tlshello

import (
	"io"
	"math/big"
	"net"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// scripted is a server of one version that says what no library would: it composes its answers by hand.
type scripted struct {
	version  Version
	suites   []uint16
	ownOrder bool
	curves   []Group
	bound    Group    // the certificate's curve, without which nothing goes
	prime    *big.Int // for DHE; nil for none, so that it fails if it chooses that
	named    bool     // DHE goes to clients that name a group of RFC 7919
	most     int      // suites it can take
	hangsUp  bool     // instead of an alert
	deflate  bool
}

func (s scripted) peer() peer {
	return func(c net.Conn) {
		hello, err := readHello(c)
		if err != nil {
			return
		}
		flight := s.flight(hello)
		if flight == nil && !s.hangsUp {
			flight = []byte{21, 3, 1, 0, 2, 2, 40}
		}
		_, _ = c.Write(flight)
	}
}

// readHello reads one ClientHello as a server does; one of SSL 2.0 is an error.
func readHello(c io.Reader) (*ClientHello, error) {
	var head [5]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, err
	}
	if head[0] != recordHandshake {
		_, _ = c.Read(make([]byte, 1<<12))
		return nil, io.EOF
	}
	body := make([]byte, int(head[3])<<8|int(head[4]))
	if _, err := io.ReadFull(c, body); err != nil {
		return nil, err
	}
	return parseHello(body)
}

// parseHello reads what the tests' server needs of a ClientHello.
func parseHello(message []byte) (*ClientHello, error) {
	s := cryptobyte.String(message[4:])
	var version uint16
	var session, suites, compression, extensions cryptobyte.String
	h := new(ClientHello)
	if !s.ReadUint16(&version) || !s.CopyBytes(h.Random[:]) || !s.ReadUint8LengthPrefixed(&session) ||
		!s.ReadUint16LengthPrefixed(&suites) || !s.ReadUint8LengthPrefixed(&compression) ||
		!s.Empty() && !s.ReadUint16LengthPrefixed(&extensions) {
		return nil, ErrMalformed
	}
	h.Version, h.Deflate = Version(version), slices.Contains(compression, 1)
	h.Suites = readList(suites)
	for !extensions.Empty() {
		var kind uint16
		var body, list cryptobyte.String
		if !extensions.ReadUint16(&kind) || !extensions.ReadUint16LengthPrefixed(&body) {
			return nil, ErrMalformed
		}
		switch kind {
		case extSupportedGroups:
			body.ReadUint16LengthPrefixed(&list)
			for _, g := range readList(list) {
				h.Groups = append(h.Groups, Group(g))
			}
		case extSupportedVersions:
			h.Version = TLS13
		case extServerName:
			h.ServerName = string(body[5:])
		}
	}
	return h, nil
}

func readList(b cryptobyte.String) (list []uint16) {
	var v uint16
	for b.ReadUint16(&v) {
		list = append(list, v)
	}
	return list
}

// flight returns the server's answer; nil for a refusal.
func (s scripted) flight(h *ClientHello) []byte {
	curve := slices.IndexFunc(h.Groups, func(g Group) bool { return slices.Contains(s.curves, g) })
	usable := func(id uint16) bool {
		if SuiteOf(id).DHE() {
			return !s.named || slices.Contains(h.Groups, 256)
		}
		return !SuiteOf(id).ECDHE() || curve >= 0 && (s.bound == 0 || slices.Contains(h.Groups, s.bound))
	}
	mine, theirs := s.suites, h.Suites
	if !s.ownOrder {
		mine, theirs = theirs, mine
	}
	i := slices.IndexFunc(mine, func(id uint16) bool { return slices.Contains(theirs, id) && usable(id) })
	if h.Version != s.version || i < 0 || s.most > 0 && len(h.Suites) > s.most {
		return nil
	}
	suite := SuiteOf(mine[i])
	if suite.DHE() && s.prime == nil {
		return nil
	}
	b := cryptobyte.NewBuilder(nil)
	handshake(b, typeServerHello, func(b *cryptobyte.Builder) {
		b.AddUint16(uint16(s.version))
		b.AddBytes(make([]byte, 32))
		b.AddUint8(0)
		b.AddUint16(mine[i])
		if s.deflate && h.Deflate {
			b.AddUint8(1)
		} else {
			b.AddUint8(0)
		}
	})
	switch {
	case suite.ECDHE():
		handshake(b, typeServerKeyExchange, func(b *cryptobyte.Builder) {
			b.AddUint8(namedCurve)
			b.AddUint16(uint16(h.Groups[curve]))
		})
	case suite.DHE():
		handshake(b, typeServerKeyExchange, func(b *cryptobyte.Builder) {
			for _, v := range [][]byte{s.prime.Bytes(), {2}, {4}} {
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(v) })
			}
		})
	}
	handshake(b, typeServerHelloDone, func(*cryptobyte.Builder) {})
	return records(b.BytesOrPanic(), maxRecord)
}

func handshake(b *cryptobyte.Builder, kind uint8, body cryptobyte.BuilderContinuation) {
	b.AddUint8(kind)
	b.AddUint24LengthPrefixed(body)
}

// records wraps messages in records of at most size bytes.
func records(messages []byte, size int) (b []byte) {
	for part := range slices.Chunk(messages, size) {
		b = append(b, recordHandshake, 3, 3, byte(len(part)>>8), byte(len(part)))
		b = append(b, part...)
	}
	return b
}
