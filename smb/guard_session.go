package smb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
)

// guardSession names a message of a session without a user, or refuses it. It is for [probe.LevelAnonymous], and knows
// nothing of the code that composes messages. What it allows, in the words of MS-SMB2 §2.2:
//
//   - SESSION_SETUP with NTLM's first message, or with its last where nobody logs in: no name and no response;
//   - TREE_CONNECT to IPC$, CREATE of the pipe srvsvc there;
//   - IOCTL on the pipe with a bind to the server service or a call of NetrShareEnum at level 1, and READ of what is
//     left of the answer;
//   - CLOSE, TREE_DISCONNECT, LOGOFF.
func guardSession(m []byte) (label string, err error) {
	if err := guardHeader(m); err != nil {
		return "", err
	}
	command, body := binary.LittleEndian.Uint16(m[12:]), m[64:]
	look, ok := sessionMessages[command]
	if !ok {
		return "", fmt.Errorf("command %#02x", command)
	}
	if len(body) < look.size-look.size%2 || int(binary.LittleEndian.Uint16(body)) != look.size {
		return "", fmt.Errorf("command %#02x of another structure", command)
	}
	return look.guard(body)
}

// sessionMessages tells of each command the size of its structure and who looks at the rest.
var sessionMessages = map[uint16]struct {
	size  int
	guard func(body []byte) (string, error)
}{
	0x01: {25, guardSessionSetup},
	0x02: {4, guardEmpty("LOGOFF")},
	0x03: {9, guardTreeConnect},
	0x04: {4, guardEmpty("TREE_DISCONNECT")},
	0x05: {57, guardCreate},
	0x06: {24, guardClose},
	0x08: {49, guardRead},
	0x0b: {57, guardIoctl},
}

// guardHeader checks the header (MS-SMB2 §2.2.1.2): one request, neither compound nor encrypted.
func guardHeader(m []byte) error {
	const size = 64
	if len(m) < size+4 || string(m[:4]) != "\xfeSMB" || binary.LittleEndian.Uint16(m[4:]) != size {
		return errors.New("not an SMB2 request")
	}
	switch {
	case binary.LittleEndian.Uint16(m[6:]) > 1:
		return errors.New("a request that takes more than one credit")
	case binary.LittleEndian.Uint32(m[8:]) != 0: // channel sequence
		return errors.New("a request with a status")
	case binary.LittleEndian.Uint32(m[16:]) != 0 || !zero(m[48:64]):
		return errors.New("a request with flags or a signature: there is no key")
	case binary.LittleEndian.Uint32(m[20:]) != 0:
		return errors.New("a compound request")
	}
	return nil
}

var errMore = errors.New("more than the message that it looks like")

func guardEmpty(label string) func([]byte) (string, error) {
	return func(body []byte) (string, error) {
		if !zero(body[2:]) || len(body) != 4 {
			return "", errMore
		}
		return label, nil
	}
}

func zero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

// guardSessionSetup allows no binding to another session and none that ends one before it (§2.2.5).
func guardSessionSetup(body []byte) (string, error) {
	const fixed = 24
	token := body[fixed:]
	switch {
	case body[2] != 0:
		return "", errors.New("SESSION_SETUP that binds a session")
	case !zero(body[16:24]):
		return "", errors.New("SESSION_SETUP that ends another session")
	case !zero(body[8:12]), !spans(body, 12, fixed, len(token)):
		return "", errMore
	}
	at := bytes.Index(token, []byte("NTLMSSP\x00"))
	if at < 0 || bytes.LastIndex(token, []byte("NTLMSSP\x00")) != at {
		return "", errors.New("SESSION_SETUP without NTLM")
	}
	wrapping, ntlm := token[:at], token[at:]
	// What follows is inside: SPNEGO's lengths end with the message, which is the last of its fields.
	if !endsWith(wrapping, len(ntlm)) || len(ntlm) < 12 {
		return "", errors.New("SESSION_SETUP with more than NTLM")
	}
	switch kind := binary.LittleEndian.Uint32(ntlm[8:]); {
	case kind == 1 && len(ntlm) <= 40 && len(ntlm) >= 32 && zero(ntlm[16:32]): // no domain, no workstation
		return "SESSION_SETUP NTLM", nil
	case kind == 3:
		return "SESSION_SETUP anonymous", guardNobody(ntlm)
	default:
		return "", fmt.Errorf("SESSION_SETUP with an NTLM message of type %d", kind)
	}
}

// endsWith reports whether the octet string that the wrapping ends with has the length, and nothing of the wrapping is
// text.
func endsWith(wrapping []byte, length int) bool {
	const limit = 64 // of what SPNEGO puts around NTLM's messages here
	short := []byte{0x04, byte(length)}
	long := []byte{0x04, 0x81, byte(length)}
	return len(wrapping) <= limit && length < 256 &&
		(length < 128 && bytes.HasSuffix(wrapping, short) || length >= 128 && bytes.HasSuffix(wrapping, long))
}

// guardNobody checks that the last message of NTLM (MS-NLMP §2.2.1.3) holds neither a name nor a response: it says that
// nobody logs in, its six fields are empty but for the one byte that says so too, and there is no room for more.
func guardNobody(ntlm []byte) error {
	const size, anonymous = 64, 0x00000800
	if len(ntlm) != size+1 || ntlm[size] != 0 || binary.LittleEndian.Uint32(ntlm[60:])&anonymous == 0 {
		return errors.New("SESSION_SETUP of somebody")
	}
	for at := 12; at < 60; at += 8 {
		length := binary.LittleEndian.Uint16(ntlm[at:])
		if length > 1 || length == 1 && (at != 12 || binary.LittleEndian.Uint32(ntlm[at+4:]) != size) {
			return errors.New("SESSION_SETUP with a name or a response")
		}
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
func guardTreeConnect(body []byte) (string, error) {
	const fixed = 8
	path, ok := latin(body[fixed:])
	switch {
	case !zero(body[2:4]) || !spans(body, 4, fixed, len(body)-fixed):
		return "", errMore
	case !ok || !pipeTree.MatchString(path):
		return "", errors.New("TREE_CONNECT to another share than IPC$")
	}
	return "TREE_CONNECT " + path, nil
}

// guardCreate allows to open the pipe, which exists: no disposition that makes, replaces or deletes anything, no oplock
// and no contexts (§2.2.13). The access is what it takes to ask and to read the answer.
func guardCreate(body []byte) (string, error) {
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
		return "", errors.New("CREATE of something else than the pipe srvsvc")
	case u32(24) != readWrite || u32(28) != normal || u32(32) != shared || u32(36) != open || u32(40) != synchronous:
		return "", errors.New("CREATE that does more than to open")
	case !zero(body[2:4]) || u32(4) > 2 || !zero(body[8:24]) || !spans(body, 44, fixed, len(name)*2) || !zero(body[48:56]):
		return "", errMore
	}
	return "CREATE srvsvc", nil
}

func guardClose(body []byte) (string, error) {
	if !zero(body[2:8]) || len(body) != 24 {
		return "", errMore
	}
	return "CLOSE", nil
}

// guardRead allows to read as much as one fragment of RPC (§2.2.19). Nothing but the pipe can be open.
func guardRead(body []byte) (string, error) {
	const size, fragment = 49, 4280
	length := binary.LittleEndian.Uint32(body[4:])
	if !zero(body[2:4]) || length == 0 || length > fragment || !zero(body[36:]) || len(body) != size {
		return "", errMore
	}
	return "READ srvsvc", nil
}
