package smb

import (
	"errors"
	"fmt"
)

// pipe follows what comes through the pipe of the server service: PDUs of RPC (C706 §12.6), whole or in two parts.
type pipe struct {
	call  uint32 // the library's number for it
	calls uint32 // that were made: ours
	left  int    // bytes that are missing of a PDU
	last  bool   // that PDU is the last
	pdus  int
	stub  int     // bytes of the result so far
	tail  [4]byte // the last of them
}

// Bounds of a list of shares. 128 KiB hold some 1,500 with ordinary names and comments.
const (
	maxFragment = 4280 // what the library's bind says
	maxPDUs     = 64
	maxStub     = 128 << 10
	maxShares   = 2000 // an entry without texts takes more memory than bytes
)

// PDU types and flags (C706 §12.6.3.1, §12.6.4).
const (
	rpcHeader    = 16
	rpcResponse  = 2
	rpcFault     = 3
	rpcBind      = 11
	rpcBindAck   = 12
	rpcBindNak   = 13
	rpcFirst     = 0x01
	rpcLast      = 0x02
	rpcDREP      = "\x10\x00\x00\x00" // little-endian, ASCII, IEEE
	responseHead = 24
)

// outgoing gives the library's call a number that is the same each time, and reports whether it is a bind.
func (p *pipe) outgoing(pdu []byte) (bind bool) {
	p.call = u32(pdu, 12)
	p.calls++
	p.left, p.pdus, p.stub = 0, 0, 0
	le.PutUint32(pdu[12:], p.calls)
	return pdu[2] == rpcBind
}

// incoming checks what a request for data brought.
func (p *pipe) incoming(b []byte, asked request, seen *AnonymousSession) error {
	if p.left > 0 {
		// The rest of a PDU comes at once: one byte a read would make the library allocate without end.
		if len(b) != p.left {
			return errors.New("a part of an RPC PDU")
		}
		p.left = 0
		return p.collect(b, seen)
	}
	if p.pdus++; p.pdus > maxPDUs {
		return errors.New("more RPC PDUs than a list of shares takes")
	}
	if len(b) < rpcHeader || b[0] != 5 || b[1] != 0 || string(b[4:8]) != rpcDREP {
		return errors.New("not an RPC PDU")
	}
	kind, flags, length := b[2], b[3], u16(b, 8)
	switch {
	case length < len(b) || length > maxFragment || u16(b, 10) != 0:
		return errors.New("an RPC PDU of another length")
	case u32(b, 12) != p.calls:
		return errors.New("an RPC PDU of another call")
	case flags&rpcFirst == 0 != (p.pdus > 1):
		return errors.New("an RPC PDU out of order")
	}
	le.PutUint32(b[12:], p.call)
	switch {
	case kind == rpcFault && length == len(b) && length >= 28:
		seen.ListStatus = fmt.Sprintf("RPC fault 0x%08x", u32(b, 24))
		return nil
	case asked.bind && kind == rpcBindNak && length == len(b):
		seen.ListStatus = "RPC bind refused"
		return nil
	case asked.bind && kind == rpcBindAck && length == len(b):
		return bound(b, seen)
	case !asked.bind && kind == rpcResponse && len(b) > responseHead:
		p.left = length - len(b)
		p.last = flags&rpcLast != 0
		if p.pdus == 1 {
			if err := countShares(b[responseHead:]); err != nil {
				return err
			}
		}
		return p.collect(b[responseHead:], seen)
	}
	return fmt.Errorf("an RPC PDU of type %d", kind)
}

// bound checks a bind_ack (C706 §12.6.4.4): behind the secondary address stands a list of results.
func bound(b []byte, seen *AnonymousSession) error {
	const address = 26 // behind its length
	if len(b) < address {
		return errors.New("a broken RPC bind_ack")
	}
	results := (address + u16(b, address-2) + 3) &^ 3
	const head, result = 4, 24
	if len(b) < results+head+result || b[results] != 1 {
		return errors.New("a broken RPC bind_ack")
	}
	if u16(b, results+head) != 0 {
		seen.ListStatus = "RPC bind refused"
	}
	return nil
}

// countShares checks the number of entries, which a result begins with (MS-SRVS §2.2.4.38): level, level again, pointer to
// the list, number.
func countShares(stub []byte) error {
	const container, count, end = 8, 12, 16
	switch {
	case len(stub) < end:
		return errors.New("a broken list of shares")
	case u32(stub, container) != 0 && u32(stub, count) > maxShares:
		return errTooMany
	}
	return nil
}

// collect counts a part of the result. Where it is the last, its last four bytes are what NetrShareEnum returned
// (MS-SRVS §3.1.4.8).
func (p *pipe) collect(b []byte, seen *AnonymousSession) error {
	if p.stub += len(b); p.stub > maxStub {
		return errTooMany
	}
	joined := append(p.tail[:len(p.tail):len(p.tail)], b[max(0, len(b)-4):]...)
	copy(p.tail[:], joined[len(joined)-4:])
	if p.left == 0 && p.last {
		seen.ListStatus = systemErrorName(le.Uint32(p.tail[:]))
	}
	return nil
}

// errTooMany stands for a limit.
var errTooMany = errors.New("a longer list of shares than is kept")
