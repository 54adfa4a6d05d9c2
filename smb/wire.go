package smb

import (
	"encoding/binary"
	"errors"
	"fmt"
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

// Sizes of the SMB 2 header and of what follows it (MS-SMB2 §2.2.1, §2.2.2 to §2.2.6).
const (
	headerSize          = 64
	negotiateSize       = 36
	negotiateReplySize  = 64 // its StructureSize says one more, for the first byte of what follows
	sessionSetupSize    = 24 // the same
	sessionReplySize    = 8  // the same
	errorStructureSize  = 9
	negotiateOffsetSize = 8 // contexts are aligned to it (MS-SMB2 §2.2.3.1)
)

// Commands (MS-SMB2 §2.2.1.2).
const (
	commandNegotiate    = 0x0000
	commandSessionSetup = 0x0001
)

// Flags (MS-SMB2 §2.2.1.2).
const (
	flagResponse = 0x00000001 // SERVER_TO_REDIR
	flagAsync    = 0x00000002
)

// appendHeader appends a header that asks for one credit and uses charge of them. Dialect 2.0.2, and so a negotiation,
// has no charge.
func appendHeader(b []byte, command, charge uint16, messageID uint64) []byte {
	b = append(b, magicSMB2...)
	b = le.AppendUint16(b, headerSize)
	b = le.AppendUint16(b, charge)
	b = append(b, 0, 0, 0, 0) // channel sequence
	b = le.AppendUint16(b, command)
	b = le.AppendUint16(b, 1) // credits
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	b = le.AppendUint64(b, messageID)
	return append(b, make([]byte, headerSize-32)...) // no tree, no session, no signature
}

// A response is a reply's header, as far as it is of interest, and what follows it.
type response struct {
	status  uint32
	pending bool // the reply is still to come (MS-SMB2 §3.3.4.2)
	body    []byte
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
	r.status = le.Uint32(b[8:])
	r.pending = r.status == statusPending && flags&flagAsync != 0
	r.body = b[headerSize:]
	return r, nil
}

// checkError checks the body of a reply that says no (MS-SMB2 §2.2.2).
func (r response) checkError() error {
	if len(r.body) < errorStructureSize-1 {
		return errShort
	}
	if size := le.Uint16(r.body); size != errorStructureSize {
		return fmt.Errorf("error reply of size %d", size)
	}
	return nil
}

// Status codes (MS-ERREF §2.3.1).
const (
	statusSuccess         = 0x00000000
	statusPending         = 0x00000103
	statusNotSupported    = 0xc00000bb
	statusMoreProcessing  = 0xc0000016
	statusLogonTypeDenied = 0xc000015b
)

var statusNames = map[uint32]string{
	statusSuccess: "STATUS_SUCCESS", statusPending: "STATUS_PENDING", statusNotSupported: "STATUS_NOT_SUPPORTED",
	statusMoreProcessing: "STATUS_MORE_PROCESSING_REQUIRED", statusLogonTypeDenied: "STATUS_LOGON_TYPE_NOT_GRANTED",
	0xc000000d: "STATUS_INVALID_PARAMETER", 0xc0000022: "STATUS_ACCESS_DENIED", 0xc000006d: "STATUS_LOGON_FAILURE",
	0xc000009a: "STATUS_INSUFFICIENT_RESOURCES", 0xc00000d0: "STATUS_REQUEST_NOT_ACCEPTED",
	0xc0000203: "STATUS_USER_SESSION_DELETED", 0xc000006e: "STATUS_ACCOUNT_RESTRICTION", 0xc0000418: "STATUS_NTLM_BLOCKED",
	0xc0000064: "STATUS_NO_SUCH_USER", 0xc000006a: "STATUS_WRONG_PASSWORD", 0xc0000072: "STATUS_ACCOUNT_DISABLED",
	0xc00000ca: "STATUS_NETWORK_ACCESS_DENIED", 0xc0000155: "STATUS_LOGON_NOT_GRANTED", 0xc00000cc: "STATUS_BAD_NETWORK_NAME",
	0xc0000034: "STATUS_OBJECT_NAME_NOT_FOUND", 0xc00000ac: "STATUS_PIPE_NOT_AVAILABLE", 0xc000014b: "STATUS_PIPE_BROKEN",
	0xc00000b0: "STATUS_PIPE_DISCONNECTED", 0xc00000c9: "STATUS_NETWORK_NAME_DELETED", 0xc00000ce: "STATUS_TOO_MANY_SESSIONS",
	0xc0000205: "STATUS_INSUFF_SERVER_RESOURCES", 0xc0000010: "STATUS_INVALID_DEVICE_REQUEST",
}

func statusName(status uint32) string {
	if name, ok := statusNames[status]; ok {
		return name
	}
	return fmt.Sprintf("%#08x", status)
}

// within returns the part of a message that an offset from its beginning and a length describe.
func within(b []byte, offset, length int) ([]byte, error) {
	if length == 0 {
		return nil, nil
	}
	if offset > len(b) || length > len(b)-offset {
		return nil, errors.New("points outside of the message")
	}
	return b[offset : offset+length], nil
}
