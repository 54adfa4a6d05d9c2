package netbios

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

const protocol = "netbios"

// Evidence is what a host told of its NetBIOS names, or of a session with one of them. Over UDP the session's fields are
// empty. Over TCP those of the names are too, unless they had to be asked for the name to call.
type Evidence struct {
	// Names is the host's name table (RFC 1002 §4.2.18), in its order; null if it told none.
	Names []Name `json:"names"`
	// NameCount is how many names it says there are; more than Names holds if the reply was cut short.
	NameCount int `json:"name_count"`
	// Truncated says that the host left names out for want of room (the flag TC, RFC 1002 §4.2.1.1), or that its
	// reply ended before the length that it gives.
	Truncated bool `json:"truncated"`
	// ResponseCode is the RCODE of the reply to the question for names (RFC 1002 §4.2.14): 0 if it was answered, and
	// if no reply came.
	ResponseCode int `json:"response_code"`

	// Computer is the host's own name: a unique name with the suffix 00, else 20. Empty if there is none, as are the
	// following ones.
	Computer string `json:"computer" diff:"identifying"`
	// Workgroup is the workgroup or domain: a group name with the suffix 00.
	Workgroup string `json:"workgroup" diff:"identifying"`
	// User is who is logged in: a unique name with the suffix 03 that isn't one of the computer's.
	User string `json:"user" diff:"volatile"`
	// DomainController says whether the host answers to the name of a domain's controllers, which has the suffix 1c. No is
	// said only by a whole table.
	DomainController probe.Fact `json:"domain_controller"`
	// MAC is the address of the interface (UNIT_ID), such as "00:00:5e:00:53:07"; empty if it is zero, as Samba sends
	// it.
	MAC string `json:"mac" diff:"identifying"`

	// ResponseBytes is the size of the reply to the question for names, UDP payload; 0 if none came.
	ResponseBytes int `json:"response_bytes"`
	// Amplification is ResponseBytes divided by the size of the question, 50 bytes, to two decimals: the bandwidth
	// amplification factor in UDP payload. 0 if no reply came.
	Amplification float64 `json:"amplification"`

	// QueriedName is the name whose addresses were asked for, such as "FILER<20>"; empty if none was.
	QueriedName string `json:"queried_name"`
	// QueryCode is the RCODE of the reply to that (RFC 1002 §4.2.14), such as 3 for a name that isn't there: 0 if it
	// was answered, and if no reply came.
	QueryCode int `json:"query_code"`
	// Addresses are those of QueriedName (RFC 1002 §4.2.13), IPv4, as the host said them; null if no
	// reply came, and empty if the reply was that there is no such name.
	Addresses []netip.Addr `json:"addresses"`

	// Strays counts the datagrams that were no reply to what was asked: those of the host's port, and those from another port or
	// another address, as a host with several addresses may send.
	Strays int `json:"strays"`
	// StrayReplies are the latter, a few of them; null if there were none. Anybody may have sent them,
	// and nothing of them is evidence of the host. Systems other than Linux hear none.
	StrayReplies []Stray `json:"stray_replies"`

	// Session is the answer to the last session request (RFC 1002 §4.3.2): "positive", "negative", "retarget", or empty
	// if none came.
	Session string `json:"session"`
	// SessionError is a negative answer's error (RFC 1002 §4.3.4), such as "called name not present"; "error 8a" is one
	// that the RFC doesn't name.
	SessionError string `json:"session_error"`
	// CalledName is the name that Session is about, "*SMBSERVER" or the host's own; its suffix is 20.
	CalledName string `json:"called_name"`
	// Retarget is where a retarget answer would have its caller go (RFC 1002 §4.3.5), such as "192.0.2.9:139". It was not
	// followed.
	Retarget string `json:"retarget"`
}

// The values of Evidence.Session.
const (
	sessionPositive = "positive"
	sessionNegative = "negative"
	sessionRetarget = "retarget"
)

// A Stray is a datagram that came from elsewhere.
type Stray struct {
	From  netip.AddrPort `json:"from"`
	Bytes int            `json:"bytes"`
	Names []Name         `json:"names"` // that it tells; null if it is no name table
}

// A Name is an entry of a name table (RFC 1002 §4.2.18). Group and the fields from NodeType on are its NAME_FLAGS.
type Name struct {
	Name          string `json:"name"`            // without its padding; it may hold control bytes, as "\x01\x02__MSBROWSE__\x02" does
	Lossy         bool   `json:"lossy,omitempty"` // bytes in the host's OEM code page were no UTF-8, and U+FFFD stands for them
	Suffix        string `json:"suffix"`          // the name's last byte in hexadecimal, "20"
	Kind          string `json:"kind"`            // what such suffixes commonly stand for, such as "file server"; empty if that isn't known
	Group         bool   `json:"group"`           // the name is a group's, not the host's own (G)
	NodeType      string `json:"node_type"`       // the owner's: "B", "P", "M", or "H" for the reserved value, which Windows uses for hybrid nodes
	Active        bool   `json:"active"`          // in use (ACT), as all are that the RFC lets a host tell of
	Conflict      bool   `json:"conflict"`        // another host claims the name (CNF)
	Deregistering bool   `json:"deregistering"`   // being given up (DRG)
	Permanent     bool   `json:"permanent"`       // the permanent node name (PRM)
}

// none are the addresses of a name that has none.
var none = []netip.Addr{}

// Protocol returns "netbios".
func (*Evidence) Protocol() string { return protocol }

// Headline is the names of the computer, its workgroup and its user, such as "FILER · WORKGROUP"; if the host tells
// none, how it answered. It is empty if it didn't.
func (e *Evidence) Headline() string {
	if e == nil {
		return ""
	}
	words := slices.DeleteFunc([]string{e.Computer, e.Workgroup, e.User}, func(name string) bool { return name == "" })
	switch {
	case len(words) > 0:
		return strings.Join(words, " · ")
	case len(e.Names) > 0:
		return e.Names[0].Name
	case e.Session != "":
		return strings.TrimSuffix(e.Session+" session response: "+e.SessionError, ": ")
	case e.ResponseCode != 0:
		return fmt.Sprintf("refused with code %d", e.ResponseCode)
	case e.ResponseBytes > 0:
		return "no names"
	case e.Strays > len(e.StrayReplies): // some are the host's
		return fmt.Sprintf("no reply in %d datagrams", e.Strays-len(e.StrayReplies))
	}
	return ""
}
