package smb

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/handclasp/handclasp/internal/ntlmssp"
)

// The requests of a session, from its setup to its end, without their headers; and what is read of the replies.

// Flags of a session (MS-SMB2 §2.2.6) and of a share (§2.2.10).
const (
	sessionGuest   = 0x0001
	sessionNull    = 0x0002
	sessionEncrypt = 0x0004
	shareEncrypt   = 0x00008000
)

// A pipeID names an open pipe (MS-SMB2 §2.2.14.1).
type pipeID [16]byte

// sessionSetup returns a request for a session (MS-SMB2 §2.2.5): no binding to another one, and none that ends one before.
func sessionSetup(token []byte) []byte {
	b := le.AppendUint16(nil, sessionSetupSize)
	b = append(b, 0, modeSigningEnabled)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // no capabilities, no channel
	b = le.AppendUint16(b, headerSize+sessionSetupSize-1)
	b = le.AppendUint16(b, uint16(len(token)))
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	return append(b, token...)
}

// A setupReply is the answer to a session setup. Over SMB1 it comes with native strings.
type setupReply struct {
	status             uint32
	pending            bool
	flags              uint16
	token              []byte
	nativeOS, nativeLM string
	domain             string
}

// parseSessionSetup parses the reply to the first request for a session. It returns nil if the reply is none; if the
// token is out of bounds, the rest is returned beside the error.
func parseSessionSetup(b []byte) (*setupReply, error) {
	r, err := parseResponse(b, commandSessionSetup, 1)
	if err != nil {
		return nil, err
	}
	return r.setup()
}

// setup reads the reply to any request for a session (MS-SMB2 §2.2.6).
func (r response) setup() (*setupReply, error) {
	s := &setupReply{status: r.status, pending: r.pending}
	if s.pending || s.status != statusSuccess && s.status != statusMoreProcessing {
		if err := r.structure(errorSize); err != nil {
			return nil, err
		}
		return s, nil
	}
	if err := r.structure(sessionSetupReplySize); err != nil {
		return nil, err
	}
	s.flags = le.Uint16(r.body[2:])
	token, err := within(r.message, int(le.Uint16(r.body[4:])), int(le.Uint16(r.body[6:])))
	if err != nil {
		err = fmt.Errorf("the token %w", err)
	}
	s.token = token
	return s, err
}

// treeConnect returns a request for a share (MS-SMB2 §2.2.9), by its path.
func treeConnect(path string) []byte {
	name := utf16le(path)
	b := le.AppendUint16(nil, treeConnectSize)
	b = append(b, 0, 0)
	b = le.AppendUint16(b, headerSize+treeConnectSize-1)
	b = le.AppendUint16(b, uint16(len(name)))
	return append(b, name...)
}

// How a pipe is opened (MS-SMB2 §2.2.13): as it is, for its data, beside others.
const (
	impersonation    = 2
	genericReadWrite = 0xc0000000
	attributeNormal  = 0x00000080
	shareReadWrite   = 0x00000003
	dispositionOpen  = 1 // fail if it doesn't exist
	synchronousAlert = 0x00000020
)

// openPipe returns a request to open a pipe of IPC$.
func openPipe(pipe string) []byte {
	name := utf16le(pipe)
	b := le.AppendUint16(nil, createSize)
	b = append(b, 0, 0) // no oplock
	b = le.AppendUint32(b, impersonation)
	b = append(b, make([]byte, 16)...)
	for _, field := range []uint32{genericReadWrite, attributeNormal, shareReadWrite, dispositionOpen, synchronousAlert} {
		b = le.AppendUint32(b, field)
	}
	b = le.AppendUint16(b, headerSize+createSize-1)
	b = le.AppendUint16(b, uint16(len(name)))
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // no contexts
	return append(b, name...)
}

// pipeOf returns what a reply to openPipe, of the right structure, opened.
func pipeOf(r response) pipeID { return pipeID(r.body[64:]) }

// pipeTransceive is FSCTL_PIPE_TRANSCEIVE, which writes to a pipe and reads from it (MS-FSCC §2.3.51).
const pipeTransceive = 0x0011c017

// transceive returns a request to write to a pipe and to read at most so many bytes (MS-SMB2 §2.2.31).
func transceive(pipe pipeID, data []byte, most int) []byte {
	b := le.AppendUint16(nil, ioctlSize)
	b = le.AppendUint32(append(b, 0, 0), pipeTransceive)
	b = append(b, pipe[:]...)
	for _, field := range []uint32{headerSize + ioctlSize - 1, uint32(len(data)), 0, 0, 0, uint32(most), 1, 0} {
		b = le.AppendUint32(b, field) // where the input is, and no room for it in the reply; no output; an FSCTL
	}
	return append(b, data...)
}

// transceived returns what a reply to transceive, of the right structure, brought (MS-SMB2 §2.2.32).
func transceived(r response, most int) ([]byte, error) {
	return piece(r, le.Uint32(r.body[32:]), le.Uint32(r.body[36:]), most)
}

// readPipe returns a request to read at most so many bytes (MS-SMB2 §2.2.19).
func readPipe(pipe pipeID, most int) []byte {
	b := le.AppendUint16(nil, readSize)
	b = le.AppendUint32(append(b, 0, 0), uint32(most))
	b = append(b, make([]byte, 8)...) // from where it is
	b = append(b, pipe[:]...)
	return append(b, make([]byte, 17)...) // any number of bytes; no channel; the byte that StructureSize counts
}

// dataRead returns what a reply to readPipe, of the right structure, brought (MS-SMB2 §2.2.20).
func dataRead(r response, most int) ([]byte, error) {
	return piece(r, uint32(r.body[2]), le.Uint32(r.body[4:]), most)
}

// piece returns data of a reply, which is neither nothing nor more than was asked for.
func piece(r response, offset, length uint32, most int) ([]byte, error) {
	if length == 0 || uint64(length) > uint64(most) {
		return nil, fmt.Errorf("%d bytes out of a pipe", length)
	}
	return within(r.message, int(offset), int(length))
}

// closePipe returns a request to close a pipe (MS-SMB2 §2.2.15).
func closePipe(pipe pipeID) []byte {
	b := append(le.AppendUint16(nil, closeSize), 0, 0, 0, 0, 0, 0)
	return append(b, pipe[:]...)
}

// empty returns the request to end a session (MS-SMB2 §2.2.7) or a connection to a share (§2.2.11).
func empty() []byte { return append(le.AppendUint16(nil, emptySize), 0, 0) }

var (
	oidSPNEGO = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2}             // RFC 4178 §3
	oidNTLM   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 2, 10} // MS-SPNG §1.9
)

// mechanismNames are those that servers are seen to offer (MS-SPNG §1.9, RFC 4121 §1, MS-NEGOEX).
var mechanismNames = map[string]string{
	"1.3.6.1.4.1.311.2.2.10": "NTLM",
	"1.3.6.1.4.1.311.2.2.30": "NEGOEX",
	"1.2.840.113554.1.2.2":   "KRB5",
	"1.2.840.113554.1.2.2.3": "KRB5-U2U",
	"1.2.840.48018.1.2.2":    "MS-KRB5",
}

const mechanismNTLM = "NTLM"

// maxMechanisms is more than any server offers.
const maxMechanisms = 16

// negTokenInit is the first token of either side (RFC 4178 §4.2.1), as far as a client needs it.
type negTokenInit struct {
	MechTypes []asn1.RawValue `asn1:"explicit,tag:0"`
	MechToken []byte          `asn1:"explicit,tag:2"`
}

type initialToken struct {
	Mechanism asn1.ObjectIdentifier
	Init      negTokenInit `asn1:"explicit,tag:0"`
}

// negTokenResp is every later token (RFC 4178 §4.2.2), as far as a client needs it.
type negTokenResp struct {
	NegState      asn1.Enumerated `asn1:"explicit,tag:0"`
	ResponseToken []byte          `asn1:"explicit,tag:2"`
}

// Tags of what is read of servers' tokens (RFC 4178 §4.2, RFC 2743 §3.1).
const (
	tagInitial  = 0x60
	tagSequence = 0x30
	tagOID      = 0x06
	tagOctets   = 0x04
	tagContext  = 0xa0 // of NegTokenInit and its mechTypes; NegTokenResp and responseToken are the next ones
)

// element takes the first element of b and what is behind it. Lengths are read in any form of BER but the indefinite one, since
// some servers put zeros in front of them (X.690 §8.1.3).
func element(b []byte) (tag byte, content, rest []byte, err error) {
	if len(b) < 2 {
		return 0, nil, nil, errShort
	}
	tag, size, at := b[0], int(b[1]), 2
	if size >= 0x80 {
		at, size = at+size&0x7f, 0
		if at == 2 || at > len(b) {
			return 0, nil, nil, errShort
		}
		for _, digit := range b[2:at] {
			if size = size<<8 | int(digit); size > len(b) {
				return 0, nil, nil, errShort
			}
		}
	}
	if size > len(b)-at {
		return 0, nil, nil, errShort
	}
	return tag, b[at : at+size], b[at+size:], nil
}

// inside returns the content of an element of b, by the tags that lead to it; of others before them it makes nothing.
func inside(b []byte, tags ...byte) ([]byte, error) {
	for _, want := range tags {
		for {
			tag, content, rest, err := element(b)
			if err != nil {
				return nil, fmt.Errorf("no element %#02x: %w", want, err)
			}
			if b = rest; tag == want {
				b = content
				break
			}
		}
	}
	return b, nil
}

// parseMechanisms returns the names of the mechanisms that a server's first token lists. Behind them servers put hints
// (MS-SPNG §2.2.1), which are not read.
func parseMechanisms(token []byte) ([]string, error) {
	list := []string{}
	init, err := inside(token, tagInitial)
	if err != nil {
		return list, fmt.Errorf("the token is no SPNEGO: %w", err)
	}
	if _, oid, _, err := element(init); err != nil || oidOf(oid) != oidSPNEGO.String() {
		return list, fmt.Errorf("the token is of %s, not SPNEGO", oidOf(oid))
	}
	types, err := inside(init, tagContext, tagSequence, tagContext, tagSequence)
	if err != nil {
		return list, fmt.Errorf("the token is no SPNEGO: %w", err)
	}
	for len(types) > 0 {
		if len(list) == maxMechanisms {
			return list, fmt.Errorf("more than %d mechanisms", maxMechanisms)
		}
		tag, content, rest, err := element(types)
		name := oidOf(content)
		if err != nil || tag != tagOID || name == "" {
			return list, errors.New("the token lists what is no mechanism")
		}
		if known, ok := mechanismNames[name]; ok {
			name = known
		}
		list, types = append(list, name), rest
	}
	return list, nil
}

// oidOf writes an object identifier; it is empty for what is none.
func oidOf(content []byte) string {
	var oid asn1.ObjectIdentifier
	if len(content) > 0x7f {
		return ""
	}
	if _, err := asn1.Unmarshal(append([]byte{tagOID, byte(len(content))}, content...), &oid); err != nil {
		return ""
	}
	return oid.String()
}

// ntlmToken wraps an NTLM message into the first token of a client that knows nothing but NTLM.
func ntlmToken(message []byte) []byte {
	mech, err := asn1.Marshal(oidNTLM)
	if err != nil {
		panic(err) // it is a constant
	}
	token, err := asn1.MarshalWithParams(initialToken{
		Mechanism: oidSPNEGO,
		Init:      negTokenInit{MechTypes: []asn1.RawValue{{FullBytes: mech}}, MechToken: message},
	}, "application,tag:0")
	if err != nil {
		panic(err) // nothing in it depends on anybody
	}
	return token
}

// The flags of NTLM's last message (MS-NLMP §2.2.2.5): those of its first that still mean something, and that there is no
// user.
const (
	ntlmUnicode                 = 0x00000001
	ntlmRequestTarget           = 0x00000004
	ntlmNTLM                    = 0x00000200
	ntlmAnonymous               = 0x00000800
	ntlmAlwaysSign              = 0x00008000
	ntlmExtendedSessionSecurity = 0x00080000
)

// anonymousToken answers a challenge, whatever it is, with no name and no response (MS-NLMP §2.2.1.3, §3.2.5.1.2).
func anonymousToken() []byte {
	const fixed = 64 // up to the payload, of a message without version and MIC
	b := []byte("NTLMSSP\x00\x03\x00\x00\x00")
	b = append(b, 1, 0, 1, 0, fixed, 0, 0, 0) // LmChallengeResponse: Z(1), which says that there is none
	for range 5 {                             // NtChallengeResponse, domain, user, workstation, session key
		b = append(b, 0, 0, 0, 0, fixed, 0, 0, 0)
	}
	b = le.AppendUint32(b, ntlmUnicode|ntlmRequestTarget|ntlmNTLM|ntlmAnonymous|ntlmAlwaysSign|ntlmExtendedSessionSecurity)
	token, err := asn1.MarshalWithParams(negTokenResp{NegState: 1, ResponseToken: append(b, 0)}, "explicit,tag:1")
	if err != nil {
		panic(err) // it is a constant
	}
	return token
}

// anyChallenge checks that a token holds a challenge, whatever it tells.
func anyChallenge(token []byte) error {
	message, err := challengeOf(token)
	if err == nil {
		_, err = ntlmssp.Challenge(message)
	}
	return err
}

// challengeOf returns the NTLM message within a server's later token, which some send without SPNEGO.
func challengeOf(token []byte) ([]byte, error) {
	if bytes.HasPrefix(token, []byte("NTLMSSP\x00")) {
		return token, nil
	}
	message, err := inside(token, tagContext+1, tagSequence, tagContext+2, tagOctets)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the token is no SPNEGO: %w", err)
	case len(message) == 0:
		return nil, errors.New("the token holds no challenge")
	}
	return message, nil
}
