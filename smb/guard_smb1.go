package smb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// guardSMB1 checks the header (MS-CIFS §2.2.3.1): a request by no process and without a signature, with a user and a tree
// only behind the first session setup.
func guardSMB1(m []byte, number uint64) (s step, label string, err error) {
	if len(m) < 32+3 {
		return 0, "", errors.New("too short for SMB1")
	}
	u16 := func(at int) uint16 { return binary.LittleEndian.Uint16(m[at:]) }
	extended := u16(10) == 0xc801
	switch {
	case !zero(m[5:9]) || m[9] != 0x18 || u16(10) != 0xc001 && !extended || !zero(m[12:24]) || !zero(m[26:28]):
		return 0, "", errors.New("an SMB1 header with a status, a flag, a process or a signature")
	case uint64(u16(30)) != number || number < 2 && (u16(24) != 0 || u16(28) != 0):
		return 0, "", errors.New("an SMB1 header with another number, a user or a tree")
	}
	words := 2 * int(m[32])
	if len(m) < 35+words || int(u16(33+words)) != len(m)-35-words {
		return 0, "", errors.New("an SMB1 message of another length")
	}
	switch command := m[4]; {
	case command == 0x72:
		label, err = guardNegotiate1(m)
		return stepNegotiate, label, err
	case command == 0x73 && number == 1 && extended:
		return stepSetup, "SESSION_SETUP NTLM over SMB1", guardSetup1(m, asksForChallenge)
	case command == 0x73 && number == 2 && extended:
		return stepLogin, "SESSION_SETUP anonymous over SMB1", guardSetup1(m, func(token []byte) bool { return guardAnonymous(token) == nil })
	case command == 0x73 && number == 1:
		return stepLogin, "SESSION_SETUP anonymous over SMB1", guardAnonymous1(m)
	case number > 1:
		return guardSession1(command, m[33:33+words], m[35+words:])
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

// guardSetup1 allows a session setup with extended security that has no command behind it and leaves other sessions alone.
func guardSetup1(m []byte, may func(token []byte) bool) error {
	if len(m) < 59 {
		return errors.New("session setup out of shape")
	}
	size := int(binary.LittleEndian.Uint16(m[47:]))
	words := bytes.Clone(m[32:57])
	copy(words[11:17], make([]byte, 6)) // the session key, which is the server's, and the token's size
	want := []byte{12, 0xff, 0, 0, 0, 0xff, 0xff, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x54, 0, 0, 0x80}
	if !bytes.Equal(words, want) || size > len(m)-59 {
		return errors.New("session setup out of shape")
	}
	names := m[59+size:]
	if (59+size)%2 != 0 && len(names) > 0 && names[0] == 0 {
		names = names[1:]
	}
	if string(names) != "\x00\x00"+clientInUTF16 {
		return errors.New("session setup with other names")
	}
	if !may(m[59 : 59+size]) {
		return errors.New("a token that isn't for that")
	}
	return nil
}

const clientInUTF16 = "h\x00a\x00n\x00d\x00c\x00l\x00a\x00s\x00p\x00\x00\x00"

// guardAnonymous1 allows a session setup without extended security and without a user: no account, no domain, and for a
// password one byte, which is zero.
func guardAnonymous1(m []byte) error {
	if len(m) < 61 {
		return errors.New("session setup out of shape")
	}
	words := bytes.Clone(m[32:59])
	copy(words[11:15], make([]byte, 4)) // the session key
	want := []byte{13, 0xff, 0, 0, 0, 0xff, 0xff, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x54, 0, 0, 0}
	if !bytes.Equal(words, want) || string(m[61:]) != "\x00\x00\x00\x00\x00\x00\x00"+clientInUTF16 {
		return errors.New("session setup of somebody, or out of shape")
	}
	return nil
}

// guardSession1 names a message of a null session behind the login, or refuses it (MS-CIFS §2.2.4): what [guardSession] allows,
// in SMB1's words. A command behind another would be named by the first word.
func guardSession1(command byte, words, data []byte) (s step, label string, err error) {
	u16 := func(at int) uint16 { return binary.LittleEndian.Uint16(words[at:]) }
	if command == 0x25 && len(words) == 28 {
		return stepRAP, "TRANSACTION NetShareEnum by RAP", guardRAP(words, data)
	}
	sizes := map[byte]int{0x04: 6, 0x25: 32, 0x2e: 24, 0x71: 0, 0x74: 4, 0x75: 8, 0xa2: 48}
	if size, ok := sizes[command]; !ok || len(words) != size {
		return 0, "", fmt.Errorf("SMB1 command %#02x, or of another shape", command)
	}
	const alone = "\xff\x00\x00\x00"
	switch command {
	case 0x04:
		if !zero(words[2:]) || len(data) != 0 {
			return 0, "", errMore
		}
		return stepClose, "CLOSE over SMB1", nil
	case 0x71, 0x74:
		if len(data) != 0 || command == 0x74 && string(words) != alone {
			return 0, "", errMore
		}
		if command == 0x71 {
			return stepDisconnect, "TREE_DISCONNECT over SMB1", nil
		}
		return stepLogoff, "LOGOFF over SMB1", nil
	case 0x75:
		rest, ok := bytes.CutSuffix(data, []byte("\x00\x00IPC\x00"))
		if string(words) != alone+"\x00\x00\x01\x00" || !ok || len(rest) == 0 || rest[0] != 0 {
			return 0, "", errMore
		}
		path, ok := latin(rest[1:])
		if !ok || !pipeTree.MatchString(path) {
			return 0, "", errors.New("TREE_CONNECT to another share than IPC$")
		}
		return stepTree, "TREE_CONNECT " + path + " over SMB1", nil
	case 0xa2:
		const opens = alone + "\x00\x0e\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\xc0" + "\x00\x00\x00\x00\x00\x00\x00\x00" +
			"\x80\x00\x00\x00" + "\x03\x00\x00\x00" + "\x01\x00\x00\x00" + "\x00\x00\x00\x00" + "\x02\x00\x00\x00" + "\x00"
		if string(words) != opens || string(data) != "\x00\\\x00s\x00r\x00v\x00s\x00v\x00c\x00\x00\x00" {
			return 0, "", errors.New("CREATE that does more than to open the pipe srvsvc")
		}
		return stepCreate, "CREATE srvsvc over SMB1", nil
	case 0x2e:
		const fragment = 4280
		if string(words[:4]) != alone || !zero(words[6:10]) || u16(10) == 0 || u16(10) > fragment || !zero(words[12:]) || len(data) != 0 {
			return 0, "", errMore
		}
		return stepRead, "READ srvsvc over SMB1", nil
	}
	// TRANSACTION: the bytes begin at 67 with a pad, and the name of what pipes have in common.
	const begins, name, fragment, transact = 67, "\x00\\\x00P\x00I\x00P\x00E\x00\\\x00\x00\x00", 4280, 0x26
	at := begins + len(name)
	for at%4 != 0 {
		at++
	}
	if !bytes.HasPrefix(data, []byte(name)) || len(data) < at-begins || !zero(data[len(name):at-begins]) {
		return 0, "", errors.New("TRANSACTION with another name")
	}
	pdu := data[at-begins:]
	switch {
	case u16(28) != transact || u16(26) != 2:
		return 0, "", fmt.Errorf("TRANSACTION with the subcommand %#04x", u16(28))
	case u16(0) != 0 || int(u16(2)) != len(pdu) || u16(4) != 0 || u16(6) > fragment || !zero(words[8:20]) || int(u16(20)) != at ||
		int(u16(22)) != len(pdu) || int(u16(24)) != at:
		return 0, "", errMore
	}
	s, label, err = guardPDU(pdu)
	return s, label + " over SMB1", err
}

// guardRAP allows the transaction that asks for the list of shares by LAN Manager's protocol (MS-RAP §2.5.6.1): NetShareEnum,
// which is function 0, with its descriptors, at level 1.
func guardRAP(words, data []byte) error {
	const (
		begins = 63 // of the bytes: a header, 14 words and both counts
		name   = "\x00\\\x00P\x00I\x00P\x00E\x00\\\x00L\x00A\x00N\x00M\x00A\x00N\x00\x00\x00"
		ask    = "\x00\x00WrLeh\x00B13BWz\x00\x01\x00"
		size   = len(ask) + 2
		room   = 0x8000
	)
	at := begins + len(name)
	for at%4 != 0 {
		at++
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(words[at:])) }
	switch {
	case len(data) != at-begins+size || string(data[:len(name)]) != name || !zero(data[len(name):at-begins]):
		return errors.New("TRANSACTION with another name")
	case string(data[at-begins:len(data)-2]) != ask || int(binary.LittleEndian.Uint16(data[len(data)-2:])) > room:
		return errors.New("a call of RAP other than NetShareEnum")
	case u16(0) != size || u16(2) != 0 || u16(4) != 8 || u16(6) > room || !zero(words[8:18]) || u16(18) != size || u16(20) != at ||
		u16(22) != 0 || u16(24) != at+size || u16(26) != 0:
		return errMore
	}
	return nil
}
