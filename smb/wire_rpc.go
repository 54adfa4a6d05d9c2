package smb

import (
	"errors"
	"fmt"
	"strings"

	"github.com/handclasp/handclasp/internal/dtyp"
)

// PDU types and flags (C706 §12.6.3.1, §12.6.4).
const (
	rpcRequest  = 0
	rpcResponse = 2
	rpcFault    = 3
	rpcBind     = 11
	rpcBindAck  = 12
	rpcBindNak  = 13

	rpcFirst = 0x01
	rpcLast  = 0x02
)

const (
	rpcHeaderSize   = 16
	rpcResponseSize = 24 // the header of a response or a fault
	rpcVersion      = "\x05\x00"
	rpcDREP         = "\x10\x00\x00\x00" // little-endian, ASCII, IEEE (C706 §14.1)

	// maxFragment is how long PDUs may be: what Windows' clients say, too.
	maxFragment = 4280
)

// What a bind names: the server service's interface, 4b324fc8-1670-01d3-1278-5a47bf6ee188 version 3.0 (MS-SRVS §1.9), and
// how calls are written, NDR version 2.0 (C706 §14).
const (
	srvsvcInterface = "\xc8\x4f\x32\x4b\x70\x16\xd3\x01\x12\x78\x5a\x47\xbf\x6e\xe1\x88\x03\x00\x00\x00"
	ndrSyntax       = "\x04\x5d\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\x00\x2b\x10\x48\x60\x02\x00\x00\x00"
)

// netrShareEnum is the number of the call (MS-SRVS §3.1.4.8).
const netrShareEnum = 15

// appendPDU appends a PDU of one fragment.
func appendPDU(b []byte, kind byte, call uint32, body []byte) []byte {
	b = append(b, rpcVersion...)
	b = append(b, kind, rpcFirst|rpcLast)
	b = append(b, rpcDREP...)
	b = le.AppendUint16(b, uint16(rpcHeaderSize+len(body)))
	b = append(b, 0, 0) // no authentication
	return append(le.AppendUint32(b, call), body...)
}

// bindServerService returns the bind PDU (C706 §12.6.4.3) of a call: one context with one way to write.
func bindServerService(call uint32) []byte {
	body := le.AppendUint16(nil, maxFragment)
	body = le.AppendUint16(body, maxFragment)
	body = append(body, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0) // no group; one context, number 0, one syntax
	return appendPDU(nil, rpcBind, call, append(body, srvsvcInterface+ndrSyntax...))
}

// enumShares returns the call of NetrShareEnum (MS-SRVS §3.1.4.8) for names, types and comments, all of them at once.
func enumShares(call uint32, server string) []byte {
	name := utf16le(server + "\x00")
	stub := []byte{0, 0, 2, 0} // a pointer to the name
	for _, field := range []uint32{uint32(len(name) / 2), 0, uint32(len(name) / 2)} {
		stub = le.AppendUint32(stub, field)
	}
	stub = append(stub, name...)
	stub = append(stub, make([]byte, -len(stub)&3)...)
	for _, field := range []uint32{1, 1, 0x20004, 0, 0, 0xffffffff, 0} {
		stub = le.AppendUint32(stub, field) // level 1, a pointer to an empty list, any length, no place to go on from
	}
	body := le.AppendUint32(nil, uint32(len(stub)))
	body = le.AppendUint16(body, 0) // the context
	body = le.AppendUint16(body, netrShareEnum)
	return appendPDU(nil, rpcRequest, call, append(body, stub...))
}

// A pdu is one that a server sent. It may be one fragment of many.
type pdu struct {
	kind        byte
	first, last bool
	size        int    // of the whole PDU
	data        []byte // all of it, or what there is yet
}

// parsePDU reads the header of a PDU that answers a call (C706 §12.6.3.1), of which the rest may be missing.
func parsePDU(b []byte, call uint32) (p pdu, err error) {
	if len(b) < rpcHeaderSize || string(b[:2]) != rpcVersion || string(b[4:8]) != rpcDREP {
		return p, errors.New("not an RPC PDU")
	}
	p = pdu{kind: b[2], first: b[3]&rpcFirst != 0, last: b[3]&rpcLast != 0, size: int(le.Uint16(b[8:])), data: b}
	switch {
	case p.size < len(b) || p.size > maxFragment || le.Uint16(b[10:]) != 0:
		return p, errors.New("an RPC PDU of another length")
	case le.Uint32(b[12:]) != call:
		return p, errors.New("an RPC PDU of another call")
	}
	return p, nil
}

// fault says how a call failed (C706 §12.6.4.7); empty if it isn't said.
func (p pdu) fault() string {
	if p.kind != rpcFault || len(p.data) < rpcResponseSize+4 {
		return ""
	}
	return fmt.Sprintf("RPC fault 0x%08x", le.Uint32(p.data[rpcResponseSize:]))
}

// accepts reports whether the answer to a bind accepts it (C706 §12.6.4.4): behind the secondary address stands a list of
// results.
func (p pdu) accepts() (bool, error) {
	const address, head, result = 26, 4, 24 // the address begins behind its length
	if p.kind == rpcBindNak {
		return false, nil
	}
	if p.kind != rpcBindAck || !p.first || !p.last || len(p.data) < address {
		return false, fmt.Errorf("an RPC PDU of type %d and %d bytes for an answer to a bind", p.kind, len(p.data))
	}
	results := (address + int(le.Uint16(p.data[address-2:])) + 3) &^ 3
	if len(p.data) < results+head+result || p.data[results] != 1 {
		return false, errors.New("a broken RPC bind_ack")
	}
	return le.Uint16(p.data[results+head:]) == 0, nil
}

// part returns the part of a result that the PDU brings, which is the first or isn't.
func (p pdu) part(first bool) ([]byte, error) {
	if p.first != first {
		return nil, errors.New("an RPC PDU out of order")
	}
	if p.kind != rpcResponse || len(p.data) <= rpcResponseSize {
		return nil, fmt.Errorf("an RPC PDU of type %d and %d bytes for a result", p.kind, len(p.data))
	}
	return p.data[rpcResponseSize:], nil
}

// maxShares is how many shares are kept: an entry without texts takes more memory than bytes.
const maxShares = 2000

// errTooMany stands for a limit.
var errTooMany = errors.New("a longer list of shares than is kept")

// shareTypes are the base types of MS-SRVS §2.2.2.4; flags stand above.
var shareTypes = map[uint32]string{0: "disk", 1: "printer", 2: "device", 3: "ipc"}

// parseShares reads what NetrShareEnum at level 1 brought (MS-SRVS §2.2.4.33), if it returned no error, and what it
// returned, which is at the end: the level twice, a pointer to the list, its size, a pointer to the entries and their
// number; then the entries, and then their texts. Of a list the shares are never nil.
func parseShares(stub []byte) (shares []Share, result uint32, err error) {
	if len(stub) < 4 {
		return nil, 0, errShort
	}
	if result = le.Uint32(stub[len(stub)-4:]); result != 0 {
		return nil, result, nil
	}
	d := ndrReader{b: stub}
	d.uint32()
	d.uint32()
	list, count, entries := d.uint32(), d.uint32(), d.uint32()
	switch {
	case d.short:
		return nil, 0, errShort
	case list == 0, entries == 0:
		return []Share{}, 0, nil
	case count > maxShares:
		return nil, 0, errTooMany
	case d.uint32() != count:
		return nil, 0, errors.New("a list of shares of two sizes")
	}
	shares = make([]Share, count)
	texts := make([]*string, 0, 2*count)
	for i := range shares {
		s := &shares[i]
		name, kind, comment := d.uint32(), d.uint32(), d.uint32()
		s.Type = shareTypes[kind&0xff]
		if name != 0 {
			texts = append(texts, &s.Name)
		}
		if comment != 0 {
			texts = append(texts, &s.Comment)
		}
	}
	for _, text := range texts {
		*text = d.text()
	}
	if d.short {
		return nil, 0, errShort
	}
	return shares, 0, nil
}

// An ndrReader reads NDR (C706 §14.2, §14.3). Behind the end everything is zero.
type ndrReader struct {
	b     []byte
	short bool
}

func (d *ndrReader) take(n int) []byte {
	if d.short = d.short || n > len(d.b); d.short {
		return nil
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *ndrReader) uint32() uint32 {
	if b := d.take(4); b != nil {
		return le.Uint32(b)
	}
	return 0
}

// text reads a conformant and varying string (C706 §14.3.4.2): the most characters, an offset, and the number of those that
// follow, the NUL at the end among them.
func (d *ndrReader) text() string {
	most, offset, count := d.uint32(), d.uint32(), d.uint32()
	if count > most || offset != 0 || count > uint32(len(d.b)) {
		d.short = true
	}
	s := dtyp.Text(d.take(2 * int(count)))
	d.take(min(int(count&1)*2, len(d.b))) // to a multiple of four
	return strings.TrimSuffix(s, "\x00")
}
