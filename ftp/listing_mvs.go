package ftp

import (
	"slices"
	"strings"
)

// An mvsTable reads what z/OS lists beside the files of its Unix: data sets, or the members of a partitioned one (IBM,
// z/OS Communications Server: IP User's Guide, dir subcommand). A header says which, and lets rows with empty columns
// be told from other text.
type mvsTable int

const (
	mvsNone mvsTable = iota
	mvsDataSets
	mvsMembers
	mvsModules // members that are programs
)

// isHeader reports whether a row is the header of a table, and remembers which.
func (t *mvsTable) isHeader(row string) bool {
	f := strings.Fields(row)
	switch {
	case len(f) < 5:
		return false
	case f[0] == "Volume" && f[len(f)-1] == "Dsname":
		*t = mvsDataSets
	case f[0] == "Name" && f[1] == "VV.MM":
		*t = mvsMembers
	case f[0] == "Name" && f[1] == "Size" && f[2] == "TTR":
		*t = mvsModules
	default:
		return false
	}
	return true
}

func (t *mvsTable) parse(row string) (Entry, bool) {
	f := strings.Fields(row)
	if e, ok := parseMember(f); ok {
		return e, true
	}
	switch {
	case *t == mvsMembers && len(f) == 1, *t == mvsModules && len(f) > 1 && len(f[1]) >= 6 && strings.Trim(f[1], "0123456789ABCDEF") == "":
		if isQualifier(f[0]) {
			return Entry{Name: f[0], Type: TypeFile}, true
		}
	}
	return parseDataSet(f, *t == mvsDataSets)
}

// parseMember parses the row of a member that an editor saved: its name, a version, when it was made and changed, and
// sizes in records.
func parseMember(f []string) (Entry, bool) {
	if len(f) < 8 || len(f) > 9 || len(f[1]) != 5 || !isDigits(f[1], ".") || !isMVSDate(f[2]) || !isMVSDate(f[3]) || !isClock(f[4]) {
		return Entry{}, false
	}
	if !isQualifier(f[0]) {
		return Entry{}, false
	}
	return Entry{Name: f[0], Type: TypeFile, Modified: f[3] + " " + f[4]}, true
}

// parseDataSet parses the row of a data set: a volume, a unit, when it was used last, space, formats, an organisation
// and a name. One that isn't on a disk has a few words in place of the columns, "Migrated" or "Not Direct Access
// Device", and one whose row isn't under a header must have them all.
func parseDataSet(f []string, header bool) (Entry, bool) {
	n := len(f)
	if n < 2 || !isDataSet(strings.Trim(f[n-1], "'")) {
		return Entry{}, false
	}
	e := Entry{Name: strings.Trim(f[n-1], "'"), Type: TypeOther}
	switch organisation := f[n-2]; {
	case !header && (n != 10 || !isMVSDate(f[2])):
		return Entry{}, false
	case strings.HasPrefix(organisation, "PO"): // partitioned: it has members
		e.Type = TypeDirectory
	case strings.HasPrefix(organisation, "PS"): // sequential
		e.Type = TypeFile
	case slices.Contains([]string{"DA", "IS", "VSAM", "GDG", "HFS", "ZFS"}, organisation):
	case !header:
		return Entry{}, false
	case n == 3 && f[0] == "Pseudo" && f[1] == "Directory":
		e.Type = TypeDirectory
	default: // words, perhaps behind the name of a volume
		words := f[:n-1]
		if len(words) > 1 && len(words[0]) <= 6 {
			words = words[1:]
		}
		if strings.ContainsAny(strings.Join(words, ""), "0123456789") {
			return Entry{}, false
		}
	}
	return e, true
}

func isMVSDate(s string) bool { return len(s) == 10 && isDigits(s, "/") }

// isDataSet reports whether s is a data set's name: qualifiers between dots, 44 characters in all.
func isDataSet(s string) bool {
	if len(s) > 44 {
		return false
	}
	for q := range strings.SplitSeq(s, ".") {
		if !isQualifier(q) {
			return false
		}
	}
	return true
}

// isQualifier reports whether s is a part of a data set's name, or the name of a member.
func isQualifier(s string) bool {
	return s != "" && len(s) <= 8 && !isDigit(s[0]) && s[0] != '-' && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@#$-") == ""
}
