package ftp

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// parseMachineLine parses a line of MLSD: facts, a space, a name (RFC 3659 §7.2). It reports false for what is no
// such line and for the parent directory.
func parseMachineLine(line []byte) (e Entry, ok bool) {
	facts, name, found := bytes.Cut(line, []byte(" "))
	if !found || len(name) == 0 || len(facts) > 0 && facts[len(facts)-1] != ';' {
		return e, false
	}
	e.Type = TypeOther
	e.Name, e.Lossy = probe.UTF8(name)
	octal := ""
	for fact := range strings.SplitSeq(strings.TrimSuffix(string(facts), ";"), ";") {
		key, value, found := strings.Cut(fact, "=")
		if !found {
			continue
		}
		switch strings.ToLower(key) {
		case "type":
			if strings.EqualFold(value, "pdir") {
				return Entry{}, false
			}
			e.Type = machineType(value)
		case "size":
			if n, err := strconv.ParseUint(value, 10, 63); err == nil {
				size := int64(n)
				e.Size = &size
			}
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
	case strings.HasPrefix(value, "os.unix=slink"), strings.HasPrefix(value, "os.unix=symlink"):
		return TypeLink
	}
	return TypeOther
}

// parseListLine returns the mode and the date of a line of LIST, as they stand there; empty where it has none. LIST
// has no format (RFC 959 §4.1.3): these are those of Unix and of MS-DOS.
func parseListLine(line []byte) (mode, modified string) {
	fields := strings.Fields(string(line[:min(len(line), 512)])) // the name, at the end, isn't of interest
	if len(fields) < 3 {
		return "", ""
	}
	if first := fields[0]; isMode(first) {
		for i := 1; i+2 < min(len(fields), 8); i++ {
			if isMonth(fields[i]) {
				modified, _ = probe.UTF8([]byte(strings.Join(fields[i:i+3], " ")))
				break
			}
		}
		return first, modified
	}
	if isDigits(fields[0], "-") && isDigits(strings.TrimRight(fields[1], "AMPamp"), ":") {
		return "", fields[0] + " " + fields[1]
	}
	return "", ""
}

// isMode reports whether s is a mode as ls writes it, with the mark of an access-control list behind it or without.
func isMode(s string) bool {
	s = strings.TrimRight(s, "+.@")
	return len(s) == 10 && strings.Contains("-dlbcps", s[:1]) && strings.Trim(s[1:], "-rwxsStT") == ""
}

func isMonth(s string) bool {
	return len(s) == 3 && strings.Contains(" jan feb mar apr may jun jul aug sep oct nov dec ", " "+strings.ToLower(s)+" ")
}

func isDigits(s, separator string) bool {
	return strings.Contains(s, separator) && strings.Trim(s, "0123456789"+separator) == ""
}

// modeWritable judges a mode by what everybody may do. A link's mode means nothing.
func modeWritable(mode string) probe.Fact {
	switch {
	case len(mode) < 10 || mode[0] == 'l':
		return probe.Unknown
	case mode[8] == 'w':
		return probe.Yes
	case !strings.Contains(mode, "w"):
		return probe.No
	}
	return probe.Unknown
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
