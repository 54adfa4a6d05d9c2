package netbios

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

// Suffixes by which a host is told apart (RFC 1001 leaves them to the applications; these are Microsoft's).
const (
	suffixHost       = 0x00
	suffixMessenger  = 0x03
	suffixFileServer = 0x20
)

// kinds are what names stand for, by suffix: of one host, and of a group.
var kinds = map[byte]struct{ unique, group string }{
	0x00: {"workstation", "workgroup or domain"},
	0x01: {"messenger", "master browsers"},
	0x03: {"messenger", ""},
	0x06: {"RAS server", ""},
	0x1b: {"domain master browser", ""},
	0x1c: {"domain controllers", "domain controllers"}, // a group's name, which Samba tells as its own
	0x1d: {"master browser", ""},
	0x1e: {"", "browser elections"},
	0x1f: {"NetDDE", ""},
	0x20: {"file server", ""},
	0x21: {"RAS client", ""},
	0xbe: {"network monitor agent", ""},
	0xbf: {"network monitor", ""},
}

// internetServices is the group that Microsoft's web servers register, with the suffix of domain controllers.
const internetServices = "INet~Services"

// internetServer begins the unique name <00> that such a server has beside the computer's.
const internetServer = "IS~"

// nodeTypes are the values of ONT (RFC 1002 §4.2.18).
const nodeTypes = "BPMH"

// describe says what an entry of a name table is.
func describe(entry nbt.StatusName) Name {
	text := bytes.TrimRight(entry.Name[:15], " \x00")
	n := Name{
		Suffix:        fmt.Sprintf("%02x", entry.Name.Suffix()),
		Group:         entry.Flags&nbt.FlagGroup != 0,
		NodeType:      string(nodeTypes[entry.Flags>>13&3]),
		Active:        entry.Flags&nbt.FlagActive != 0,
		Conflict:      entry.Flags&nbt.FlagConflict != 0,
		Deregistering: entry.Flags&nbt.FlagDeregister != 0,
		Permanent:     entry.Flags&nbt.FlagPermanent != 0,
	}
	n.Name, n.Lossy = probe.UTF8(text)
	kind := kinds[entry.Name.Suffix()]
	switch {
	case n.Group && n.Name == internetServices:
		n.Kind = "web servers"
	case n.Group:
		n.Kind = kind.group
	case entry.Name.Suffix() == suffixHost && strings.HasPrefix(n.Name, internetServer):
		n.Kind = "web server"
	default:
		n.Kind = kind.unique
	}
	return n
}

func describeAll(s *nbt.Status) []Name {
	names := []Name{}
	for _, entry := range s.Names {
		names = append(names, describe(entry))
	}
	return names
}

// learn draws from a name table what it says of the host; whole says that nothing of it is missing.
func (e *Evidence) learn(s *nbt.Status, whole bool) {
	e.NameCount = s.Count
	e.Names = describeAll(s)
	e.Computer = e.find(suffixHost, false, func(n Name) bool { return n.Kind == "workstation" })
	if e.Computer == "" {
		e.Computer = e.find(suffixFileServer, false, nil)
	}
	e.Workgroup = e.find(suffixHost, true, nil)
	e.User = e.find(suffixMessenger, false, func(n Name) bool { return !e.own(strings.TrimSuffix(n.Name, "$")) })
	switch {
	case slices.ContainsFunc(e.Names, func(n Name) bool { return n.Kind == "domain controllers" && !n.Deregistering }):
		e.DomainController = probe.Yes
	case whole && len(s.Names) > 0:
		e.DomainController = probe.No
	}
	e.MAC = mac(s.UnitID)
}

// find returns the first name with a suffix that isn't being given up.
func (e *Evidence) find(suffix byte, group bool, fits func(Name) bool) string {
	wanted := fmt.Sprintf("%02x", suffix)
	for _, n := range e.Names {
		if n.Suffix == wanted && n.Group == group && !n.Deregistering && (fits == nil || fits(n)) {
			return n.Name
		}
	}
	return ""
}

// own reports whether a name is one of the computer's.
func (e *Evidence) own(name string) bool {
	return name == e.Computer || e.find(suffixHost, false, func(n Name) bool { return n.Name == name }) != ""
}

func mac(id []byte) string {
	if len(id) != 6 || bytes.Equal(id, make([]byte, 6)) {
		return ""
	}
	return strings.ReplaceAll(fmt.Sprintf("% x", id), " ", ":")
}

// ratio is a / b to two decimals.
func ratio(a, b int) float64 { return math.Round(100*float64(a)/float64(b)) / 100 }

// notation writes a name as manuals do: FILER<20>.
func notation(n nbt.Name) string { return fmt.Sprintf("%s<%02x>", n.Text(), n.Suffix()) }
