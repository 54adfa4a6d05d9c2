// Package ntlmssp asks for an NTLM challenge and reads what it tells. It knows messages of type 1 and 2 only: there is
// no code here that could answer a challenge.
package ntlmssp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/handclasp/handclasp/internal/dtyp"
	"github.com/handclasp/handclasp/probe"
)

// signature begins every message (MS-NLMP §2.2).
const signature = "NTLMSSP\x00"

// The message types (MS-NLMP §2.2.1).
const (
	typeNegotiate = 1
	typeChallenge = 2
)

// Flags (MS-NLMP §2.2.2.5).
const (
	flagUnicode         = 0x00000001
	flagRequestTarget   = 0x00000004 // without it, a server may leave the names out
	flagNTLM            = 0x00000200
	flagAlwaysSign      = 0x00008000
	flagExtendedSession = 0x00080000 // without it, Windows may refuse the LM of old
	flagVersion         = 0x02000000 // without it, a server may leave its version out
	flag128             = 0x20000000
	flag56              = 0x80000000
)

// Sizes of the messages' fixed parts (MS-NLMP §2.2.1.1, §2.2.1.2).
const (
	negotiateSize    = 40
	challengeMinimum = 32 // up to the reserved bytes; NT 4 sends no target info, and old servers no version
	targetInfoEnd    = 48
	versionEnd       = 56
)

// Negotiate returns the message that asks for a challenge. It is the same for everybody: it names neither a user nor
// a domain nor a workstation, and claims no version.
func Negotiate() []byte {
	b := make([]byte, 0, negotiateSize)
	b = append(b, signature...)
	b = binary.LittleEndian.AppendUint32(b, typeNegotiate)
	b = binary.LittleEndian.AppendUint32(b, flagUnicode|flagRequestTarget|flagNTLM|flagAlwaysSign|
		flagExtendedSession|flagVersion|flag128|flag56)
	b = append(b, make([]byte, 16)...) // no domain, no workstation
	return append(b, 0, 0, 0, 0, 0, 0, 0, 0x0f)
}

// IsNegotiate reports whether b is a negotiate message that names neither domain nor workstation, and nothing else. It
// is for guards, and shares nothing with [Negotiate].
func IsNegotiate(b []byte) bool {
	return len(b) == 40 && string(b[:12]) == "NTLMSSP\x00\x01\x00\x00\x00" && string(b[16:32]) == string(make([]byte, 16))
}

var (
	errNoChallenge = errors.New("not an NTLM challenge")
	errBounds      = errors.New("NTLM challenge points outside itself")
)

// Challenge parses a challenge message. It returns nil if b is none; if a part of it lies out of bounds, the
// others are returned beside the error.
func Challenge(b []byte) (*probe.NTLM, error) {
	if len(b) < challengeMinimum || string(b[:8]) != signature || binary.LittleEndian.Uint32(b[8:]) != typeChallenge {
		return nil, errNoChallenge
	}
	n := new(probe.NTLM)
	flags := binary.LittleEndian.Uint32(b[20:])
	name, err := field(b, 12)
	if flags&flagUnicode != 0 {
		n.TargetName = text(name)
	} else {
		n.TargetName, _ = probe.UTF8(name) // in the server's OEM code page, of which ASCII is what can be told
	}
	if len(b) >= targetInfoEnd {
		info, infoErr := field(b, 40)
		err = errors.Join(err, infoErr, pairs(n, info))
	}
	if flags&flagVersion != 0 && len(b) >= versionEnd {
		n.OSVersion = osVersion(b[48:versionEnd])
	}
	return n, err
}

// revisionW2K3 is the only value that NTLMRevisionCurrent has (MS-NLMP §2.2.2.10).
const revisionW2K3 = 0x0f

// osVersion reads a VERSION structure (MS-NLMP §2.2.2.10). Some software fills it with noise: what no Windows says isn't
// written as a version of Windows.
func osVersion(b []byte) string {
	major, minor, build, revision := b[0], b[1], binary.LittleEndian.Uint16(b[2:]), b[7]
	if revision != revisionW2K3 || major != 5 && major != 6 && major != 10 {
		return fmt.Sprintf("%d.%d build %d revision %d", major, minor, build, revision)
	}
	return fmt.Sprintf("Windows %d.%d build %d", major, minor, build)
}

// field returns what the length and offset at position at describe (MS-NLMP §2.2.1.2).
func field(b []byte, at int) ([]byte, error) {
	length := uint64(binary.LittleEndian.Uint16(b[at:]))
	offset := uint64(binary.LittleEndian.Uint32(b[at+4:]))
	if length == 0 {
		return nil, nil
	}
	if offset+length > uint64(len(b)) {
		return nil, errBounds
	}
	return b[offset : offset+length], nil
}

// The AV pairs that are read (MS-NLMP §2.2.2.1).
const (
	avEOL             = 0
	avNetBIOSComputer = 1
	avNetBIOSDomain   = 2
	avDNSComputer     = 3
	avDNSDomain       = 4
	avDNSTree         = 5
	avTimestamp       = 7
)

// pairs reads AV pairs up to their end, or the end of the message for a server that forgets to mark it.
func pairs(n *probe.NTLM, b []byte) error {
	for len(b) >= 4 {
		id, length := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		b = b[4:]
		if id == avEOL {
			return nil
		}
		if length > len(b) {
			return errBounds
		}
		value := b[:length]
		b = b[length:]
		switch id {
		case avNetBIOSComputer:
			n.NetBIOSComputer = text(value)
		case avNetBIOSDomain:
			n.NetBIOSDomain = text(value)
		case avDNSComputer:
			n.DNSComputer = text(value)
		case avDNSDomain:
			n.DNSDomain = text(value)
		case avDNSTree:
			n.DNSTree = text(value)
		case avTimestamp:
			n.SystemTime = dtyp.FileTime(value)
		}
	}
	if len(b) > 0 {
		return errBounds
	}
	return nil
}

// text reads a string in UTF-16LE. Samba counts a NUL at its end as part of it.
func text(b []byte) string { return strings.TrimRight(dtyp.Text(b), "\x00") }
