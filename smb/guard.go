package smb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/internal/ntlmssp"
	"github.com/handclasp/handclasp/probe"
)

// A step is a kind of message that may be sent.
type step int

const (
	stepStart step = iota
	stepNames      // over UDP
	stepRequest
	stepNegotiate
	stepSetup
	stepLogin // from here on at [probe.LevelAnonymous] only
	stepTree
	stepCreate
	stepBind
	stepCall
	stepRead
	stepRAP // if any of these was refused
	stepClose
	stepDisconnect
	stepLogoff
)

// behind tells of each step behind which others it may come on a connection. A server may end a null session at any step,
// and give one without the login.
var behind = map[step][]step{
	stepNames:      {stepStart, stepNames},
	stepRequest:    {stepStart},
	stepNegotiate:  {stepStart, stepRequest},
	stepSetup:      {stepNegotiate},
	stepLogin:      {stepNegotiate, stepSetup},
	stepTree:       {stepSetup, stepLogin},
	stepCreate:     {stepTree},
	stepBind:       {stepCreate},
	stepCall:       {stepBind, stepRead},
	stepRead:       {stepBind, stepCall, stepRead},
	stepRAP:        {stepCreate, stepBind, stepCall, stepRead},
	stepClose:      {stepCreate, stepBind, stepCall, stepRead, stepRAP},
	stepDisconnect: {stepTree, stepCreate, stepRAP, stepClose},
	stepLogoff:     {stepSetup, stepLogin, stepTree, stepDisconnect},
}

// newGuard makes the allow-list of one connection. It knows what was sent on it, and by which version.
func (Prober) newGuard(probe.Contact) probe.Guard {
	last, number, version := stepStart, uint64(0), byte(0)
	return func(l probe.Level, plain []byte) (string, error) {
		s, label, err := guard(l, plain, number)
		switch {
		case err != nil:
			return "", err
		case s >= stepLogin && l < probe.LevelAnonymous:
			return "", fmt.Errorf("%s at level %v", label, l)
		case !slices.Contains(behind[s], last) || number > 0 && plain[4] != version:
			return "", fmt.Errorf("%s out of turn", label)
		}
		last = s
		if s >= stepNegotiate {
			number, version = number+1, plain[4]
		}
		return label, nil
	}
}

// guard names one message of the ones that doc.go lists, or refuses it. It decodes them by positions of its own. A request of
// SMB has the number.
func guard(l probe.Level, plain []byte, number uint64) (s step, label string, err error) {
	switch {
	case l < probe.LevelHandshake:
		return 0, "", fmt.Errorf("nothing is sent at level %v", l)
	case len(plain) < 5:
		return 0, "", errors.New("too short for a message")
	case plain[0] == 0x81:
		label, err = guardRequest(plain)
		return stepRequest, label, err
	case len(plain) == 50 && plain[2] == 0 && plain[3] == 0:
		label, err = guardStatusQuery(plain)
		return stepNames, label, err
	case plain[0] != 0 || int(plain[1])<<16|int(plain[2])<<8|int(plain[3]) != len(plain)-4:
		return 0, "", errors.New("not exactly one message")
	}
	m := plain[4:]
	switch {
	case bytes.HasPrefix(m, []byte{0xff, 'S', 'M', 'B'}):
		return guardSMB1(m, number)
	case len(m) >= 64+4 && bytes.HasPrefix(m, []byte{0xfe, 'S', 'M', 'B'}):
		return guardSMB2(m, number)
	}
	return 0, "", errors.New("neither SMB1 nor SMB 2")
}

// guardSMB2 checks the header (MS-SMB2 §2.2.1.2): a request that asks for one credit and takes one at most, neither compound
// nor signed nor encrypted. It has a session and a tree only behind the first session setup.
func guardSMB2(m []byte, number uint64) (s step, label string, err error) {
	var (
		command, body  = binary.LittleEndian.Uint16(m[12:]), m[64:]
		charge, credit = binary.LittleEndian.Uint16(m[6:]), binary.LittleEndian.Uint16(m[14:])
	)
	switch {
	case binary.LittleEndian.Uint16(m[4:]) != 64 || !zero(m[8:12]) || charge > 1 || credit != 1:
		return 0, "", errors.New("a header with a status, or of more than one credit")
	case !zero(m[16:24]) || !zero(m[32:36]) || !zero(m[48:64]):
		return 0, "", errors.New("a header with flags, a next command or a signature")
	case binary.LittleEndian.Uint64(m[24:]) != number:
		return 0, "", errors.New("a header with another number")
	case number < 2 && !zero(m[36:48]):
		return 0, "", errors.New("a header with a session or a tree before there is one")
	}
	switch {
	case command == 0:
		label, err = guardNegotiate(m)
		return stepNegotiate, label, err
	case command == 1 && number < 2:
		label, err = guardSetup(body)
		return stepSetup, label, err
	}
	return guardSession(command, body)
}

// guardNegotiate allows an offer of dialects of SMB 2 and 3 with the contexts of 3.1.1.
func guardNegotiate(m []byte) (string, error) {
	if len(m) < 64+36+2 || m[64] != 36 || m[65] != 0 {
		return "", errors.New("no negotiate request")
	}
	count := int(binary.LittleEndian.Uint16(m[66:]))
	end := 64 + 36 + 2*count
	if count < 1 || count > 5 || len(m) < end || m[68] != 1 || m[69]|m[70]|m[71] != 0 {
		return "", errors.New("negotiate request out of shape")
	}
	label, last := "NEGOTIATE", uint16(0)
	for at := 100; at < end; at += 2 {
		d := binary.LittleEndian.Uint16(m[at:])
		name, ok := map[uint16]string{0x202: "2.0.2", 0x210: "2.1", 0x300: "3.0", 0x302: "3.0.2", 0x311: "3.1.1"}[d]
		if !ok || d <= last {
			return "", fmt.Errorf("dialect %#04x", d)
		}
		label, last = label+" "+name, d
	}
	if caps := binary.LittleEndian.Uint32(m[72:]); caps != 0 && (caps != 0x7f || last < 0x300) {
		return "", fmt.Errorf("capabilities %#x", caps) // all of them, or none
	}
	if last != 0x311 {
		if len(m) != end || binary.LittleEndian.Uint64(m[92:]) != 0 {
			return "", errors.New("something behind the dialects")
		}
		return label, nil
	}
	contexts := int(binary.LittleEndian.Uint16(m[96:]))
	if m[98]|m[99] != 0 {
		return "", errors.New("negotiate request out of shape")
	}
	if err := guardContexts(m, int(binary.LittleEndian.Uint32(m[92:])), contexts, end); err != nil {
		return "", err
	}
	return label, nil
}

// guardContexts walks the contexts, each kind once, which end with the message and have nothing between them.
func guardContexts(m []byte, at, count, end int) error {
	if at != (end+7)/8*8 || at > len(m) || !zero(m[end:at]) || count < 1 || count > 4 {
		return errors.New("contexts at another place")
	}
	for last := uint16(0); count > 0; count-- {
		if at > len(m)-8 {
			return errors.New("a context is missing")
		}
		kind, data := binary.LittleEndian.Uint16(m[at:]), at+8
		next := data + int(binary.LittleEndian.Uint16(m[at+2:]))
		if next > len(m) || !zero(m[at+4:data]) || kind <= last {
			return errors.New("a context out of shape, or twice")
		}
		if err := guardContext(kind, m[data:next]); err != nil {
			return err
		}
		at, last = next, kind
		if count > 1 {
			at = min((next+7)/8*8, len(m))
		}
		if !zero(m[next:at]) {
			return errors.New("something between the contexts")
		}
	}
	if at != len(m) {
		return errors.New("something behind the contexts")
	}
	return nil
}

// guardContext allows SHA-512 with 32 random bytes, and lists of algorithms that exist, each once (MS-SMB2 §2.2.3.1).
func guardContext(kind uint16, data []byte) error {
	ok := false
	switch kind {
	case 1:
		ok = len(data) == 38 && string(data[:6]) == "\x01\x00\x20\x00\x01\x00"
	case 2:
		ok = guardIDs(data, 2, 1, 4)
	case 3: // chained
		ok = len(data) > 8 && string(data[2:8]) == "\x00\x00\x01\x00\x00\x00" && guardIDs(data, 8, 1, 5)
	case 8:
		ok = guardIDs(data, 2, 0, 2)
	}
	if !ok {
		return fmt.Errorf("context %#04x with something else than it is for", kind)
	}
	return nil
}

// guardIDs allows numbers from least to most, as many as the first two bytes say, to the end.
func guardIDs(data []byte, at int, least, most uint16) bool {
	if len(data) < at+2 || int(binary.LittleEndian.Uint16(data)) != (len(data)-at)/2 || len(data)%2 != 0 {
		return false
	}
	seen := map[uint16]bool{}
	for ; at < len(data); at += 2 {
		id := binary.LittleEndian.Uint16(data[at:])
		if id < least || id > most || seen[id] {
			return false
		}
		seen[id] = true
	}
	return true
}

// guardSetup allows the session setup that asks for an NTLM challenge.
func guardSetup(body []byte) (string, error) {
	token, err := guardToken(body)
	if err == nil && !asksForChallenge(token) {
		err = errors.New("a token that does more than ask for a challenge")
	}
	return "SESSION_SETUP NTLM", err
}

// guardToken returns the token of a session setup, which has no binding to another session, and ends none before (MS-SMB2
// §2.2.5).
func guardToken(body []byte) ([]byte, error) {
	if len(body) < 24 {
		return nil, errors.New("no session setup")
	}
	head := bytes.Clone(body[:24])
	size := int(binary.LittleEndian.Uint16(head[14:]))
	head[14], head[15] = 0, 0
	want := append([]byte{25, 0, 0, 1}, make([]byte, 20)...)
	want[12] = 88
	if !bytes.Equal(head, want) || size != len(body)-24 {
		return nil, errors.New("session setup out of shape")
	}
	return body[24:], nil
}

// negTokenInit without its last 40 bytes: SPNEGO, NTLM as the only mechanism, and an octet string of that size.
const spnegoNTLM = "\x60\x48\x06\x06\x2b\x06\x01\x05\x05\x02\xa0\x3e\x30\x3c\xa0\x0e\x30\x0c\x06\x0a" +
	"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a\xa2\x2a\x04\x28"

// asksForChallenge reports whether a token is NTLM's first message, by itself or within SPNEGO.
func asksForChallenge(token []byte) bool {
	message, _ := bytes.CutPrefix(token, []byte(spnegoNTLM))
	return ntlmssp.IsNegotiate(message)
}

// guardRequest allows a session request to a file server's name.
func guardRequest(b []byte) (string, error) {
	if len(b) != 4+34+34 || string(b[1:4]) != "\x00\x00\x44" {
		return "", errors.New("session request out of shape")
	}
	called, okCalled := secondLevel(b[4:38])
	calling, okCalling := secondLevel(b[38:])
	if !okCalled || !okCalling || called[15] != 0x20 || calling != "HANDCLASP      \x00" {
		return "", errors.New("session request with other names")
	}
	return "SESSION REQUEST " + strings.TrimRight(called[:15], " "), nil
}

// secondLevel decodes a name without a scope.
func secondLevel(b []byte) (name string, ok bool) {
	if b[0] != 32 || b[33] != 0 {
		return "", false
	}
	for i := 1; i < 33; i += 2 {
		if b[i] < 'A' || b[i] > 'P' || b[i+1] < 'A' || b[i+1] > 'P' {
			return "", false
		}
		name += string([]byte{(b[i]-'A')<<4 | (b[i+1] - 'A')})
	}
	return name, true
}

// guardStatusQuery allows the question for a node's names, whatever its transaction id is.
func guardStatusQuery(b []byte) (string, error) {
	const rest = "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00" + "\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00" + "\x00\x21\x00\x01"
	if string(b[2:]) != rest {
		return "", errors.New("no question for the names of a node")
	}
	return "NBSTAT", nil
}
