package ftp

import (
	"strconv"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// parseMachine parses a row of MLSD: facts in upper or lower case, a space, a name (RFC 3659 §7.2).
func parseMachine(row string) (e Entry, ok bool) {
	facts, name, found := strings.Cut(row, " ")
	if !found || name == "" || facts != "" && !strings.HasSuffix(facts, ";") {
		return e, false
	}
	e.Type = TypeOther
	e.Name, e.Lossy = probe.UTF8([]byte(name))
	octal := ""
	for fact := range strings.SplitSeq(strings.TrimSuffix(facts, ";"), ";") {
		key, value, found := strings.Cut(fact, "=")
		if !found {
			continue
		}
		switch strings.ToLower(key) {
		case "type":
			e.Type = machineType(value)
		case "size":
			e.Size = parseSize(value)
		case "modify": // in UTC, with a fraction of a second or without (§2.3)
			if t, err := time.Parse("20060102150405", value); err == nil {
				e.Modified = t.Format("2006-01-02T15:04:05Z")
			}
		case "perm":
			e.Permissions, _ = probe.UTF8([]byte(value))
			// Create, make a directory, purge, write (§7.5.5). Append, delete and rename don't count: ProFTPD claims
			// them of every file that can be read.
			e.Writable = probe.FactOf(strings.ContainsAny(strings.ToLower(value), "cmpw"))
		case "unix.mode":
			octal = value
		}
	}
	if _, err := strconv.ParseUint(octal, 8, 16); err == nil && e.Permissions == "" {
		e.Permissions, e.Writable = octal, octalWritable(octal)
	}
	if e.Type != TypeFile {
		e.Size = nil
	}
	return e, true
}

// typeParent is the type of the directory above, which is no entry.
const typeParent = "parent"

// machineType reads the type fact (RFC 3659 §7.5.1). Links have no type of their own; servers write
// "OS.unix=slink:/target" or "OS.unix=symlink".
func machineType(value string) string {
	value = strings.ToLower(value)
	switch {
	case value == "file":
		return TypeFile
	case value == "dir":
		return TypeDirectory
	case value == "cdir":
		return TypeCurrent
	case value == "pdir":
		return typeParent
	case strings.HasPrefix(value, "os.unix=slink"), strings.HasPrefix(value, "os.unix=symlink"):
		return TypeLink
	}
	return TypeOther
}

// octalWritable judges a mode that is written as a number, as modeWritable does.
func octalWritable(octal string) probe.Fact {
	mode, _ := strconv.ParseUint(octal, 8, 16)
	switch {
	case mode&0o002 != 0:
		return probe.Yes
	case mode&0o222 == 0:
		return probe.No
	}
	return probe.Unknown
}
