package smb

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handclasp/handclasp/internal/dtyp"
	"github.com/handclasp/handclasp/probe"
)

// Dialects (MS-SMB2 §2.2.3).
const (
	dialect202 = 0x0202
	dialect210 = 0x0210
	dialect300 = 0x0300
	dialect302 = 0x0302
	dialect311 = 0x0311
)

// dialects are all there are, the oldest first.
var dialects = []uint16{dialect202, dialect210, dialect300, dialect302, dialect311}

var dialectNames = map[uint16]string{
	dialect202: "2.0.2", dialect210: "2.1", dialect300: "3.0", dialect302: "3.0.2", dialect311: "3.1.1",
}

func dialectByName(name string) (uint16, bool) {
	for _, d := range dialects {
		if dialectNames[d] == name {
			return d, true
		}
	}
	return 0, false
}

// SecurityMode (MS-SMB2 §2.2.3, §2.2.4).
const (
	modeSigningEnabled  = 0x0001
	modeSigningRequired = 0x0002
)

// Capabilities (MS-SMB2 §2.2.3, §2.2.4).
const (
	capEncryption = 0x00000040
	// capAll is what a client of SMB 3 claims so as to be told of it: a server names only what its client has too
	// (MS-SMB2 §3.3.5.4).
	capAll = 0x0000007f
)

var capabilityNames = []string{
	"DFS", "LEASING", "LARGE_MTU", "MULTI_CHANNEL", "PERSISTENT_HANDLES", "DIRECTORY_LEASING", "ENCRYPTION", "NOTIFICATIONS",
}

// capabilityList names the bits that are set.
func capabilityList(bits uint32) []string {
	list := []string{}
	for i := range 32 {
		switch {
		case bits&(1<<i) == 0:
		case i < len(capabilityNames):
			list = append(list, capabilityNames[i])
		default:
			list = append(list, fmt.Sprintf("%#08x", uint32(1)<<i))
		}
	}
	return list
}

// randomSize is how many random bytes a negotiation takes: a ClientGuid of its own for each connection, since Samba
// hands a second connection with the same one to the first one's process; and the salt of the pre-authentication hash.
const (
	guidSize   = 16
	saltSize   = 32 // as other clients send
	randomSize = guidSize + saltSize
)

// negotiate returns a request (MS-SMB2 §2.2.3) that offers some dialects, the oldest first.
func negotiate(offered []uint16, algorithms offer, random [randomSize]byte) []byte {
	newest := offered[len(offered)-1]
	b := le.AppendUint16(nil, negotiateSize)
	b = le.AppendUint16(b, uint16(len(offered)))
	b = le.AppendUint16(b, modeSigningEnabled)
	b = append(b, 0, 0)
	if newest >= dialect300 {
		b = le.AppendUint32(b, capAll)
	} else {
		b = le.AppendUint32(b, 0)
	}
	b = append(b, random[:guidSize]...)
	at := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // where the contexts are; without any, a time that is zero
	for _, d := range offered {
		b = le.AppendUint16(b, d)
	}
	if newest < dialect311 {
		return b
	}
	b = align(b)
	le.PutUint32(b[at:], uint32(headerSize+len(b)))
	var count uint16
	b, count = appendContexts(b, algorithms, random[guidSize:])
	le.PutUint16(b[at+4:], count)
	return b
}

// align pads a request to where a context may begin. The header in front of it has a multiple of that length.
func align(b []byte) []byte {
	return append(b, make([]byte, -len(b)&(contextAlignment-1))...)
}

// A negotiateReply is a server's answer (MS-SMB2 §2.2.4). If status isn't success, it holds nothing else.
type negotiateReply struct {
	status                         uint32
	securityMode, dialect          uint16
	guid                           [16]byte
	capabilities                   uint32
	maxTransact, maxRead, maxWrite uint32
	systemTime, bootTime           *time.Time
	token                          []byte
	contexts                       contexts
	broken                         bool // not all contexts could be read
}

// parseNegotiate parses the reply to a negotiation. It returns nil if the reply is none; if the token or the
// contexts are broken, the rest is returned beside the error.
func parseNegotiate(b []byte) (*negotiateReply, error) {
	r, err := parseResponse(b, commandNegotiate, 0)
	if err != nil {
		return nil, err
	}
	n := &negotiateReply{status: r.status}
	if n.status != statusSuccess {
		if err := r.structure(errorSize); err != nil {
			return nil, err
		}
		return n, nil
	}
	if err := r.structure(negotiateReplySize); err != nil {
		return nil, err
	}
	n.securityMode, n.dialect = le.Uint16(r.body[2:]), le.Uint16(r.body[4:])
	n.guid = [16]byte(r.body[8:])
	n.capabilities = le.Uint32(r.body[24:])
	n.maxTransact, n.maxRead, n.maxWrite = le.Uint32(r.body[28:]), le.Uint32(r.body[32:]), le.Uint32(r.body[36:])
	n.systemTime, n.bootTime = dtyp.FileTime(r.body[40:48]), dtyp.FileTime(r.body[48:56])
	token, err := within(b, int(le.Uint16(r.body[56:])), int(le.Uint16(r.body[58:])))
	if err != nil {
		err = fmt.Errorf("the token %w", err)
	}
	n.token = token
	if n.dialect == dialect311 {
		var contextErr error
		n.contexts, contextErr = parseContexts(b, le.Uint32(r.body[60:]), int(le.Uint16(r.body[6:])))
		n.broken = contextErr != nil
		err = errors.Join(err, contextErr)
	}
	return n, err
}

// encryption says whether the reply offers it: by a cipher at 3.1.1, by the capability at 3.0 and 3.0.2, when the bit
// has a meaning (MS-SMB2 §2.2.4). Older dialects have none. If contexts are broken, a cipher may be among them.
func (n *negotiateReply) encryption() probe.Fact {
	switch n.dialect {
	case dialect311:
		if n.broken && len(n.contexts.ciphers) == 0 {
			return probe.Unknown
		}
		return probe.FactOf(len(n.contexts.ciphers) > 0)
	case dialect300, dialect302:
		return probe.FactOf(n.capabilities&capEncryption != 0)
	case dialect202, dialect210:
		return probe.No
	}
	return probe.Unknown
}

// Context types (MS-SMB2 §2.2.3.1).
const (
	contextPreauth     = 0x0001
	contextEncryption  = 0x0002
	contextCompression = 0x0003
	contextSigning     = 0x0008
)

const contextHeaderSize = 8

// Algorithms (MS-SMB2 §2.2.3.1.1, .2, .3, .7).
const (
	hashSHA512 = 0x0001

	cipherAES128CCM = 0x0001
	cipherAES128GCM = 0x0002
	cipherAES256CCM = 0x0003
	cipherAES256GCM = 0x0004

	compressionLZNT1       = 0x0001
	compressionLZ77        = 0x0002
	compressionLZ77Huffman = 0x0003
	compressionPattern     = 0x0004
	compressionLZ4         = 0x0005
	compressionChained     = 0x00000001 // a flag

	signingHMAC = 0x0000
	signingCMAC = 0x0001
	signingGMAC = 0x0002
)

var (
	hashNames   = map[uint16]string{hashSHA512: "SHA-512"}
	cipherNames = map[uint16]string{
		cipherAES128CCM: "AES-128-CCM", cipherAES128GCM: "AES-128-GCM", cipherAES256CCM: "AES-256-CCM", cipherAES256GCM: "AES-256-GCM",
	}
	compressionNames = map[uint16]string{
		compressionLZNT1: "LZNT1", compressionLZ77: "LZ77", compressionLZ77Huffman: "LZ77+Huffman",
		compressionPattern: "Pattern_V1", compressionLZ4: "LZ4",
	}
	signingNames = map[uint16]string{signingHMAC: "HMAC-SHA256", signingCMAC: "AES-CMAC", signingGMAC: "AES-GMAC"}
)

// names looks ids up; one without a name is written as a number.
func names(ids []uint16, known map[uint16]string) []string {
	list := []string{}
	for _, id := range ids {
		list = append(list, nameOf(id, known))
	}
	return list
}

func nameOf(id uint16, known map[uint16]string) string {
	if name, ok := known[id]; ok {
		return name
	}
	return fmt.Sprintf("%#04x", id)
}

// An offer is the algorithms that are offered, the favourite first. What has none is left out.
type offer struct{ ciphers, compression, signing []uint16 }

// everything is offered in the order of the clients that most servers know.
var everything = offer{
	ciphers:     []uint16{cipherAES128GCM, cipherAES128CCM, cipherAES256GCM, cipherAES256CCM},
	compression: []uint16{compressionPattern, compressionLZ77, compressionLZ77Huffman, compressionLZNT1, compressionLZ4},
	signing:     []uint16{signingGMAC, signingCMAC, signingHMAC},
}

// appendContexts appends what a client of 3.1.1 must say of its hash (MS-SMB2 §2.2.3.1.1), and what it may say of its
// ciphers, compression and signing, to a request. It returns how many contexts there are.
func appendContexts(b []byte, algorithms offer, salt []byte) ([]byte, uint16) {
	var count uint16
	add := func(kind uint16, data []byte) {
		b = align(b)
		b = le.AppendUint16(b, kind)
		b = le.AppendUint16(b, uint16(len(data)))
		b = append(b, 0, 0, 0, 0)
		b = append(b, data...)
		count++
	}
	preauth := le.AppendUint16(nil, 1)
	preauth = le.AppendUint16(preauth, uint16(len(salt)))
	add(contextPreauth, append(le.AppendUint16(preauth, hashSHA512), salt...))
	if len(algorithms.ciphers) > 0 {
		add(contextEncryption, counted(algorithms.ciphers))
	}
	if len(algorithms.compression) > 0 {
		compression := le.AppendUint16(nil, uint16(len(algorithms.compression)))
		compression = append(compression, 0, 0)
		add(contextCompression, appendIDs(le.AppendUint32(compression, compressionChained), algorithms.compression))
	}
	if len(algorithms.signing) > 0 {
		add(contextSigning, counted(algorithms.signing))
	}
	return b, count
}

func counted(ids []uint16) []byte {
	return appendIDs(le.AppendUint16(nil, uint16(len(ids))), ids)
}

func appendIDs(b []byte, ids []uint16) []byte {
	for _, id := range ids {
		b = le.AppendUint16(b, id)
	}
	return b
}

// contexts are what a server chose (MS-SMB2 §2.2.4.1). A cipher or an algorithm of zero, if it means none, is left
// out.
type contexts struct {
	hashes, ciphers, compression, signing []uint16
	chained                               bool
}

const (
	// maxContexts is more than there are types.
	maxContexts = 16
	// maxAlgorithms is more than there are of a kind.
	maxAlgorithms = 16
)

// parseContexts parses the contexts of a message, which begin at an offset. Those that are whole are returned beside an
// error. A type that isn't known is skipped; of two of the same type the first counts.
func parseContexts(b []byte, offset uint32, count int) (c contexts, err error) {
	switch {
	case count == 0:
		return c, nil
	case count > maxContexts:
		return c, fmt.Errorf("%d contexts", count)
	case offset < headerSize || uint64(offset) > uint64(len(b)):
		return c, errors.New("the contexts point outside of the message")
	}
	seen := map[uint16]bool{}
	for at := int(offset); count > 0; count-- {
		if len(b)-at < contextHeaderSize {
			return c, errors.Join(err, errors.New("a context is missing"))
		}
		kind, size := le.Uint16(b[at:]), int(le.Uint16(b[at+2:]))
		data, sizeErr := within(b, at+contextHeaderSize, size)
		if sizeErr != nil {
			return c, errors.Join(err, fmt.Errorf("context %#04x %w", kind, sizeErr))
		}
		if !seen[kind] {
			seen[kind] = true
			if contextErr := c.take(kind, data); contextErr != nil {
				err = errors.Join(err, fmt.Errorf("context %#04x: %w", kind, contextErr))
			}
		}
		at += (contextHeaderSize + size + contextAlignment - 1) / contextAlignment * contextAlignment
		at = min(at, len(b)) // the last one isn't padded
	}
	return c, err
}

// take reads the data of one context.
func (c *contexts) take(kind uint16, data []byte) (err error) {
	none := func(id uint16) bool { return id == 0 }
	switch kind {
	case contextPreauth:
		c.hashes, err = parseIDs(data, 4) // the salt's length lies between
	case contextEncryption:
		c.ciphers, err = parseIDs(data, 2)
		c.ciphers = slices.DeleteFunc(c.ciphers, none)
	case contextCompression:
		if len(data) < 8 {
			return errShort
		}
		c.chained = le.Uint32(data[4:])&compressionChained != 0
		c.compression, err = parseIDs(data, 8)
		c.compression = slices.DeleteFunc(c.compression, none)
	case contextSigning:
		c.signing, err = parseIDs(data, 2)
	}
	return err
}

// parseIDs reads as many numbers as the first two bytes say, from position at on.
func parseIDs(b []byte, at int) ([]uint16, error) {
	if len(b) < at {
		return nil, errShort
	}
	count := int(le.Uint16(b))
	if count > maxAlgorithms {
		return nil, fmt.Errorf("%d algorithms", count)
	}
	if len(b)-at < 2*count {
		return nil, errShort
	}
	ids := make([]uint16, count)
	for i := range ids {
		ids[i] = le.Uint16(b[at+2*i:])
	}
	return ids, nil
}
