package smb

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The server service (MS-SRVS §1.9) and the way its calls are written (C706 §14), as a bind names them.
const (
	serverService = "\xc8\x4f\x32\x4b\x70\x16\xd3\x01\x12\x78\x5a\x47\xbf\x6e\xe1\x88\x03\x00\x00\x00"
	ndr           = "\x04\x5d\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\x00\x2b\x10\x48\x60\x02\x00\x00\x00"
)

// guardIoctl allows to write one PDU of RPC into the pipe and to read the answer (MS-SMB2 §2.2.31), and no other control
// code.
func guardIoctl(body []byte) (string, error) {
	const fixed, transceive, fragment = 56, 0x0011c017, 4280
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(body[at:]) }
	pdu := body[fixed:]
	switch {
	case u32(4) != transceive:
		return "", fmt.Errorf("IOCTL with the control code %#08x", u32(4))
	case !zero(body[2:4]), u32(24) != 64+fixed, u32(28) != uint32(len(pdu)), !zero(body[32:44]), u32(44) > fragment, u32(48) != 1,
		!zero(body[52:56]):
		return "", errMore
	}
	return guardPDU(pdu)
}

// guardPDU allows a bind to the server service, and a call of one of its functions (C706 §12.6.4).
func guardPDU(pdu []byte) (string, error) {
	const head, request, bind, whole = 16, 0, 11, 0x03
	if len(pdu) < head || string(pdu[:2]) != "\x05\x00" || pdu[3] != whole || string(pdu[4:8]) != "\x10\x00\x00\x00" ||
		int(binary.LittleEndian.Uint16(pdu[8:])) != len(pdu) || !zero(pdu[10:12]) {
		return "", errors.New("IOCTL without an RPC PDU")
	}
	switch rest := pdu[head:]; pdu[2] {
	case bind:
		// Fragment sizes, no association group, one context with one way to write.
		if len(rest) != 56 || !zero(rest[4:8]) || string(rest[8:16]) != "\x01\x00\x00\x00\x00\x00\x01\x00" ||
			string(rest[16:]) != serverService+ndr {
			return "", errors.New("RPC bind to another service")
		}
		return "IOCTL RPC bind srvsvc", nil
	case request:
		return guardCall(rest)
	default:
		return "", fmt.Errorf("RPC PDU of type %d", pdu[2])
	}
}

// guardCall allows NetrShareEnum (MS-SRVS §3.1.4.8) with level 1, which asks for names, types and comments, an empty
// list to fill, and no place to go on from.
func guardCall(b []byte) (string, error) {
	const head, netrShareEnum = 8, 15
	if len(b) < head || !zero(b[4:6]) || binary.LittleEndian.Uint16(b[6:]) != netrShareEnum {
		return "", errors.New("RPC request for something else than NetrShareEnum")
	}
	stub := b[head:]
	if len(stub) < 16 {
		return "", errMore
	}
	// The server's name: a pointer, the count of characters twice around an offset, and them with a zero.
	count := int(binary.LittleEndian.Uint32(stub[4:]))
	const longest = 64
	if count < 2 || count > longest || int(binary.LittleEndian.Uint32(stub[12:])) != count || !zero(stub[8:12]) {
		return "", errMore
	}
	at := 16 + (2*count+3)&^3
	if len(stub) != at+28 {
		return "", errMore
	}
	name, ok := latin(stub[16 : 16+2*(count-1)])
	if !ok || !serverName.MatchString(name) || !zero(stub[16+2*(count-1):at]) {
		return "", errors.New("NetrShareEnum of another server")
	}
	const level1, everything = "\x01\x00\x00\x00\x01\x00\x00\x00", "\xff\xff\xff\xff"
	if string(stub[at:at+8]) != level1 || !zero(stub[at+12:at+20]) || string(stub[at+20:at+24]) != everything || !zero(stub[at+24:]) {
		return "", errors.New("NetrShareEnum with other arguments")
	}
	return "IOCTL NetrShareEnum", nil
}
