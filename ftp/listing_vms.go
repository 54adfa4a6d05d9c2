package ftp

import (
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// parseVMS parses a row as the DIRECTORY of VMS writes it: a name with a type and a version, how many blocks it takes,
// a date, an owner and who may do what. All but the name and the blocks may be missing, and an error may be in their
// place. Blocks of 512 bytes tell no size in bytes. Long names have a line of their own; see [parseVMSDetails].
func parseVMS(row string) (Entry, bool) {
	w := split(row)
	if len(w) < 2 || !isVMSName(w[0].text) {
		return Entry{}, false
	}
	return parseVMSDetails(w[0].text, behind(row, w[0]))
}

// parseVMSDetails parses what stands behind a name or, if the name is long, in the next line.
func parseVMSDetails(name, rest string) (Entry, bool) {
	w := split(rest)
	e := parseVMSName(name)
	switch {
	case len(w) == 0:
		return Entry{}, false
	case strings.HasPrefix(w[0].text, "%"): // %RMS-E-PRV, insufficient privilege
		return e, true
	case !isNumber(w[0].text) && !isDigits(w[0].text, "/"): // blocks used, or used and allocated
		return Entry{}, false
	case len(w) == 1:
		return e, true
	case !isVMSDate(w[1].text):
		return Entry{}, false
	}
	date := 2
	if len(w) > 2 && isClock(w[2].text) {
		date = 3
	}
	e.Modified = joined(w[1:date])
	if i, j := strings.LastIndexByte(rest, '('), strings.LastIndexByte(rest, ')'); i >= 0 && i < j {
		e.Permissions, _ = probe.UTF8([]byte(rest[i : j+1]))
		e.Writable = protectionWritable(rest[i+1 : j])
	}
	return e, true
}

// protectionWritable judges what the system, the owner, the group and the world may do, of Read, Write, Execute and
// Delete each.
func protectionWritable(protection string) probe.Fact {
	classes := strings.Split(protection, ",")
	switch {
	case len(classes) != 4 || strings.Trim(protection, "RWED,") != "":
		return probe.Unknown
	case strings.ContainsAny(classes[3], "WD"):
		return probe.Yes
	case !strings.ContainsAny(protection, "WD"):
		return probe.No
	}
	return probe.Unknown
}

// parseVMSName makes an entry of a name. A directory is a file of the type DIR.
func parseVMSName(row string) (e Entry) {
	row = strings.TrimSpace(row)
	e.Type = TypeFile
	if file, _, _ := strings.Cut(row, ";"); strings.HasSuffix(strings.ToUpper(file), ".DIR") {
		e.Type = TypeDirectory
	}
	e.Name, e.Lossy = probe.UTF8([]byte(row))
	return e
}

// isVMSName reports whether a row is a file's name and version and nothing else: "README.TXT;3".
func isVMSName(row string) bool {
	name, version, found := strings.Cut(strings.TrimSpace(row), ";")
	return found && name != "" && isNumber(version) && !strings.ContainsAny(name, " \t,=")
}

// isVMSDate reports whether s is a date such as "4-MAR-2019".
func isVMSDate(s string) bool {
	p := strings.Split(s, "-")
	return len(p) == 3 && isDay(p[0]) && isMonth(p[1]) && isYear(p[2])
}
