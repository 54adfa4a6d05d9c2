package ftp

import (
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// parseDOS parses a row as the dir of MS-DOS and IIS write it: a date, a time, a size or one of the words below, and a
// name. The words are those of Windows' dir, which shows links by "name [target]".
func parseDOS(row string) (e Entry, ok bool) {
	w := split(row)
	if len(w) < 4 || len(w[0].text) < 6 || !isDigits(w[0].text, "-/.") {
		return e, false
	}
	date := 2
	switch half := strings.ToUpper(w[2].text); {
	case !isClock(strings.TrimRight(w[1].text, "AMPamp")):
		return e, false
	case (half == "AM" || half == "PM") && len(w) > 4:
		date = 3
	}
	name := strings.TrimLeft(behind(row, w[date]), " \t")
	switch kind := strings.ToUpper(w[date].text); kind {
	case "<DIR>":
		e.Type = TypeDirectory
	case "<JUNCTION>", "<SYMLINKD>", "<SYMLINK>":
		e.Type = TypeLink
		if i := strings.LastIndex(name, " ["); i > 0 && strings.HasSuffix(name, "]") {
			name = name[:i]
		}
	default:
		digits := strings.NewReplacer(",", "", ".", "").Replace(kind) // of thousands
		if !isNumber(digits) {
			return e, false
		}
		e.Type, e.Size = TypeFile, parseSize(digits)
		name = behind(row, w[date])
	}
	e.Modified = joined(w[:date])
	e.Name, e.Lossy = probe.UTF8([]byte(name))
	return e, name != ""
}
