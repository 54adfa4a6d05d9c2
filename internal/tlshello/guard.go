package tlshello

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Check names a ClientHello that this package may send: one record, or one of SSL 2.0, with nothing behind it, and
// nothing in it by which a connection would go on: no key share, no ticket, no early data. Everything else is an error.
// It is for guards, and shares nothing with the code that composes.
func Check(b []byte) (label string, err error) {
	if len(b) > 2 && b[0]&0x80 != 0 {
		return check2(b)
	}
	if len(b) < 9 || b[0] != 22 || b[1] != 3 || b[2] > 1 || int(binary.BigEndian.Uint16(b[3:])) != len(b)-5 ||
		b[5] != 1 || b[6] != 0 || int(binary.BigEndian.Uint16(b[7:])) != len(b)-9 {
		return "", errors.New("not one record with one ClientHello")
	}
	rest := b[9:]
	if len(rest) < 34 {
		return "", errShortHello
	}
	version := binary.BigEndian.Uint16(rest)
	if version < 0x300 || version > 0x303 {
		return "", fmt.Errorf("ClientHello of version %#04x", version)
	}
	session, rest, ok := cut(rest[34:], 1)
	suites, rest, ok2 := cut(rest, 2)
	compression, rest, ok3 := cut(rest, 1)
	switch {
	case !ok || !ok2 || !ok3 || len(suites) == 0 || len(suites)%2 != 0:
		return "", errShortHello
	case len(session) != 0 && len(session) != 32:
		return "", errors.New("ClientHello with a session")
	case string(compression) != "\x00" && string(compression) != "\x01\x00":
		return "", errors.New("ClientHello with unknown compression")
	}
	name := map[uint16]string{0x300: "SSL 3.0", 0x301: "TLS 1.0", 0x302: "TLS 1.1", 0x303: "TLS 1.2"}[version]
	if len(rest) > 0 {
		extensions, after, ok := cut(rest, 2)
		if !ok || len(after) > 0 {
			return "", errShortHello
		}
		tls13, err := checkExtensions(extensions)
		if err != nil {
			return "", err
		}
		if tls13 {
			name = "TLS 1.3"
		}
	}
	return fmt.Sprintf("ClientHello %s, %d suites", name, len(suites)/2), nil
}

var errShortHello = errors.New("ClientHello whose parts don't fit")

// checkExtensions allows those by which nothing is agreed on.
func checkExtensions(b []byte) (tls13 bool, err error) {
	seen := map[uint16]bool{}
	for len(b) > 0 {
		if len(b) < 4 {
			return false, errShortHello
		}
		kind := binary.BigEndian.Uint16(b)
		body, rest, ok := cut(b[2:], 2)
		if !ok {
			return false, errShortHello
		}
		b = rest
		if seen[kind] {
			return false, fmt.Errorf("ClientHello with extension %d twice", kind)
		}
		seen[kind] = true
		switch kind {
		case 0: // server_name
			name, after, ok := cut(body[min(3, len(body)):], 2)
			if !ok || len(after) > 0 || len(name) == 0 || string(body[:3]) != string([]byte{byte((len(name) + 3) >> 8), byte(len(name) + 3), 0}) {
				return false, errShortHello
			}
		case 10, 13: // supported_groups, signature_algorithms
			list, after, ok := cut(body, 2)
			if !ok || len(after) > 0 || len(list)%2 != 0 {
				return false, errShortHello
			}
		case 11: // ec_point_formats
			if string(body) != "\x01\x00" {
				return false, errShortHello
			}
		case 23: // extended_master_secret
			if len(body) > 0 {
				return false, errShortHello
			}
		case 21: // padding
			if len(bytes.Trim(body, "\x00")) > 0 {
				return false, errors.New("ClientHello with padding that says something")
			}
		case 43: // supported_versions
			if string(body) != "\x02\x03\x04" {
				return false, errors.New("ClientHello with unknown versions")
			}
			tls13 = true
		case 51: // key_share
			if string(body) != "\x00\x00" {
				return false, errors.New("ClientHello with a key share")
			}
		case 0xff01: // renegotiation_info
			if string(body) != "\x00" {
				return false, errors.New("ClientHello that renegotiates")
			}
		default:
			return false, fmt.Errorf("ClientHello with extension %d", kind)
		}
	}
	return tls13, nil
}

// check2 is [Check] for SSL 2.0.
func check2(b []byte) (label string, err error) {
	size := int(b[0]&0x7f)<<8 | int(b[1])
	if size != len(b)-2 || size < 9 || b[2] != 1 || b[3] != 0 || b[4] != 2 {
		return "", errors.New("not one record with one CLIENT-HELLO of SSL 2.0")
	}
	kinds, session, challenge := int(binary.BigEndian.Uint16(b[5:])), int(binary.BigEndian.Uint16(b[7:])), int(binary.BigEndian.Uint16(b[9:]))
	if session != 0 || kinds == 0 || kinds%3 != 0 || challenge < 16 || challenge > 32 || 9+kinds+challenge != size {
		return "", errShortHello
	}
	return fmt.Sprintf("ClientHello SSL 2.0, %d suites", kinds/3), nil
}

// cut takes a vector whose length has so many bytes off b.
func cut(b []byte, lengthSize int) (vector, rest []byte, ok bool) {
	if len(b) < lengthSize {
		return nil, nil, false
	}
	size := 0
	for _, c := range b[:lengthSize] {
		size = size<<8 | int(c)
	}
	b = b[lengthSize:]
	if size > len(b) {
		return nil, nil, false
	}
	return b[:size], b[size:], true
}
