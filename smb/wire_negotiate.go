package smb

import (
	"errors"
	"fmt"
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

// A negotiateReply is a server's answer (MS-SMB2 §2.2.4). Where status isn't success, it holds nothing else.
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

// parseNegotiate parses the reply to a negotiation. It returns nil where the reply is none; where the token or the
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

// encryption says whether the reply offers it: by a cipher at 3.1.1, by the capability at 3.0 and 3.0.2, where the bit
// has a meaning (MS-SMB2 §2.2.4). Older dialects have none. Where contexts are broken, a cipher may be among them.
func (n *negotiateReply) encryption() probe.Fact {
	switch n.dialect {
	case dialect311:
		if n.broken && len(n.contexts.ciphers) == 0 {
			return probe.Unknown
		}
		return probe.FactOf(len(n.contexts.ciphers) > 0)
	case dialect300, dialect302:
		return probe.FactOf(n.capabilities&capEncryption != 0)
	}
	return probe.No
}
