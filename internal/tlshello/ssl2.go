package tlshello

import (
	"fmt"
	"io"

	"golang.org/x/crypto/cryptobyte"
)

// Message types of SSL 2.0 (draft-hickman-netscape-ssl-00 §C.2).
const (
	ssl2Error       = 0
	ssl2ClientHello = 1
	ssl2ServerHello = 4
)

// challengeSize is what the client's challenge may have: 16 to 32 bytes (draft-hickman-netscape-ssl-00 §C.5).
const challengeSize = 16

// A ClientHello2 is the CLIENT-HELLO of SSL 2.0 (draft-hickman-netscape-ssl-00 §C.5), offering all cipher kinds.
type ClientHello2 struct {
	Challenge [challengeSize]byte
}

// Append appends the hello as one record with a header of two bytes (§C.1).
func (h *ClientHello2) Append(b []byte) []byte {
	body := []byte{ssl2ClientHello, byte(SSL2 >> 8), byte(SSL2), 0, byte(3 * len(suites2)), 0, 0, 0, challengeSize}
	for _, s := range suites2 {
		body = append(body, byte(s.ID>>16), byte(s.ID>>8), byte(s.ID))
	}
	body = append(body, h.Challenge[:]...)
	return append(append(b, 0x80|byte(len(body)>>8), byte(len(body))), body...)
}

// A ServerHello2 is the SERVER-HELLO of SSL 2.0 (draft-hickman-netscape-ssl-00 §C.6). It lists all that both sides have.
type ServerHello2 struct {
	Version     Version
	Certificate []byte // DER; empty if there is none
	Suites      []Suite
}

// readAnswer2 reads the answer to a [ClientHello2]: a SERVER-HELLO, an ERROR (§C.3), or an alert of a server that speaks
// only TLS.
func readAnswer2(r io.Reader) (*Answer, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if head[0] == recordAlert || head[0] == recordHandshake {
		return (&Question{version: SSL2}).readTLS(io.MultiReader(newReader(head[:]), r))
	}
	size := int(head[0]&0x7f)<<8 | int(head[1])
	if head[0]&0x80 == 0 || size == 0 {
		return nil, fmt.Errorf("%w: record header % x of SSL 2.0", ErrMalformed, head)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	switch body[0] {
	case ssl2Error:
		return &Answer{Alert: &Alert{Level: levelFatal, Description: alertHandshakeFailure}}, nil
	case ssl2ServerHello:
		h, err := ParseServerHello2(body)
		if err != nil {
			return nil, err
		}
		return &Answer{Hello2: h, Complete: true}, nil
	}
	return nil, fmt.Errorf("%w: message of type %d of SSL 2.0", ErrMalformed, body[0])
}

// ParseServerHello2 reads a SERVER-HELLO, from its type on.
func ParseServerHello2(b []byte) (*ServerHello2, error) {
	s := cryptobyte.String(b)
	var kind, hit, certificateType uint8
	var version, certificateSize, suitesSize, idSize uint16
	var h ServerHello2
	var kinds, id []byte
	if !s.ReadUint8(&kind) || kind != ssl2ServerHello || !s.ReadUint8(&hit) || !s.ReadUint8(&certificateType) ||
		!s.ReadUint16(&version) || !s.ReadUint16(&certificateSize) || !s.ReadUint16(&suitesSize) || !s.ReadUint16(&idSize) ||
		!s.ReadBytes(&h.Certificate, int(certificateSize)) || !s.ReadBytes(&kinds, int(suitesSize)) || !s.ReadBytes(&id, int(idSize)) ||
		len(kinds)%3 != 0 {
		return nil, fmt.Errorf("%w: SERVER-HELLO of SSL 2.0", ErrMalformed)
	}
	h.Version = Version(version)
	for ; len(kinds) > 0; kinds = kinds[3:] {
		h.Suites = append(h.Suites, suite2(uint32(kinds[0])<<16|uint32(kinds[1])<<8|uint32(kinds[2])))
	}
	return &h, nil
}
