package smb

import (
	"errors"
	"fmt"
)

// negotiated checks a NEGOTIATE response (MS-SMB2 §2.2.4, §2.2.4.1).
func (g *gate) negotiated(m []byte) error {
	if err := structure(m, 65, 64); err != nil {
		return err
	}
	body := m[headerSize:]
	if uint16(u16(body, 4)) != g.dialect {
		return fmt.Errorf("dialect %#04x, which wasn't offered", u16(body, 4))
	}
	if u32(body, 28) < minTransact || u32(body, 32) < minTransact {
		return errors.New("a server that takes next to nothing at once")
	}
	if err := span(m, uint64(u16(body, 56)), uint64(u16(body, 58)), 64); err != nil {
		return err
	}
	g.seen.NegotiateStatus = statusName(statusSuccess)
	if g.dialect != dialect311 {
		return nil
	}
	contexts, offset := u16(body, 6), uint64(u32(body, 60))
	if contexts > maxContexts || offset%8 != 0 || offset < headerSize+64 || offset > uint64(len(m)) {
		return errors.New("broken negotiate contexts")
	}
	list := m[offset:]
	for range contexts {
		const head = 8
		if len(list) < head || len(list)-head < u16(list, 2) {
			return errors.New("a broken negotiate context")
		}
		size := u16(list, 2)
		if err := negotiateContext(u16(list, 0), list[head:head+size]); err != nil {
			return err
		}
		list = list[min(len(list), head+(size+7)&^7):]
	}
	return nil
}

// negotiateContext checks those contexts that the library reads.
func negotiateContext(kind int, data []byte) error {
	switch kind {
	case 1: // preauthentication integrity: a hash and a salt
		if len(data) < 6 || u16(data, 0) != 1 || len(data) < 6+u16(data, 2) {
			return errors.New("a broken preauthentication context")
		}
	case 2: // encryption: a cipher
		if len(data) < 4 || u16(data, 0) != 1 {
			return errors.New("a broken encryption context")
		}
		if u16(data, 2) == 0 {
			// None of the library's is the server's. Nothing is encrypted here, but the library wants one.
			le.PutUint16(data[2:], cipherAES128GCM)
		}
	}
	return nil
}

// sessionSetUp checks a SESSION_SETUP response (§2.2.6) and keeps what it says of the session.
func (g *gate) sessionSetUp(m []byte) error {
	if err := structure(m, 9, 8); err != nil {
		return err
	}
	body := m[headerSize:]
	offset, length := u16(body, 4), u16(body, 6)
	if err := span(m, uint64(offset), uint64(length), 8); err != nil {
		return err
	}
	last := u32(m, 8) == statusSuccess
	if last {
		g.seen.Status = statusName(statusSuccess)
		flags := uint16(u16(body, 2))
		g.seen.Flags = sessionFlags(flags)
		if flags&sessionEncrypt != 0 {
			return errEncrypted
		}
		// Samba has no flag for a session without a user, and the library would sign without a key.
		le.PutUint16(body[2:], flags|sessionNull)
	} else {
		// Flags tell of a session that exists. The library takes those of the first response for final ones.
		body[2], body[3] = 0, 0
	}
	if g.step == 1 && (length == 0 || !isTokenResponse(m[offset:offset+length])) {
		if last {
			return errDone // a session for the asking, which the library doesn't know how to go on with
		}
		return errors.New("a session setup without an NTLM challenge")
	}
	return nil
}

// errDone ends a conversation that the library can't go on with, and that told what it told.
var errDone = errors.New("nothing more to ask")

var ntlmOID = "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"

// isTokenResponse reports whether b is a NegTokenResp (RFC 4178 §4.2.2) that chooses NTLM: the library's reader is for
// BER, of which this is the narrow part that servers send.
func isTokenResponse(b []byte) bool {
	choice, rest, ok := der(b, 0xa1)
	sequence, after, ok2 := der(choice, 0x30)
	if !ok || !ok2 || len(rest) > 0 || len(after) > 0 {
		return false
	}
	mechanism := false
	for i, inner := range []byte{0x0a, 0x06, 0x04, 0x04} { // state, mechanism, token, MIC
		field, rest, ok := der(sequence, 0xa0+byte(i))
		if !ok {
			continue // optional
		}
		value, after, ok := der(field, inner)
		if !ok || len(after) > 0 || i == 0 && (len(value) != 1 || value[0] > 3) || i == 1 && string(value) != ntlmOID {
			return false
		}
		mechanism = mechanism || i == 1
		sequence = rest
	}
	return mechanism && len(sequence) == 0
}

// der splits b into the contents of its first element, which must have the tag, and the rest.
func der(b []byte, tag byte) (content, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	length, head := int(b[1]), 2
	if length >= 0x80 {
		head += length - 0x80
		if head > 2+4 || head == 2 || len(b) < head {
			return nil, nil, false
		}
		length = 0
		for _, digit := range b[2:head] {
			length = length<<8 | int(digit)
		}
	}
	if length < 0 || length > len(b)-head {
		return nil, nil, false
	}
	return b[head : head+length], b[head+length:], true
}

// treeConnected checks a TREE_CONNECT response (§2.2.10).
func (g *gate) treeConnected(m []byte) error {
	if err := structure(m, 16, 16); err != nil {
		return err
	}
	g.seen.TreeStatus = statusName(statusSuccess)
	if u32(m, headerSize+4)&shareEncrypt != 0 {
		return errEncrypted
	}
	return nil
}

// created checks a CREATE response (§2.2.14).
func (g *gate) created(m []byte) error {
	if err := structure(m, 89, 88); err != nil {
		return err
	}
	offset, length := u32(m, headerSize+80), u32(m, headerSize+84)
	if offset%8 != 0 || length == 0 && uint64(offset) > uint64(len(m)) {
		return errors.New("broken create contexts")
	}
	return span(m, uint64(offset), uint64(length), 88)
}

// transceived checks an IOCTL response (§2.2.32) and what came through the pipe.
func (g *gate) transceived(m []byte) error {
	if err := structure(m, 49, 48); err != nil {
		return err
	}
	body := m[headerSize:]
	in, inLength := uint64(u32(body, 24)), uint64(u32(body, 28))
	out, outLength := uint64(u32(body, 32)), uint64(u32(body, 36))
	if inLength == 0 && in > uint64(len(m)) || outLength == 0 || outLength > uint64(g.asked.maximum) {
		return errors.New("an answer of another length")
	}
	if err := span(m, in, inLength, 48); err != nil {
		return err
	}
	if err := span(m, out, outLength, 48); err != nil {
		return err
	}
	return g.pipe.incoming(m[out:out+outLength], g.asked, g.seen)
}

// read checks a READ response (§2.2.20) and what came through the pipe.
func (g *gate) read(m []byte) error {
	if err := structure(m, 17, 16); err != nil {
		return err
	}
	body := m[headerSize:]
	offset, length := uint64(body[2]), uint64(u32(body, 4))
	if length == 0 || length > uint64(g.asked.maximum) {
		return errors.New("an answer of another length")
	}
	if err := span(m, offset, length, 16); err != nil {
		return err
	}
	// More behind it is for the next read; the library takes the status for a failure.
	for i := range 4 {
		m[8+i] = 0
	}
	return g.pipe.incoming(m[offset:offset+length], g.asked, g.seen)
}
