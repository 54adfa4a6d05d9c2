package smb

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/handclasp/handclasp/internal/dtyp"
	"github.com/handclasp/handclasp/probe"
)

// smb1HeaderSize is that of MS-CIFS §2.2.3.1. Behind it come the words, which are counted in pairs of bytes, and the bytes
// (§2.2.3.2, §2.2.3.3).
const smb1HeaderSize = 32

// Commands (MS-CIFS §2.2.2.1).
const (
	command1Close          = 0x04
	command1Transaction    = 0x25
	command1Read           = 0x2e
	command1TreeDisconnect = 0x71
	command1Negotiate      = 0x72
	command1SessionSetup   = 0x73
	command1Logoff         = 0x74
	command1TreeConnect    = 0x75
	command1Create         = 0xa2

	noAndX = 0xff // no command behind
)

// Flags and Flags2 (MS-CIFS §2.2.3.1, MS-SMB §2.2.3.1).
const (
	flag1Caseless  = 0x08
	flag1Canonical = 0x10
	flag1Reply     = 0x80

	flag2LongNames        = 0x0001
	flag2ExtendedSecurity = 0x0800
	flag2Status           = 0x4000 // NT status codes
	flag2Unicode          = 0x8000
)

// Capabilities (MS-CIFS §2.2.4.52.2, MS-SMB §2.2.4.5.2.1).
const (
	cap1Unicode          = 0x00000004
	cap1NTSMBs           = 0x00000010
	cap1Status           = 0x00000040
	cap1ExtendedSecurity = 0x80000000
)

// SecurityMode (MS-CIFS §2.2.4.52.2).
const (
	mode1User      = 0x01
	mode1Challenge = 0x02
	mode1Signing   = 0x04
	mode1Required  = 0x08
)

const dialectNTLM012 = "NT LM 0.12"

// smb1Dialects are those of MS-CIFS §3.2.4.2.2 that differ on the wire, the oldest first.
var smb1Dialects = []string{"PC NETWORK PROGRAM 1.0", "LANMAN1.0", "LM1.2X002", "LANMAN2.1", dialectNTLM012}

// lanmanDialects are those before NT.
var lanmanDialects = smb1Dialects[:len(smb1Dialects)-1]

// clientName is how the session setup names who asks.
const clientName = "handclasp"

// A header1 is what requests of SMB1 differ in (MS-CIFS §2.2.3.1).
type header1 struct {
	command               byte
	flags2                uint16
	tree, user, multiplex uint16
}

// request returns the header and what follows it.
func (h header1) request(body []byte) []byte {
	b := append([]byte(magicSMB1), h.command, 0, 0, 0, 0, flag1Caseless|flag1Canonical)
	b = le.AppendUint16(b, h.flags2)
	b = append(b, make([]byte, 12)...) // no process, no signature
	b = le.AppendUint16(b, h.tree)
	b = append(b, 0, 0)
	b = le.AppendUint16(b, h.user)
	b = le.AppendUint16(b, h.multiplex)
	return append(b, body...)
}

// body1 returns what follows a header: words and bytes.
func body1(words, data []byte) []byte {
	b := append([]byte{byte(len(words) / 2)}, words...)
	return append(le.AppendUint16(b, uint16(len(data))), data...)
}

// text1 appends Unicode text with its NUL to the bytes of a request, which begin at an odd place of the message, so that it
// begins at an even one (MS-CIFS §2.2.1.1.1).
func text1(b []byte, s string) []byte {
	if len(b)%2 == 0 {
		b = append(b, 0)
	}
	return append(b, utf16le(s+"\x00")...)
}

// negotiate1 returns the request that offers dialects of SMB1 (MS-CIFS §2.2.4.52.1). Without extended security a server
// tells its domain in the clear.
func negotiate1(offered []string, extended bool) []byte {
	var list []byte
	for _, d := range offered {
		list = append(append(append(list, 2), d...), 0)
	}
	return header1{command: command1Negotiate, flags2: flags2(extended)}.request(body1(nil, list))
}

func flags2(extended bool) uint16 {
	f := uint16(flag2LongNames | flag2Status | flag2Unicode)
	if extended {
		f |= flag2ExtendedSecurity
	}
	return f
}

// A response1 is a reply of SMB1.
type response1 struct {
	message    []byte // all of it, into which offsets point
	status     uint32
	tree, user uint16
	unicode    bool
	words      []byte
	bytes      []byte
	at         int // where bytes begins in the message
}

func parseResponse1(b []byte, command byte, multiplex uint16) (r response1, err error) {
	if len(b) < smb1HeaderSize+3 {
		return r, errShort
	}
	switch {
	case string(b[:4]) != magicSMB1:
		return r, fmt.Errorf("no SMB1 message: %q", b[:4])
	case b[4] != command:
		return r, fmt.Errorf("reply to command %#02x, not %#02x", b[4], command)
	case b[9]&flag1Reply == 0:
		return r, errors.New("a request, not a reply")
	case le.Uint16(b[30:]) != multiplex:
		return r, fmt.Errorf("reply to message %d, not %d", le.Uint16(b[30:]), multiplex)
	}
	r = response1{message: b, status: le.Uint32(b[5:]), unicode: le.Uint16(b[10:])&flag2Unicode != 0, tree: le.Uint16(b[24:]), user: le.Uint16(b[28:])}
	words := 2 * int(b[smb1HeaderSize])
	r.at = smb1HeaderSize + 1 + words + 2
	if len(b) < r.at {
		return r, errShort
	}
	r.words = b[smb1HeaderSize+1 : r.at-2]
	count := int(le.Uint16(b[r.at-2:]))
	if count > len(b)-r.at {
		return r, errShort
	}
	r.bytes = b[r.at : r.at+count]
	return r, nil
}

// text takes a string that ends with a NUL, or where the bytes end, and what is behind it.
func (r response1) text(b []byte) (s string, rest []byte) {
	if !r.unicode {
		raw, rest, _ := bytes.Cut(b, []byte{0})
		s, _ = probe.UTF8(raw) // in the server's OEM code page, of which ASCII is what can be told
		return s, rest
	}
	for i := 0; i+1 < len(b); i += 2 {
		if b[i] == 0 && b[i+1] == 0 {
			return dtyp.Text(b[:i]), b[i+2:]
		}
	}
	return dtyp.Text(b[:len(b)&^1]), nil
}

// A negotiate1Reply is the answer to an offer of SMB1.
type negotiate1Reply struct {
	status             uint32
	dialect            string // empty if it takes none
	refused            bool   // it says so, which a server that only has no room doesn't
	securityMode       byte
	signing            bool // whether the dialect has a place to say so
	capabilities       uint32
	sessionKey         uint32
	systemTime         *time.Time
	token              []byte
	domain, serverName string
}

// none is the index of a dialect that isn't there (MS-CIFS §2.2.4.52.2).
const none = 0xffff

// How many words replies have: of the core protocol, LAN Manager and NT (MS-CIFS §2.2.4.52.2; MS-SMB §2.2.4.5.2).
const (
	wordsCore   = 1
	wordsLANMAN = 13
	wordsNT     = 17
)

// parseNegotiate1 parses the reply to an offer. A reply that takes none of the dialects is no error.
func parseNegotiate1(b []byte, offered []string) (*negotiate1Reply, error) {
	r, err := parseResponse1(b, command1Negotiate, 0)
	if err != nil {
		return nil, err
	}
	n := &negotiate1Reply{status: r.status}
	if len(r.words) < 2 {
		if r.status == statusSuccess {
			return nil, errors.New("a reply without a dialect")
		}
		n.refused = r.status == statusNotSupported
		return n, nil
	}
	index := int(le.Uint16(r.words))
	switch {
	case index == none:
		n.refused = true
		return n, nil
	case r.status != statusSuccess:
		return n, nil
	case index >= len(offered):
		return nil, fmt.Errorf("chose dialect %d of %d", index, len(offered))
	}
	dialect := offered[index]
	switch words := len(r.words) / 2; {
	case dialect == dialectNTLM012 && words == wordsNT:
		n.nt(r)
	case dialect != dialectNTLM012 && words == wordsLANMAN:
		n.securityMode = r.words[2]
	case dialect == smb1Dialects[0] && words == wordsCore: // share passwords, in the clear
	default:
		return nil, fmt.Errorf("reply of %d words to %s", words, dialect)
	}
	n.dialect = dialect
	return n, nil
}

// nt reads a reply of NT LM 0.12 (MS-CIFS §2.2.4.52.2, MS-SMB §2.2.4.5.2.1).
func (n *negotiate1Reply) nt(r response1) {
	n.securityMode, n.signing = r.words[2], true
	n.sessionKey, n.capabilities = le.Uint32(r.words[15:]), le.Uint32(r.words[19:])
	n.systemTime = dtyp.FileTime(r.words[23:31])
	if n.capabilities&cap1ExtendedSecurity != 0 {
		if len(r.bytes) > guidSize {
			n.token = r.bytes[guidSize:]
		}
		return
	}
	rest := r.bytes[min(int(r.words[33]), len(r.bytes)):]
	if n.capabilities&cap1Unicode != 0 && len(rest) > 1 && rest[1] == 0 {
		r.unicode = true // some servers write so without the flag
	}
	n.domain, rest = r.text(rest)
	n.serverName, _ = r.text(rest)
}

// sessionSetup1 returns a request for a session (MS-SMB §2.2.4.6.1) with a token of SPNEGO or NTLM.
func sessionSetup1(sessionKey uint32, token []byte) []byte {
	words := le.AppendUint16(setupWords(sessionKey), uint16(len(token)))
	words = le.AppendUint32(append(words, 0, 0, 0, 0), cap1Unicode|cap1NTSMBs|cap1Status|cap1ExtendedSecurity)
	return body1(words, text1(text1(bytes.Clone(token), ""), clientName))
}

// anonymousSetup1 returns a request for a session without extended security (MS-CIFS §2.2.4.53.1) and without a user: there
// is one byte for a password, no account and no domain.
func anonymousSetup1(sessionKey uint32) []byte {
	words := append(setupWords(sessionKey), 1, 0, 0, 0)
	words = le.AppendUint32(append(words, 0, 0, 0, 0), cap1Unicode|cap1NTSMBs|cap1Status)
	return body1(words, text1(append([]byte{0}, make([]byte, 6)...), clientName))
}

// setupWords is what both requests begin with. VcNumber isn't zero, which would have a server end the other sessions of this
// client (MS-CIFS §2.2.4.53.1).
func setupWords(sessionKey uint32) []byte {
	b := []byte{noAndX, 0, 0, 0}
	b = le.AppendUint16(b, 0xffff) // MaxBufferSize
	b = le.AppendUint16(b, 1)      // MaxMpxCount
	b = le.AppendUint16(b, 1)      // VcNumber
	return le.AppendUint32(b, sessionKey)
}

// parseSessionSetup1 parses the reply to the first request for a session. It returns nil if the reply is none; if the token
// is out of bounds, the status is returned beside the error.
func parseSessionSetup1(b []byte) (*setupReply, error) {
	r, err := parseResponse1(b, command1SessionSetup, 1)
	if err != nil {
		return nil, err
	}
	return r.setup()
}

// setup reads the reply to any request for a session (MS-SMB §2.2.4.6.2, MS-CIFS §2.2.4.53.2).
func (r response1) setup() (*setupReply, error) {
	s := &setupReply{status: r.status}
	size := 0
	switch len(r.words) {
	case 0: // an error
		return s, nil
	case 6:
	case 8:
		size = int(le.Uint16(r.words[6:]))
	default:
		return nil, fmt.Errorf("session setup reply of %d words", len(r.words)/2)
	}
	if size > len(r.bytes) {
		return s, errors.New("the token points outside of the message")
	}
	s.flags, s.token = le.Uint16(r.words[4:]), r.bytes[:size]
	rest := r.bytes[size:]
	if r.unicode {
		rest = rest[padding(rest, (r.at+size)%2 != 0):]
	}
	s.nativeOS, rest = r.text(rest)
	s.nativeLM, rest = r.text(rest)
	s.domain, _ = r.text(rest) // with extended security, too, some servers tell it
	return s, nil
}

// padding returns how many bytes stand before Unicode text that begins at an odd place, or at an even one: one or none. Some
// servers (impacket's) have it the other way round, which shows in where the zeros of ASCII are.
func padding(b []byte, odd bool) int {
	ascii := func(b []byte) bool { return len(b) > 3 && b[0] != 0 && b[1] == 0 && b[2] != 0 && b[3] == 0 }
	switch {
	case len(b) == 0, ascii(b):
		return 0
	case odd, b[0] == 0 && ascii(b[1:]):
		return 1
	}
	return 0
}
