package smb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
)

// guardSession names a message of a null session, or refuses it. What it allows, in the words of MS-SMB2 §2.2:
//
//   - SESSION_SETUP with NTLM's last message, of no user: no name and no response;
//   - TREE_CONNECT to IPC$, CREATE of the pipe srvsvc there;
//   - IOCTL on the pipe with a bind to the server service or a call of NetrShareEnum at level 1, and READ of what is
//     left of the answer;
//   - CLOSE, TREE_DISCONNECT, LOGOFF.
func guardSession(command uint16, body []byte) (s step, label string, err error) {
	look, ok := sessionMessages[command]
	if !ok {
		return 0, "", fmt.Errorf("command %#02x", command)
	}
	if len(body) < look.size-look.size%2 || int(binary.LittleEndian.Uint16(body)) != look.size {
		return 0, "", fmt.Errorf("command %#02x of another structure", command)
	}
	return look.guard(body)
}

// sessionMessages tells of each command the size of its structure and who looks at the rest.
var sessionMessages = map[uint16]struct {
	size  int
	guard func(body []byte) (step, string, error)
}{
	0x01: {25, guardLogin},
	0x02: {4, func(body []byte) (step, string, error) { return stepLogoff, "LOGOFF", empty4(body) }},
	0x03: {9, guardTreeConnect},
	0x04: {4, func(body []byte) (step, string, error) { return stepDisconnect, "TREE_DISCONNECT", empty4(body) }},
	0x05: {57, guardCreate},
	0x06: {24, guardClose},
	0x08: {49, guardRead},
	0x0b: {57, guardIoctl},
}

var errMore = errors.New("more than the message that it looks like")

func empty4(body []byte) error {
	if !zero(body[2:]) || len(body) != 4 {
		return errMore
	}
	return nil
}

func zero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

// negTokenResp around 65 bytes: that the login goes on, and an octet string.
const spnegoLast = "\xa1\x4c\x30\x4a\xa0\x03\x0a\x01\x01\xa2\x43\x04\x41"

func guardLogin(body []byte) (step, string, error) {
	token, err := guardToken(body)
	if err == nil {
		err = guardAnonymous(token)
	}
	return stepLogin, "SESSION_SETUP anonymous", err
}

// guardAnonymous checks that the last message of NTLM (MS-NLMP §2.2.1.3) holds neither a name nor a response: it says that
// there is no user, its six fields are empty but for the one byte that says so too, and there is no room for more.
func guardAnonymous(token []byte) error {
	const size, anonymous = 64, 0x00000800
	ntlm, ok := bytes.CutPrefix(token, []byte(spnegoLast+"NTLMSSP\x00\x03\x00\x00\x00"))
	if !ok || len(ntlm) != size+1-12 {
		return errors.New("SESSION_SETUP with more than NTLM's last message")
	}
	fields, flags, rest := ntlm[:48], binary.LittleEndian.Uint32(ntlm[48:]), ntlm[52:]
	if flags&anonymous == 0 || rest[0] != 0 {
		return errors.New("SESSION_SETUP of somebody")
	}
	const none, noResponse = "\x00\x00\x00\x00\x40\x00\x00\x00", "\x01\x00\x01\x00\x40\x00\x00\x00"
	if string(fields) != noResponse+none+none+none+none+none {
		return errors.New("SESSION_SETUP with a name or a response")
	}
	return nil
}

// spans reports whether the offset and length at a place of the body describe all that is behind its fixed part.
func spans(body []byte, at, fixed, length int) bool {
	return int(binary.LittleEndian.Uint16(body[at:])) == 64+fixed && int(binary.LittleEndian.Uint16(body[at+2:])) == length
}

// latin returns UTF-16 text that is ASCII.
func latin(b []byte) (string, bool) {
	if len(b)%2 != 0 {
		return "", false
	}
	text := make([]byte, 0, len(b)/2)
	for i := 0; i < len(b); i += 2 {
		if b[i+1] != 0 || b[i] < ' ' || b[i] > '~' {
			return "", false
		}
		text = append(text, b[i])
	}
	return string(text), true
}

// An address in the forms that [net/netip.Addr] is written in, without a zone.
const address = `[0-9a-f.:]{2,45}`

var (
	pipeTree   = regexp.MustCompile(`^\\\\` + address + `\\IPC\$$`)
	serverName = regexp.MustCompile(`^` + address + `$`)
)

// guardTreeConnect allows the share of pipes, of a server that is named by its address (§2.2.9).
func guardTreeConnect(body []byte) (s step, label string, err error) {
	const fixed = 8
	path, ok := latin(body[fixed:])
	switch {
	case !zero(body[2:4]) || !spans(body, 4, fixed, len(body)-fixed):
		return 0, "", errMore
	case !ok || !pipeTree.MatchString(path):
		return 0, "", errors.New("TREE_CONNECT to another share than IPC$")
	}
	return stepTree, "TREE_CONNECT " + path, nil
}

// guardCreate allows to open the pipe, which exists: no disposition that makes, replaces or deletes anything, no oplock
// and no contexts (§2.2.13). The access is what it takes to ask and to read the answer.
func guardCreate(body []byte) (s step, label string, err error) {
	const (
		fixed       = 56
		readWrite   = 0xc0000000
		normal      = 0x00000080
		shared      = 0x00000003
		open        = 1
		synchronous = 0x00000020
	)
	name, ok := latin(body[fixed:])
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(body[at:]) }
	switch {
	case !ok || name != "srvsvc":
		return 0, "", errors.New("CREATE of something else than the pipe srvsvc")
	case u32(24) != readWrite || u32(28) != normal || u32(32) != shared || u32(36) != open || u32(40) != synchronous:
		return 0, "", errors.New("CREATE that does more than to open")
	case !zero(body[2:4]) || u32(4) != 2 || !zero(body[8:24]) || !spans(body, 44, fixed, len(name)*2) || !zero(body[48:56]):
		return 0, "", errMore
	}
	return stepCreate, "CREATE srvsvc", nil
}

func guardClose(body []byte) (s step, label string, err error) {
	if !zero(body[2:8]) || len(body) != 24 {
		return 0, "", errMore
	}
	return stepClose, "CLOSE", nil
}

// guardRead allows to read as much as one fragment of RPC (§2.2.19). Nothing but the pipe can be open.
func guardRead(body []byte) (s step, label string, err error) {
	const size, fragment = 49, 4280
	length := binary.LittleEndian.Uint32(body[4:])
	if !zero(body[2:4]) || length == 0 || length > fragment || !zero(body[8:16]) || !zero(body[32:]) || len(body) != size {
		return 0, "", errMore
	}
	return stepRead, "READ srvsvc", nil
}

// The server service (MS-SRVS §1.9) and the way its calls are written (C706 §14), as a bind names them.
const (
	serverInterface = "\xc8\x4f\x32\x4b\x70\x16\xd3\x01\x12\x78\x5a\x47\xbf\x6e\xe1\x88\x03\x00\x00\x00"
	transferSyntax  = "\x04\x5d\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\x00\x2b\x10\x48\x60\x02\x00\x00\x00"
)

// guardIoctl allows to write one PDU of RPC into the pipe and to read the answer (MS-SMB2 §2.2.31), and no other control
// code.
func guardIoctl(body []byte) (s step, label string, err error) {
	const fixed, transceive, fragment = 56, 0x0011c017, 4280
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(body[at:]) }
	pdu := body[fixed:]
	switch {
	case u32(4) != transceive:
		return 0, "", fmt.Errorf("IOCTL with the control code %#08x", u32(4))
	case !zero(body[2:4]), u32(24) != 64+fixed, u32(28) != uint32(len(pdu)), !zero(body[32:44]), u32(44) > fragment, u32(48) != 1,
		!zero(body[52:56]):
		return 0, "", errMore
	}
	return guardPDU(pdu)
}

// guardPDU allows a bind to the server service, and a call of one of its functions (C706 §12.6.4).
func guardPDU(pdu []byte) (s step, label string, err error) {
	const head, request, bind, whole = 16, 0, 11, 0x03
	if len(pdu) < head || string(pdu[:2]) != "\x05\x00" || pdu[3] != whole || string(pdu[4:8]) != "\x10\x00\x00\x00" ||
		int(binary.LittleEndian.Uint16(pdu[8:])) != len(pdu) || !zero(pdu[10:12]) {
		return 0, "", errors.New("IOCTL without an RPC PDU")
	}
	switch rest := pdu[head:]; pdu[2] {
	case bind:
		// Fragment sizes, no association group, one context with one way to write.
		if len(rest) != 56 || !zero(rest[4:8]) || string(rest[8:16]) != "\x01\x00\x00\x00\x00\x00\x01\x00" ||
			string(rest[16:]) != serverInterface+transferSyntax {
			return 0, "", errors.New("RPC bind to another service")
		}
		return stepBind, "IOCTL RPC bind srvsvc", nil
	case request:
		return guardCall(rest)
	default:
		return 0, "", fmt.Errorf("RPC PDU of type %d", pdu[2])
	}
}

// guardCall allows NetrShareEnum (MS-SRVS §3.1.4.8) with level 1, which asks for names, types and comments, an empty
// list to fill, and no place to go on from.
func guardCall(b []byte) (s step, label string, err error) {
	const head, netrShareEnum = 8, 15
	if len(b) < head || !zero(b[4:6]) || binary.LittleEndian.Uint16(b[6:]) != netrShareEnum {
		return 0, "", errors.New("RPC request for something else than NetrShareEnum")
	}
	stub := b[head:]
	if len(stub) < 16 {
		return 0, "", errMore
	}
	// The server's name: a pointer, the count of characters twice around an offset, and them with a zero.
	count := int(binary.LittleEndian.Uint32(stub[4:]))
	const longest = 64
	if count < 2 || count > longest || int(binary.LittleEndian.Uint32(stub[12:])) != count || !zero(stub[8:12]) {
		return 0, "", errMore
	}
	at := 16 + (2*count+3)&^3
	if len(stub) != at+28 {
		return 0, "", errMore
	}
	name, ok := latin(stub[16 : 16+2*(count-1)])
	if !ok || !serverName.MatchString(name) || !zero(stub[16+2*(count-1):at]) {
		return 0, "", errors.New("NetrShareEnum of another server")
	}
	const level1, everything = "\x01\x00\x00\x00\x01\x00\x00\x00", "\xff\xff\xff\xff"
	if string(stub[at:at+8]) != level1 || !zero(stub[at+12:at+20]) || string(stub[at+20:at+24]) != everything || !zero(stub[at+24:]) {
		return 0, "", errors.New("NetrShareEnum with other arguments")
	}
	return stepCall, "IOCTL NetrShareEnum", nil
}
