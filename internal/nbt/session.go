package nbt

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/handclasp/handclasp/probe"
)

// Types of session packets (RFC 1002 §4.3.1).
const (
	TypeMessage   = 0x00
	TypeRequest   = 0x81
	TypePositive  = 0x82
	TypeNegative  = 0x83
	TypeRetarget  = 0x84
	TypeKeepAlive = 0x85
)

// SessionHeaderSize is the size of what each session packet begins with.
const SessionHeaderSize = 4

// AppendSessionRequest appends the packet that asks for a session with the called name (RFC 1002 §4.3.2).
func AppendSessionRequest(b []byte, called, calling Name) []byte {
	b = append(b, TypeRequest, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(2*encodedSize))
	return AppendName(AppendName(b, called), calling)
}

// ParseSessionHeader returns a packet's type and the length of what follows, at most 131,071 bytes: the length has 17
// bits, the last of FLAGS being the first of them. Bits of FLAGS that must be zero make it an error (RFC 1002 §4.3.1).
func ParseSessionHeader(h [SessionHeaderSize]byte) (kind byte, length int, err error) {
	if h[1]&0xfe != 0 {
		return h[0], 0, fmt.Errorf("session packet with flags %#02x", h[1])
	}
	return h[0], int(h[1]&1)<<16 | int(binary.BigEndian.Uint16(h[2:])), nil
}

// A SessionReply is the answer to a session request.
type SessionReply struct {
	Type byte // TypePositive, TypeNegative or TypeRetarget
	// Error is the error code of a negative reply (RFC 1002 §4.3.4).
	Error byte
	// Retarget is where a retarget reply would have the caller go (RFC 1002 §4.3.5). It is to be shown and not followed.
	Retarget netip.AddrPort
}

// Error codes of a negative reply (RFC 1002 §4.3.4).
const (
	ErrorNotListening    = 0x80 // on the called name
	ErrorNotListeningFor = 0x81 // the calling name
	ErrorNameNotPresent  = 0x82 // the called one
	ErrorNoResources     = 0x83
	ErrorUnspecified     = 0x8f
)

// errorTexts are the names of the error codes (RFC 1002 §4.3.4).
var errorTexts = map[byte]string{
	ErrorNotListening:    "not listening on called name",
	ErrorNotListeningFor: "not listening for calling name",
	ErrorNameNotPresent:  "called name not present",
	ErrorNoResources:     "called name present, but insufficient resources",
	ErrorUnspecified:     "unspecified error",
}

// ErrorText names the error of a negative reply: "error 8a" if the RFC has no name for it.
func (r *SessionReply) ErrorText() string {
	if text, ok := errorTexts[r.Error]; ok {
		return text
	}
	return fmt.Sprintf("error %02x", r.Error)
}

const (
	negativeSize  = 1
	retargetSize  = 6
	maxKeepAlives = 8 // more than a server sends that answers at all
	opSession     = "session"
)

// A Reader is a source of bytes, such as a *probe.Conn: ReadFull fills p or returns an error.
type Reader interface {
	ReadFull(p []byte) (int, error)
}

// ReadSessionReply reads the answer to a session request. Keep-alives before it are skipped, a few of them. The reply is
// nil beside an error. Errors of r are returned as they are, others have the outcome not_protocol if the first packet
// is none that answers a request, else malformed.
func ReadSessionReply(r Reader) (*SessionReply, error) {
	for range maxKeepAlives {
		var h [SessionHeaderSize]byte
		if _, err := r.ReadFull(h[:]); err != nil {
			return nil, err
		}
		kind, length, err := ParseSessionHeader(h)
		if err != nil {
			return nil, &probe.Error{Op: opSession, Outcome: probe.OutcomeNotProtocol, Err: err}
		}
		var want int
		switch kind {
		case TypeKeepAlive, TypePositive:
		case TypeNegative:
			want = negativeSize
		case TypeRetarget:
			want = retargetSize
		default:
			return nil, probe.Errorf(opSession, probe.OutcomeNotProtocol, "%q is no answer to a session request", h)
		}
		if length != want {
			return nil, probe.Errorf(opSession, probe.OutcomeMalformed, "session packet %#02x with %d bytes, not %d", kind, length, want)
		}
		body := make([]byte, want)
		if _, err := r.ReadFull(body); err != nil {
			return nil, err
		}
		switch reply := (&SessionReply{Type: kind}); kind {
		case TypeKeepAlive:
			continue
		case TypeNegative:
			reply.Error = body[0]
			return reply, nil
		case TypeRetarget:
			reply.Retarget = netip.AddrPortFrom(netip.AddrFrom4([4]byte(body)), binary.BigEndian.Uint16(body[4:]))
			return reply, nil
		default:
			return reply, nil
		}
	}
	return nil, probe.Errorf(opSession, probe.OutcomeMalformed, "nothing but keep-alives")
}
