package ftp

import (
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// parseNetWare parses a row of NetWare: "d" or "-", the rights in brackets, then an owner, a size, a date and a name, in
// columns of which only the last may hold blanks. The rights are those of the visitor.
func parseNetWare(row string) (Entry, bool) {
	if row == "" || row[0] != 'd' && row[0] != '-' {
		return Entry{}, false
	}
	rest := strings.TrimLeft(row[1:], " ")
	rights, _, found := strings.Cut(rest, "]")
	if !found || len(rights) != 9 || rights[0] != '[' || strings.Trim(rights[1:], "-SRWCEMFA") != "" {
		return Entry{}, false
	}
	after := rest[len(rights)+1:]
	e, ok := parseDated(after, split(after))
	e.Name = strings.TrimLeft(e.Name, " ")
	e.Type = modeType(row[0])
	if e.Type != TypeFile {
		e.Size = nil
	}
	e.Permissions = rights + "]"
	// All but Read and File scan let somebody change something, Supervisor everything.
	e.Writable = probe.FactOf(strings.ContainsAny(rights, "SWCEMA"))
	return e, ok && e.Name != ""
}
