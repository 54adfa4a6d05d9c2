package smb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// guardSMB1 allows an offer of SMB1 alone, and the session setup that asks for an NTLM challenge.
func guardSMB1(m []byte) (s step, label string, err error) {
	if len(m) < 32+3 {
		return 0, "", errors.New("too short for SMB1")
	}
	h := bytes.Clone(m[:32])
	flags2, id := binary.LittleEndian.Uint16(h[10:]), h[30]
	h[4], h[10], h[11], h[30] = 0, 0, 0, 0
	want := append([]byte{0xff, 'S', 'M', 'B', 0, 0, 0, 0, 0, 0x18}, make([]byte, 22)...)
	if !bytes.Equal(h, want) || flags2 != 0xc001 && flags2 != 0xc801 {
		return 0, "", errors.New("an SMB1 header with a flag, a user or a tree")
	}
	switch {
	case m[4] == 0x72 && id == 0:
		label, err = guardNegotiate1(m)
		return stepNegotiate1, label, err
	case m[4] == 0x73 && id == 1 && flags2 == 0xc801:
		label, err = guardSetup1(m)
		return stepSetup1, label, err
	}
	return 0, "", fmt.Errorf("SMB1 command %#02x", m[4])
}

// guardNegotiate1 allows dialects of SMB1 only: one of SMB 2 among them would have the server change the protocol.
func guardNegotiate1(m []byte) (string, error) {
	if m[32] != 0 || int(binary.LittleEndian.Uint16(m[33:])) != len(m)-35 || m[len(m)-1] != 0 {
		return "", errors.New("negotiate request out of shape")
	}
	var list []string
	for _, d := range strings.Split(string(m[35:len(m)-1]), "\x00") {
		switch d {
		case "\x02PC NETWORK PROGRAM 1.0", "\x02LANMAN1.0", "\x02LM1.2X002", "\x02LANMAN2.1", "\x02NT LM 0.12":
			list = append(list, d[1:])
		default:
			return "", fmt.Errorf("dialect %q", d)
		}
	}
	return "NEGOTIATE " + strings.Join(list, ", "), nil
}

// guardSetup1 allows a session setup that has no command behind it and leaves other sessions alone.
func guardSetup1(m []byte) (string, error) {
	if len(m) < 59 {
		return "", errors.New("session setup out of shape")
	}
	size, count := int(binary.LittleEndian.Uint16(m[47:])), int(binary.LittleEndian.Uint16(m[57:]))
	words := bytes.Clone(m[32:57])
	copy(words[11:17], make([]byte, 6)) // the session key, which is the server's, and the token's size
	want := []byte{12, 0xff, 0, 0, 0, 0xff, 0xff, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x54, 0, 0, 0x80}
	if !bytes.Equal(words, want) || count != len(m)-59 || size > count {
		return "", errors.New("session setup out of shape")
	}
	names := m[59+size:]
	if (59+size)%2 != 0 && len(names) > 0 && names[0] == 0 {
		names = names[1:]
	}
	if string(names) != "\x00\x00h\x00a\x00n\x00d\x00c\x00l\x00a\x00s\x00p\x00\x00\x00" {
		return "", errors.New("session setup with other names")
	}
	if !asksForChallenge(m[59 : 59+size]) {
		return "", errors.New("a token that does more than ask for a challenge")
	}
	return "SESSION_SETUP NTLM over SMB1", nil
}
