package smb

import (
	"errors"
	"fmt"
)

// A gate stands between a server and go-smb2, which reads in a goroutine of its own: what panics there nobody could
// recover. It lets pass what is a well-formed answer to the request that was sent last and nothing else, and notes what
// the library doesn't tell: the statuses and the session's flags.
//
// It also makes the session the same each time that the server says the same: numbers that the library draws are
// replaced on their way out, and put back on their way in.
type gate struct {
	salt    [saltSize]byte // for the preauthentication of 3.1.1
	dialect uint16
	asked   request
	credits int    // that the server granted and no request took
	session uint64 // 0 before there is one
	step    int    // of the session setup
	async   uint64 // of the interim response to asked
	interim int
	pipe    pipe
	seen    *AnonymousSession
}

// A request is what the gate remembers of one.
type request struct {
	command uint16
	charge  int
	message uint64
	tree    uint32
	maximum int // bytes of data that it asks for
	bind    bool
}

// most returns how many bytes an answer may take.
func (r request) most() int {
	switch r.command {
	case commandNegotiate, commandSessionSetup:
		return maxReply
	}
	return minorReply + r.maximum
}

// Bounds of what a server may say here. Real ones stay far below.
const (
	maxReply    = 32 << 10 // of a negotiation or a session setup: real tokens take less than a kilobyte
	minorReply  = 1 << 10  // of others, beside the data that is asked for
	minTransact = 8 << 10  // go-smb2 asks for 4,280 bytes at once; §3.3.5.4 makes 64 KiB the least
)

// More commands (MS-SMB2 §2.2.1.2).
const (
	commandLogoff         = 0x0002
	commandTreeConnect    = 0x0003
	commandTreeDisconnect = 0x0004
	commandCreate         = 0x0005
	commandClose          = 0x0006
	commandRead           = 0x0008
	commandIoctl          = 0x000b
)

// More flags of the header (§2.2.1.2).
const (
	flagSigned   = 0x00000008
	flagPriority = 0x00000070
)

// Flags of a session (§2.2.6) and of a share (§2.2.10).
const (
	sessionGuest   = 0x0001
	sessionNull    = 0x0002
	sessionEncrypt = 0x0004
	shareEncrypt   = 0x00008000
)

// statusBufferOverflow says that there is more to read (MS-ERREF §2.3.1).
const statusBufferOverflow = 0x80000005

// errEncrypted ends a session that only goes on encrypted: without a user there is no key.
var errEncrypted = errors.New("the server wants encryption, for which a session without a user has no key")

func u16(b []byte, at int) int    { return int(le.Uint16(b[at:])) }
func u32(b []byte, at int) uint32 { return le.Uint32(b[at:]) }
func u64(b []byte, at int) uint64 { return le.Uint64(b[at:]) }

// outgoing notes a request of the library's. Whether it may be sent is for the guard to say.
func (g *gate) outgoing(m []byte) error {
	if len(m) < headerSize+2 {
		return fmt.Errorf("a request of %d bytes", len(m))
	}
	r := request{command: uint16(u16(m, 12)), charge: max(1, u16(m, 6)), message: u64(m, 24), tree: u32(m, 36)}
	if g.credits -= r.charge; g.credits < 0 {
		return errors.New("the server grants no credit to go on")
	}
	body := m[headerSize:]
	switch {
	case r.command == commandNegotiate && u16(body, 0) == 36 && len(body) > 36:
		g.replaceSalt(m)
	case r.command == commandRead && len(body) >= 48:
		r.maximum = int(u32(body, 4))
	case r.command == commandIoctl && len(body) >= 56+16:
		r.maximum = int(u32(body, 44))
		r.bind = g.pipe.outgoing(body[56:])
	}
	g.asked, g.async, g.interim = r, 0, 0
	return nil
}

// replaceSalt puts the session's random bytes into the first negotiate context, which is that of preauthentication
// (§2.2.3.1.1): the hash is only of use to sessions that have a key.
func (g *gate) replaceSalt(m []byte) {
	contexts := int(u32(m, headerSize+28))
	const head, fixed = 8, 6 // of a context; and of this one, with one algorithm
	if u16(m, headerSize+32) == 0 || contexts < headerSize || contexts+head+fixed+saltSize > len(m) {
		return
	}
	if data := m[contexts+head:]; u16(m, contexts) == 1 && u16(data, 0) == 1 && u16(data, 2) == saltSize {
		copy(data[fixed:], g.salt[:])
	}
}

// incoming checks a message of the server's and returns what the library may read, and whether that is no final answer
// yet. It writes into m.
func (g *gate) incoming(m []byte) (pass []byte, interim bool, err error) {
	if err := g.header(m); err != nil {
		return nil, false, err
	}
	status := u32(m, 8)
	if status == statusPending {
		if g.interim++; g.interim > maxInterim || len(m) > minorReply {
			return nil, false, errors.New("the server only promises to answer")
		}
		g.async = u64(m, 32)
		return bare(m), true, nil
	}
	if g.asked.command == commandSessionSetup {
		g.step++
	}
	if status != statusSuccess && !g.mayContinue(status) {
		g.note(status)
		return bare(m), false, nil
	}
	check := checks[g.asked.command]
	if check == nil {
		return nil, false, fmt.Errorf("an answer to command %d", g.asked.command)
	}
	if err := check(g, m); err != nil {
		return nil, false, err
	}
	return m, false, nil
}

// header checks what all responses have in common (§2.2.1).
func (g *gate) header(m []byte) error {
	if len(m) < headerSize+4 || string(m[:4]) != magicSMB2 || u16(m, 4) != headerSize {
		return errors.New("not an SMB2 message")
	}
	flags, status := u32(m, 16), u32(m, 8)
	async := flags&flagAsync != 0
	switch {
	case uint16(u16(m, 12)) != g.asked.command:
		return fmt.Errorf("an answer to command %d, which wasn't asked", u16(m, 12))
	case u64(m, 24) != g.asked.message:
		return fmt.Errorf("an answer to message %d, which wasn't sent", u64(m, 24))
	case flags&flagResponse == 0 || flags&^(flagResponse|flagAsync|flagSigned|flagPriority) != 0:
		return fmt.Errorf("a response with the flags %#x", flags)
	case u32(m, 20) != 0:
		return errors.New("a compound response to a single request")
	case status == statusPending && (!async || g.async != 0 && u64(m, 32) != g.async):
		return errors.New("a promise to answer that can't be told from others")
	case async != (g.async != 0 || status == statusPending), async && g.async != 0 && u64(m, 32) != g.async:
		return errors.New("an asynchronous answer to another request")
	case !async && g.asked.command != commandTreeConnect && u32(m, 36) != g.asked.tree:
		return errors.New("an answer of another tree")
	}
	if session := u64(m, 40); session != g.session {
		if g.asked.command != commandSessionSetup || g.session != 0 {
			return errors.New("an answer of another session")
		}
		g.session = session
	}
	g.credits += u16(m, 14)
	return nil
}

// bare returns an error response without the data that may come with it (§2.2.2): the library would follow a symbolic
// link in it.
func bare(m []byte) []byte {
	m = append(m[:headerSize:headerSize], 9, 0, 0, 0, 0, 0, 0, 0, 0)
	return m
}

// mayContinue reports whether the status is one that says that there is more.
func (g *gate) mayContinue(status uint32) bool {
	switch g.asked.command {
	case commandSessionSetup:
		return status == statusMoreProcessing && g.step == 1
	case commandIoctl, commandRead:
		return status == statusBufferOverflow
	}
	return false
}

// note keeps a status that isn't success.
func (g *gate) note(status uint32) {
	name := statusName(status)
	switch g.asked.command {
	case commandNegotiate:
		g.seen.NegotiateStatus = name
	case commandSessionSetup:
		g.seen.Status = name
	case commandTreeConnect:
		g.seen.TreeStatus = name
	case commandCreate, commandIoctl, commandRead:
		g.seen.ListStatus = name
	}
}

// checks look at the bodies of successful responses.
var checks = map[uint16]func(*gate, []byte) error{
	commandNegotiate:      (*gate).negotiated,
	commandSessionSetup:   (*gate).sessionSetUp,
	commandTreeConnect:    (*gate).treeConnected,
	commandCreate:         (*gate).created,
	commandIoctl:          (*gate).transceived,
	commandRead:           (*gate).read,
	commandClose:          fixed(60),
	commandTreeDisconnect: fixed(4),
	commandLogoff:         fixed(4),
}

// fixed checks a body that is a structure of the size and nothing else.
func fixed(size int) func(*gate, []byte) error {
	return func(_ *gate, m []byte) error { return structure(m, size, size) }
}

// structure checks that a body of at least the length has the structure size.
func structure(m []byte, size, length int) error {
	if len(m) < headerSize+length || u16(m, headerSize) != size {
		return errors.New("a response of another structure")
	}
	return nil
}

// span checks that a part of the message, given by its offset and length, is behind the fixed part and inside.
func span(m []byte, offset, length uint64, fixed int) error {
	if length > 0 && (offset < uint64(headerSize+fixed) || offset+length > uint64(len(m))) {
		return errors.New("a response that points outside itself")
	}
	return nil
}
