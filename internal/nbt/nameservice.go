package nbt

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Types of questions and of resource records, all of class IN (RFC 1002 §4.2.1.2, §4.2.1.3).
const (
	TypeNB     = 0x0020 // the addresses of a name
	TypeStatus = 0x0021 // NBSTAT, the names of a node
	typeNull   = 0x000a // of a negative answer (RFC 1002 §4.2.14)

	classIN = 0x0001
)

const headerSize = 12 // RFC 1002 §4.2.1.1

// Parts of the header's second word (RFC 1002 §4.2.1.1). A query is OPCODE 0, which is why none is among them; and RD,
// recursion desired, is for name servers only, so that a node is asked without it.
const (
	flagResponse  = 0x8000
	maskOpcode    = 0x7800
	flagTruncated = 0x0200
	maskCode      = 0x000f
)

// StatusQuery appends the question for the names of the node that has name (RFC 1002 §4.2.17), to be sent to that node
// alone.
func StatusQuery(b []byte, id uint16, name Name) []byte { return query(b, id, name, TypeStatus) }

// AddressQuery appends the question for the addresses of name (RFC 1002 §4.2.12), to be sent to one node.
func AddressQuery(b []byte, id uint16, name Name) []byte { return query(b, id, name, TypeNB) }

func query(b []byte, id uint16, name Name, kind uint16) []byte {
	b = binary.BigEndian.AppendUint16(b, id)
	b = append(b, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) // no flags, one question
	b = AppendName(b, name)
	b = binary.BigEndian.AppendUint16(b, kind)
	return binary.BigEndian.AppendUint16(b, classIN)
}

// A Reply is a name service response to a query (RFC 1002 §4.2.13, §4.2.14, §4.2.18).
type Reply struct {
	ID        uint16
	Code      int  // RCODE: 0 for a positive one, 3 if the name isn't there (RFC 1002 §4.2.14)
	Truncated bool // the flag TC: the server left something out
	Name      Name
	Type      uint16
	Data      []byte // RDATA as far as it came; it shares the datagram's memory
	Short     bool   // RDLENGTH promised more than came
}

// ParseReply parses a datagram. Of its records only the first is read, as no more are defined.
func ParseReply(b []byte) (*Reply, error) {
	if len(b) < headerSize {
		return nil, errShort
	}
	flags := binary.BigEndian.Uint16(b[2:])
	questions, answers := binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	switch {
	case flags&flagResponse == 0:
		return nil, fmt.Errorf("a request, not a response")
	case flags&maskOpcode != 0:
		return nil, fmt.Errorf("response to another operation than a query")
	case questions > 1:
		return nil, fmt.Errorf("response with %d questions", questions)
	}
	r := &Reply{ID: binary.BigEndian.Uint16(b), Code: int(flags & maskCode), Truncated: flags&flagTruncated != 0}
	at := headerSize
	var err error
	if questions == 1 { // against the rule, as in the DNS
		if r.Name, at, err = parseName(b, at); err != nil {
			return nil, err
		}
		if at += 4; at > len(b) {
			return nil, errShort
		}
	}
	if answers == 0 && r.Code != 0 && questions == 1 {
		return r, nil // a negative reply as the DNS has it; RFC 1002 §4.2.14 wants an empty record in it
	}
	if r.Name, at, err = parseName(b, at); err != nil {
		return nil, err
	}
	if at+10 > len(b) {
		return nil, errShort
	}
	r.Type = binary.BigEndian.Uint16(b[at:])
	if class := binary.BigEndian.Uint16(b[at+2:]); class != classIN {
		return nil, fmt.Errorf("record of class %#04x", class)
	}
	size := int(binary.BigEndian.Uint16(b[at+8:]))
	r.Data = b[at+10:]
	r.Short = size > len(r.Data)
	r.Data = r.Data[:min(size, len(r.Data))]
	return r, nil
}

// Answers reports whether r belongs to a query of that id, name and type. A negative one has a type of its own.
func (r *Reply) Answers(id uint16, name Name, kind uint16) bool {
	return r.ID == id && r.Name == name && (r.Type == kind || r.Code != 0 && (r.Type == typeNull || r.Type == 0))
}

// A Status is what a node tells of itself (RFC 1002 §4.2.18).
type Status struct {
	Names []StatusName // those that came
	Count int          // NUM_NAMES: how many it says there are
	// UnitID is the MAC address of the interface; nil if the reply ends before it. Samba sends zeros.
	UnitID []byte
}

// A StatusName is an entry of a node's name table.
type StatusName struct {
	Name  Name
	Flags uint16 // NAME_FLAGS
}

// FileServer returns the name that a session for files is asked of: the first with the suffix <20> that is the node's
// own and in use.
func (s *Status) FileServer() (n Name, ok bool) {
	for _, entry := range s.Names {
		if entry.Name.Suffix() == SuffixServer && entry.Flags&(FlagGroup|FlagDeregister|FlagConflict) == 0 {
			return entry.Name, true
		}
	}
	return n, false
}

// Bits of NAME_FLAGS (RFC 1002 §4.2.18).
const (
	FlagGroup      = 0x8000
	FlagDeregister = 0x1000
	FlagConflict   = 0x0800
	FlagActive     = 0x0400
	FlagPermanent  = 0x0200
)

const (
	statusNameSize = len(Name{}) + 2
	unitIDSize     = 6
)

// ParseStatus parses the RDATA of a node status reply. If it ends before the last name, or the count lies, the status
// holds the names that came beside the error. The statistics behind the names are known to be cut short by small
// implementations, which is no error.
func ParseStatus(data []byte) (*Status, error) {
	s := &Status{Names: []StatusName{}}
	if len(data) == 0 {
		return s, errShort
	}
	s.Count = int(data[0]) // one byte: at most 255 names
	data = data[1:]
	for range s.Count {
		if len(data) < statusNameSize {
			return s, errShort
		}
		s.Names = append(s.Names, StatusName{Name(data[:16]), binary.BigEndian.Uint16(data[16:])})
		data = data[statusNameSize:]
	}
	if len(data) >= unitIDSize {
		s.UnitID = data[:unitIDSize:unitIDSize]
	}
	return s, nil
}

const (
	addressSize = 6 // NB_FLAGS and NB_ADDRESS (RFC 1002 §4.2.13)
	// maxAddresses is what fits into a datagram of 576 bytes, the largest of the name service (RFC 1002 §6).
	maxAddresses = (576 - headerSize - encodedSize - 10) / addressSize
)

// ParseAddresses parses the RDATA of a positive name query reply: for each address two bytes of flags and the address.
// The addresses that came whole, as far as a datagram holds them, are returned beside an error.
func ParseAddresses(data []byte) ([]netip.Addr, error) {
	addrs := make([]netip.Addr, 0, min(len(data)/addressSize, maxAddresses))
	for ; len(data) >= addressSize && len(addrs) < maxAddresses; data = data[addressSize:] {
		addrs = append(addrs, netip.AddrFrom4([4]byte(data[2:])))
	}
	switch {
	case len(data) >= addressSize:
		return addrs, fmt.Errorf("more than %d addresses", maxAddresses)
	case len(data) > 0:
		return addrs, errShort
	}
	return addrs, nil
}
