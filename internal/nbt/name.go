// Package nbt writes and reads the packets of NetBIOS over TCP/IP (RFC 1001, RFC 1002) that a visitor needs: the
// questions and answers of the name service, and the beginning of a session. There is no code here that could register,
// release or defend a name, nor send a datagram to a group.
package nbt

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// A Name is a NetBIOS name as it is before its encoding (RFC 1001 §14.1): 15 bytes, padded with spaces, and the suffix,
// which says what the name stands for.
type Name [16]byte

// The suffixes that are asked for. [Wildcard] has a NUL in their place.
const (
	SuffixWorkstation = 0x00
	SuffixServer      = 0x20 // the file server
)

// Wildcard is the name that every node has: an asterisk, padded with NULs (RFC 1002 §4.2.17).
var Wildcard = Name{'*'}

// encodedSize is what a name without a scope takes: a length, two letters a byte, and the root's empty label (RFC 1001
// §14.1).
const encodedSize = 1 + 2*len(Name{}) + 1

// MakeName pads text, which is put into upper case, to a name. It returns an error for what is no name of printable ASCII
// with 1 to 15 bytes.
func MakeName(text string, suffix byte) (Name, error) {
	n := Name(bytes.Repeat([]byte{' '}, len(Name{})))
	if text == "" || len(text) > len(n)-1 {
		return n, fmt.Errorf("NetBIOS name %q: want 1 to 15 bytes", text)
	}
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return n, fmt.Errorf("NetBIOS name %q: not printable ASCII", text)
		}
	}
	copy(n[:], strings.ToUpper(text))
	n[15] = suffix
	return n, nil
}

// Suffix returns the name's last byte.
func (n Name) Suffix() byte { return n[15] }

// Text returns the first 15 bytes without their padding of spaces or NULs. What isn't UTF-8 becomes U+FFFD: names are
// in the server's OEM code page, of which ASCII is what can be told.
func (n Name) Text() string {
	s, _ := probe.UTF8(bytes.TrimRight(n[:15], " \x00"))
	return s
}

// AppendName appends the name's encoding, without a scope (RFC 1001 §14.1, RFC 1002 §4.1).
func AppendName(b []byte, n Name) []byte {
	b = append(b, byte(2*len(n)))
	for _, c := range n {
		b = append(b, 'A'+c>>4, 'A'+c&15)
	}
	return append(b, 0)
}

var (
	errShort   = errors.New("ends too early")
	errName    = errors.New("not an encoded NetBIOS name")
	errPointer = errors.New("name points outside of what was read before it")
	errLong    = errors.New("name of more than 255 bytes")
)

// maxName is the size of a whole name, its scope and the labels' lengths included (RFC 1002 §4.1).
const maxName = 255

// parseName reads the encoded name at position at, and returns the position behind it. Its scope, if it has one, is
// skipped. A pointer (RFC 1002 §4.2.1.3) is followed once, backwards.
func parseName(b []byte, at int) (n Name, next int, err error) {
	if at < len(b) && b[at]&0xc0 == 0xc0 {
		if at+2 > len(b) {
			return n, at, errShort
		}
		to := int(b[at]&0x3f)<<8 | int(b[at+1])
		if to >= at || b[to]&0xc0 != 0 {
			return n, at, errPointer
		}
		n, _, err = parseName(b[:at], to)
		return n, at + 2, err
	}
	if n, err = decode(b[min(at, len(b)):]); err != nil {
		return n, at, err
	}
	next, err = skipLabels(b, at)
	return n, next, err
}

// decode reads the first label of a name.
func decode(b []byte) (n Name, err error) {
	if len(b) < encodedSize-1 {
		return n, errShort
	}
	if b[0] != byte(2*len(n)) {
		return n, errName
	}
	for i := range n {
		high, low := b[1+2*i]-'A', b[2+2*i]-'A'
		if high > 15 || low > 15 {
			return n, errName
		}
		n[i] = high<<4 | low
	}
	return n, nil
}

// skipLabels returns the position behind the name at position at, up to the root label or a pointer.
func skipLabels(b []byte, at int) (int, error) {
	for start := at; at-start < maxName; {
		if at >= len(b) {
			return at, errShort
		}
		switch size := int(b[at]); {
		case size == 0:
			return at + 1, nil
		case size&0xc0 == 0xc0:
			if at+2 > len(b) {
				return at, errShort
			}
			return at + 2, nil
		case size > 63:
			return at, errName
		default:
			at += 1 + size
		}
	}
	return at, errLong
}
