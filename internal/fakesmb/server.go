// Package fakesmb is a file server that negotiates and begins logins as real ones do, and lets nobody in: for the lab and
// for tests. It composes and reads messages without the code of package smb.
package fakesmb

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

// A Server says what is negotiated. Its zero value hangs up on everybody.
type Server struct {
	// Dialects are those of SMB 2 and 3 that it speaks, such as 0x0311. If there are none it hangs up, unless Refuses.
	Dialects []uint16
	// Signing is the SecurityMode: 1 enabled, 3 required too.
	Signing uint16
	// Capabilities of SMB 2; ENCRYPTION (0x40) shows at 3.0 and 3.0.2 only.
	Capabilities uint32
	// Ciphers, Compression and SigningAlgorithms are those of 3.1.1, the favourite first. Without any, the context is left
	// out.
	Ciphers, Compression, SigningAlgorithms []uint16
	// Token is what comes with a negotiation: see Mechanisms.
	Token []byte

	// SMB1 are its dialects of SMB1, the favourite last. If there are none it hangs up, unless Refuses.
	SMB1 []string
	// Security is the SecurityMode of SMB1: 1 users, 2 challenges, 4 signing enabled, 8 required.
	Security byte
	// Old has SMB1 without extended security.
	Old bool
	// NativeOS and NativeLM come with a session setup of SMB1.
	NativeOS, NativeLM string

	// Refuses has it say in words that it speaks no dialect, instead of hanging up.
	Refuses bool
	// Names are of the NTLM challenge; Domain is told by SMB1 as well.
	Name, Domain, DNSName, DNSDomain string
	// Version is that of the NTLM challenge: major, minor, build. The zero value is 10.0 build 17763, Windows Server 2019.
	Version [3]uint16
	// Setup is the status of a session setup other than that of a challenge.
	Setup uint32
	// Interim sends so many interim replies before a session setup's.
	Interim int
	// Time and Boot are told if they aren't zero.
	Time, Boot time.Time

	// CalledNames are the NetBIOS names that it takes sessions for; nil carries SMB without NetBIOS.
	CalledNames []string
	// Retarget answers session requests by sending the caller to 192.0.2.9.
	Retarget bool

	// Visit is what a session without a user gets; nil lets nobody in.
	Visit *Visit

	// Mangle, if it isn't nil, changes each message, without its frame, before it is sent; nil hangs up.
	Mangle func(message []byte) []byte
}

var le = binary.LittleEndian

// Handle serves one connection until its end.
func (s Server) Handle(c net.Conn) {
	if s.Visit != nil {
		own := *s.Visit
		s.Visit = &own
	}
	for {
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		var head [4]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		message := make([]byte, int(head[1]&1)<<16|int(head[2])<<8|int(head[3]))
		if _, err := io.ReadFull(c, message); err != nil {
			return
		}
		if head[0] == 0x81 {
			if !s.session(c, message) {
				return
			}
			continue
		}
		for _, reply := range s.replies(message) {
			if s.Mangle != nil && reply != nil {
				reply = s.Mangle(reply)
			}
			if reply == nil {
				return
			}
			if _, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(reply))), reply...)); err != nil {
				return
			}
		}
	}
}

// session answers a session request and reports whether the connection stays.
func (s Server) session(c net.Conn, request []byte) bool {
	if len(request) < 34 {
		return false
	}
	var name []byte
	for i := 1; i < 31; i += 2 {
		name = append(name, (request[i]-'A')<<4|(request[i+1]-'A'))
	}
	reply := []byte{0x83, 0, 0, 1, 0x82}
	switch {
	case s.Retarget:
		reply = []byte{0x84, 0, 0, 6, 192, 0, 2, 9, 0, 139}
	case slices.Contains(s.CalledNames, strings.TrimRight(string(name), " ")):
		reply = []byte{0x82, 0, 0, 0}
	}
	_, err := c.Write(reply)
	return err == nil && reply[0] == 0x82
}

// replies returns the answers to a message; a nil one hangs up.
func (s Server) replies(m []byte) [][]byte {
	hangUp := [][]byte{nil}
	switch {
	case len(m) >= 35 && string(m[:5]) == "\xffSMB\x72":
		return [][]byte{s.negotiate1(m)}
	case len(m) >= 59 && string(m[:5]) == "\xffSMB\x73":
		return [][]byte{s.setup1(m)}
	case s.Visit != nil && len(m) >= 35 && string(m[:4]) == "\xffSMB":
		return [][]byte{s.Visit.Answer1(m)}
	case len(m) < 66 || string(m[:4]) != "\xfeSMB":
		return hangUp
	}
	switch le.Uint16(m[12:]) {
	case 0:
		return [][]byte{s.negotiate(m)}
	case 1:
		if s.Visit != nil && anonymous(m) {
			return s.Visit.Answer(m)
		}
		var list [][]byte
		for range s.Interim {
			interim := header(m, 0x103, errorBody)
			interim[16] |= 2 // asynchronous
			list = append(list, interim)
		}
		return append(list, s.setup(m))
	}
	if s.Visit != nil && le.Uint16(m[12:]) < 12 {
		return s.Visit.Answer(m)
	}
	return hangUp
}

// errorBody follows the header of a reply that says no (MS-SMB2 §2.2.2).
var errorBody = []byte{9, 0, 0, 0, 0, 0, 0, 0, 0}

// header answers a request of SMB 2.
func header(request []byte, status uint32, body []byte) []byte {
	h := slices.Clone(request[:64])
	le.PutUint32(h[8:], status)
	h[14], h[15] = 1, 0 // credits
	le.PutUint32(h[16:], 1)
	return append(h, body...)
}

// negotiate answers an offer of SMB 2 (MS-SMB2 §2.2.4).
func (s Server) negotiate(m []byte) []byte {
	if s.Dialects == nil && !s.Refuses {
		return nil
	}
	var dialect uint16
	for i := range int(le.Uint16(m[66:])) {
		if at := 100 + 2*i; at+2 <= len(m) && slices.Contains(s.Dialects, le.Uint16(m[at:])) {
			dialect = max(dialect, le.Uint16(m[at:]))
		}
	}
	if dialect == 0 {
		return header(m, 0xc00000bb, errorBody)
	}
	caps := s.Capabilities
	if dialect != 0x300 && dialect != 0x302 {
		caps &^= 0x40
	}
	body := make([]byte, 64)
	body[0], body[2] = 65, byte(s.Signing)
	le.PutUint16(body[4:], dialect)
	copy(body[8:], "handclasp's lab!")
	le.PutUint32(body[24:], caps)
	for at := 28; at < 40; at += 4 {
		le.PutUint32(body[at:], 1<<20)
	}
	le.PutUint64(body[40:], fileTime(s.Time))
	le.PutUint64(body[48:], fileTime(s.Boot))
	le.PutUint16(body[56:], 128)
	le.PutUint16(body[58:], uint16(len(s.Token)))
	body = append(body, s.Token...)
	if dialect == 0x311 {
		body = s.contexts(m, body)
	}
	return header(m, 0, body)
}

// contexts appends what was chosen of what the request offers (MS-SMB2 §2.2.4.1).
func (s Server) contexts(m, body []byte) []byte {
	offered := offers(m)
	list := [][]byte{append([]byte{1, 0, 38, 0, 0, 0, 0, 0, 1, 0, 32, 0, 1, 0}, make([]byte, 32)...)}
	if len(s.Ciphers) > 0 {
		list = append(list, context(2, nil, first(s.Ciphers, offered[2], 0)))
	}
	if len(s.Compression) > 0 {
		list = append(list, context(3, []byte{0, 0, 1, 0, 0, 0}, s.Compression))
	}
	if len(s.SigningAlgorithms) > 0 {
		list = append(list, context(8, nil, first(s.SigningAlgorithms, offered[8], 1)))
	}
	for i, c := range list {
		for len(body)%8 != 0 {
			body = append(body, 0)
		}
		if i == 0 {
			le.PutUint16(body[6:], uint16(len(list)))
			le.PutUint32(body[60:], uint32(64+len(body)))
		}
		body = append(body, c...)
	}
	return body
}

// offers returns the ciphers (2) and signing algorithms (8) of a request's contexts.
func offers(m []byte) map[uint16][]uint16 {
	all := map[uint16][]uint16{}
	at := int(le.Uint32(m[92:]))
	for range int(le.Uint16(m[96:])) {
		if at < 64 || at+10 > len(m) {
			break
		}
		kind, size := le.Uint16(m[at:]), int(le.Uint16(m[at+2:]))
		for i := range int(le.Uint16(m[at+8:])) {
			if p := at + 10 + 2*i; p+2 <= len(m) {
				all[kind] = append(all[kind], le.Uint16(m[p:]))
			}
		}
		at = (at + 8 + size + 7) / 8 * 8
	}
	return all
}

// first returns the favourite among what is offered, and otherwise if none is.
func first(favourites, offered []uint16, otherwise uint16) []uint16 {
	for _, id := range favourites {
		if slices.Contains(offered, id) {
			return []uint16{id}
		}
	}
	return []uint16{otherwise}
}

func context(kind uint16, between []byte, ids []uint16) []byte {
	data := append(le.AppendUint16(nil, uint16(len(ids))), between...)
	for _, id := range ids {
		data = le.AppendUint16(data, id)
	}
	c := le.AppendUint16(nil, kind)
	c = append(le.AppendUint16(c, uint16(len(data))), 0, 0, 0, 0)
	return append(c, data...)
}

// setup answers a session setup (MS-SMB2 §2.2.6): NTLM's first message by a challenge, and what comes later by a refusal.
func (s Server) setup(m []byte) []byte {
	status, token := s.login(m)
	if status != moreProcessing {
		return header(m, status, errorBody)
	}
	body := []byte{9, 0, 0, 0, 72, 0, 0, 0}
	le.PutUint16(body[6:], uint16(len(token)))
	reply := header(m, status, append(body, token...))
	le.PutUint64(reply[40:], 0x1a2b3c4d) // the session
	return reply
}
