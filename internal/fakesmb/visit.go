package fakesmb

import (
	"bytes"
	"unicode/utf16"
)

// A Visit is what a session without a user gets behind the challenge: IPC$, and through the pipe of the server service a
// list of shares, well or as the fields say. It serves one session.
type Visit struct {
	Flags      uint16            // of the session
	Statuses   map[uint16]uint32 // in place of success, by command
	ShareFlags uint32            // of IPC$
	Shares     []Share
	Result     uint32 // of NetrShareEnum
	RefuseBind bool   // as a service that isn't there
	Fault      bool   // in place of a result

	Fragment int    // bytes of the list in one RPC PDU; 0 is all
	Part     int    // bytes of a PDU that IOCTL brings; 0 is all
	Interim  int    // promises before each answer from CREATE on
	List     []byte // in place of what Shares make

	rest []byte // of the PDUs
}

// A Share is an entry of a list (MS-SRVS §2.2.4.23).
type Share struct {
	Name, Comment string
	Type          uint32
}

// Types of shares (MS-SRVS §2.2.2.4).
const (
	Disk    = 0
	Printer = 1
	Device  = 2
	IPC     = 0x80000003
)

const (
	commandSetup   = 1
	commandTree    = 3
	commandCreate  = 5
	commandClose   = 6
	commandRead    = 8
	commandIoctl   = 11
	pending        = 0x103
	bufferOverflow = 0x80000005
	session        = 0x1122334455667788
	tree           = 7
	maxFragment    = 4280
)

// anonymous reports whether a session setup holds the last message of an NTLM login without a user and a response.
func anonymous(m []byte) bool {
	at := bytes.Index(m, []byte("NTLMSSP\x00\x03"))
	return at >= 0 && len(m) >= at+64 && le.Uint16(m[at+20:]) == 0 && le.Uint16(m[at+36:]) == 0
}

// Answer returns the messages that answer a request, from the last of the login on.
func (v *Visit) Answer(request []byte) (messages [][]byte) {
	command := le.Uint16(request[12:])
	status, body := v.body(command, request)
	if s, ok := v.Statuses[command]; ok {
		status, body = s, errorBody
	}
	m := header(request, status, body)
	switch command {
	case commandSetup:
		if le.Uint64(m[40:]) == 0 {
			le.PutUint64(m[40:], session)
		}
	case commandTree:
		le.PutUint32(m[36:], tree)
	}
	if command < commandCreate {
		return [][]byte{m}
	}
	for range v.Interim {
		promise := header(request, pending, errorBody)
		promise[16] |= 2 // asynchronous
		le.PutUint64(promise[32:], 99)
		messages = append(messages, promise)
		copy(m[32:40], promise[32:40])
		m[16] |= 2
	}
	return append(messages, m)
}

func (v *Visit) body(command uint16, request []byte) (status uint32, body []byte) {
	switch command {
	case commandSetup:
		return 0, []byte{9, 0, byte(v.Flags), byte(v.Flags >> 8), 72, 0, 0, 0, 0}
	case commandTree:
		b := append([]byte{16, 0, 2, 0}, make([]byte, 12)...)
		le.PutUint32(b[4:], v.ShareFlags)
		return 0, b
	case commandCreate:
		b := make([]byte, 88)
		b[0] = 89
		copy(b[64:], "0123456789abcdef")
		return 0, b
	case commandIoctl:
		return v.transceive(request)
	case commandRead:
		data, status := v.next(int(le.Uint32(request[64+4:])))
		b := append([]byte{17, 0, 64 + 16, 0}, make([]byte, 12)...)
		le.PutUint32(b[4:], uint32(len(data)))
		return status, append(b, data...)
	case commandClose:
		return 0, append([]byte{60}, make([]byte, 59)...)
	}
	return 0, []byte{4, 0, 0, 0}
}

// transceive answers a PDU of RPC.
func (v *Visit) transceive(request []byte) (status uint32, body []byte) {
	data, status := v.pdu(request[64+56:])
	b := make([]byte, 48)
	b[0] = 49
	copy(b[4:24], request[64+4:])
	le.PutUint32(b[24:], 64+48)
	le.PutUint32(b[32:], 64+48)
	le.PutUint32(b[36:], uint32(len(data)))
	return status, append(b, data...)
}

// pdu returns what a PDU of RPC (C706 §12.6.4) brings at once.
func (v *Visit) pdu(pdu []byte) (data []byte, status uint32) {
	const bind, response, fault, bindAck, first, last = 11, 2, 3, 12, 1, 2
	head := func(kind, flags byte, size int) []byte {
		h := append([]byte{5, 0, kind, flags, 0x10, 0, 0, 0}, make([]byte, 8)...)
		le.PutUint16(h[8:], uint16(16+size))
		copy(h[12:], pdu[12:16])
		return h
	}
	switch {
	case pdu[2] == bind:
		ack := []byte("\xb8\x10\xb8\x10\x01\x00\x00\x00\x03\x00ab\x00\x00\x00\x00\x01\x00\x00\x00")
		result := make([]byte, 24)
		if v.RefuseBind {
			result[0] = 2
		}
		v.rest = append(append(head(bindAck, first|last, len(ack)+24), ack...), result...)
	case v.Fault:
		v.rest = append(head(fault, first|last, 16), "\x20\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00"...)
	default:
		stub := v.List
		if stub == nil {
			stub = ShareList(v.Shares, v.Result)
		}
		size := maxFragment - 24
		if v.Fragment > 0 {
			size = v.Fragment
		}
		v.rest = nil
		for flags := byte(first); flags&last == 0; flags &^= first {
			n := min(size, len(stub))
			if n == len(stub) {
				flags |= last
			}
			v.rest = append(append(v.rest, head(response, flags, 8+n)...), make([]byte, 8)...)
			v.rest, stub = append(v.rest, stub[:n]...), stub[n:]
		}
	}
	part := maxFragment
	if v.Part > 0 && pdu[2] != bind {
		part = v.Part
	}
	return v.next(part)
}

// next reads from the pipe: no further than to the end of a PDU.
func (v *Visit) next(most int) ([]byte, uint32) {
	n := min(most, len(v.rest))
	begins := len(v.rest) >= 16 && v.rest[0] == 5 && v.rest[4] == 0x10
	if begins {
		n = min(n, int(le.Uint16(v.rest[8:])))
	}
	data := v.rest[:n]
	v.rest = v.rest[n:]
	if begins && len(data) >= 10 && n < int(le.Uint16(data[8:])) {
		return data, bufferOverflow
	}
	return data, 0
}

// ShareList is a result of NetrShareEnum (MS-SRVS §3.1.4.8).
func ShareList(shares []Share, result uint32) (b []byte) {
	put := func(values ...uint32) {
		for _, v := range values {
			b = le.AppendUint32(b, v)
		}
	}
	n := uint32(len(shares))
	put(1, 1, 0x20000, n, 0x20004, n)
	for _, s := range shares {
		put(0x20008, s.Type, 0x2000c)
	}
	text := func(s string) {
		units := append(utf16.Encode([]rune(s)), 0)
		put(uint32(len(units)), 0, uint32(len(units)))
		for _, u := range units {
			b = le.AppendUint16(b, u)
		}
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	for _, s := range shares {
		text(s.Name)
		text(s.Comment)
	}
	put(n, 0, result)
	return b
}
