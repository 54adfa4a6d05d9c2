package smb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

var le = binary.LittleEndian

// frameSize is the size of the header of Direct TCP (MS-SMB2 §2.1), and of a session message of NetBIOS (RFC 1002
// §4.3.6): a zero and a length. They differ in how many of its bits they use.
const frameSize = 4

// maxMessage bounds a reply: a token of 64 KiB, the most that its length can say, would leave no room for the rest, but
// those of real servers take less than a kilobyte.
const maxMessage = 64 << 10

// frame puts the header in front of a message.
func frame(message []byte) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, frameSize+len(message)), uint32(len(message))), message...)
}

// What a message begins with (MS-SMB2 §2.2.1, MS-CIFS §2.2.3.1).
const (
	magicSMB2 = "\xfeSMB"
	magicSMB1 = "\xffSMB"
)

// headerSize is that of SMB 2's header (MS-SMB2 §2.2.1).
const headerSize = 64

// The StructureSize of what follows it (MS-SMB2 §2.2.2 to §2.2.32). If it is odd, the fixed part is one byte shorter,
// and texts and tokens of any length follow.
const (
	errorSize             = 9
	negotiateSize         = 36
	negotiateReplySize    = 65
	sessionSetupSize      = 25
	sessionSetupReplySize = 9
	treeConnectSize       = 9
	treeConnectReplySize  = 16
	createSize            = 57
	createReplySize       = 89
	closeSize             = 24
	readSize              = 49
	readReplySize         = 17
	ioctlSize             = 57
	ioctlReplySize        = 49
	emptySize             = 4 // LOGOFF and TREE_DISCONNECT
	contextAlignment      = 8 // §2.2.3.1
)

// Commands (MS-SMB2 §2.2.1.2).
const (
	commandNegotiate      = 0x0000
	commandSessionSetup   = 0x0001
	commandLogoff         = 0x0002
	commandTreeConnect    = 0x0003
	commandTreeDisconnect = 0x0004
	commandCreate         = 0x0005
	commandClose          = 0x0006
	commandRead           = 0x0008
	commandIoctl          = 0x000b
)

// Flags (MS-SMB2 §2.2.1.2).
const (
	flagResponse = 0x00000001 // SERVER_TO_REDIR
	flagAsync    = 0x00000002
)

// A header is what requests of SMB 2 differ in (MS-SMB2 §2.2.1.2). Each asks for one credit.
type header struct {
	command, charge  uint16
	message, session uint64
	tree             uint32
}

// request returns the header and what follows it.
func (h header) request(body []byte) []byte {
	b := append(make([]byte, 0, headerSize+len(body)), magicSMB2...)
	b = le.AppendUint16(b, headerSize)
	b = le.AppendUint16(b, h.charge)
	b = append(b, 0, 0, 0, 0) // channel sequence
	b = le.AppendUint16(b, h.command)
	b = le.AppendUint16(b, 1) // credits
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	b = le.AppendUint64(b, h.message)
	b = append(b, 0, 0, 0, 0)
	b = le.AppendUint32(b, h.tree)
	b = le.AppendUint64(b, h.session)
	b = append(b, make([]byte, 16)...) // no signature
	return append(b, body...)
}

// chargeOf returns how many credits a message takes: dialect 2.0.2, and so a negotiation, knows of no charge (MS-SMB2
// §3.2.4.1.5).
func chargeOf(dialect uint16) uint16 {
	if dialect > dialect202 {
		return 1
	}
	return 0
}

// utf16le encodes text as SMB has it.
func utf16le(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = le.AppendUint16(b, u)
	}
	return b
}

// A response is a reply: its header, as far as it is of interest, and what follows it.
type response struct {
	message []byte // all of it, into which offsets point
	body    []byte
	status  uint32
	credits int
	session uint64
	tree    uint32 // 0 if async
	async   bool
	pending bool // the reply is still to come (MS-SMB2 §3.3.4.2)
}

var errShort = errors.New("ends too early")

// parseResponse checks the header of the reply to a message.
func parseResponse(b []byte, command uint16, messageID uint64) (r response, err error) {
	if len(b) < headerSize {
		return r, errShort
	}
	flags := le.Uint32(b[16:])
	switch {
	case string(b[:4]) != magicSMB2:
		return r, fmt.Errorf("no SMB 2 message: %q", b[:4])
	case le.Uint16(b[4:]) != headerSize:
		return r, fmt.Errorf("header of size %d", le.Uint16(b[4:]))
	case le.Uint16(b[12:]) != command:
		return r, fmt.Errorf("reply to command %#04x, not %#04x", le.Uint16(b[12:]), command)
	case flags&flagResponse == 0:
		return r, errors.New("a request, not a reply")
	case le.Uint32(b[20:]) != 0:
		return r, errors.New("a compound reply")
	case le.Uint64(b[24:]) != messageID:
		return r, fmt.Errorf("reply to message %d, not %d", le.Uint64(b[24:]), messageID)
	}
	r = response{
		message: b, body: b[headerSize:], status: le.Uint32(b[8:]), credits: int(le.Uint16(b[14:])), session: le.Uint64(b[40:]),
		async: flags&flagAsync != 0,
	}
	r.pending = r.status == statusPending && r.async
	if !r.async {
		r.tree = le.Uint32(b[36:])
	}
	return r, nil
}

// structure checks that the body has the StructureSize: an odd one counts a byte of what follows.
func (r response) structure(size int) error {
	if len(r.body) < size&^1 {
		return errShort
	}
	if got := int(le.Uint16(r.body)); got != size {
		return fmt.Errorf("a structure of size %d, not %d", got, size)
	}
	return nil
}

// Status codes (MS-ERREF §2.3.1).
const (
	statusSuccess         = 0x00000000
	statusPending         = 0x00000103
	statusNotSupported    = 0xc00000bb
	statusMoreProcessing  = 0xc0000016
	statusBufferOverflow  = 0x80000005 // there is more to read
	statusLogonTypeDenied = 0xc000015b
	statusInvalidParam    = 0xc000000d

	// There is no room, now.
	statusNoResources        = 0xc000009a
	statusTooManySessions    = 0xc00000ce
	statusRequestNotAccepted = 0xc00000d0
	statusInsuffResources    = 0xc0000205
)

var statusNames = map[uint32]string{
	statusSuccess: "STATUS_SUCCESS", statusPending: "STATUS_PENDING", statusNotSupported: "STATUS_NOT_SUPPORTED",
	statusMoreProcessing: "STATUS_MORE_PROCESSING_REQUIRED", statusLogonTypeDenied: "STATUS_LOGON_TYPE_NOT_GRANTED",
	statusInvalidParam: "STATUS_INVALID_PARAMETER", 0xc0000022: "STATUS_ACCESS_DENIED", 0xc000006d: "STATUS_LOGON_FAILURE",
	statusNoResources: "STATUS_INSUFFICIENT_RESOURCES", statusRequestNotAccepted: "STATUS_REQUEST_NOT_ACCEPTED",
	0xc0000203: "STATUS_USER_SESSION_DELETED", 0xc000006e: "STATUS_ACCOUNT_RESTRICTION", 0xc0000418: "STATUS_NTLM_BLOCKED",
	0xc0000064: "STATUS_NO_SUCH_USER", 0xc000006a: "STATUS_WRONG_PASSWORD", 0xc0000072: "STATUS_ACCOUNT_DISABLED",
	0xc00000ca: "STATUS_NETWORK_ACCESS_DENIED", 0xc0000155: "STATUS_LOGON_NOT_GRANTED", 0xc00000cc: "STATUS_BAD_NETWORK_NAME",
	0xc0000034: "STATUS_OBJECT_NAME_NOT_FOUND", 0xc00000ac: "STATUS_PIPE_NOT_AVAILABLE", 0xc000014b: "STATUS_PIPE_BROKEN",
	0xc00000b0: "STATUS_PIPE_DISCONNECTED", 0xc00000c9: "STATUS_NETWORK_NAME_DELETED", statusTooManySessions: "STATUS_TOO_MANY_SESSIONS",
	statusInsuffResources: "STATUS_INSUFF_SERVER_RESOURCES", 0xc0000010: "STATUS_INVALID_DEVICE_REQUEST",
}

func statusName(status uint32) string {
	if name, ok := statusNames[status]; ok {
		return name
	}
	return fmt.Sprintf("%#08x", status)
}

// within returns the part of a message of SMB 2 that an offset from its beginning and a length describe.
func within(b []byte, offset, length int) ([]byte, error) {
	if length == 0 {
		return nil, nil
	}
	if offset < headerSize || offset > len(b) || length > len(b)-offset {
		return nil, errors.New("points outside of the message")
	}
	return b[offset : offset+length], nil
}

// systemErrors are those that NetrShareEnum is seen to return (MS-SRVS §3.1.4.8, MS-ERREF §2.2).
var systemErrors = map[uint32]string{
	0: "ERROR_SUCCESS", 5: "ERROR_ACCESS_DENIED", 50: "ERROR_NOT_SUPPORTED", 87: "ERROR_INVALID_PARAMETER",
	124: "ERROR_INVALID_LEVEL", 234: "ERROR_MORE_DATA",
}

func systemErrorName(code uint32) string {
	if name, ok := systemErrors[code]; ok {
		return name
	}
	return fmt.Sprintf("0x%08x", code)
}
