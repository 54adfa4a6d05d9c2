package ftp

import (
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// parseIBMi parses a row of IBM i (OS/400): an owner, a size, a date, a time, the object's type, which begins with an
// asterisk, and a name. Members of files have neither size nor date.
func parseIBMi(row string) (e Entry, ok bool) {
	w := split(row)
	at := 1
	if len(w) > 4 && isNumber(w[1].text) && isClock(strings.ReplaceAll(w[3].text, ".", ":")) {
		at = 4
	}
	if len(w) < at+2 || len(w[at].text) < 4 || w[at].text[0] != '*' {
		return e, false
	}
	name := strings.TrimLeft(behind(row, w[at]), " ")
	switch w[at].text[1:] {
	case "DIR", "DDIR", "LIB", "FLR":
		e.Type = TypeDirectory
		name = strings.TrimSuffix(name, "/")
	case "STMF", "DSTMF", "DOC", "FILE", "MEM":
		e.Type = TypeFile
	case "SYMLNK":
		e.Type = TypeLink
	default:
		if strings.Trim(w[at].text[1:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			return e, false
		}
		e.Type = TypeOther
	}
	if at == 4 {
		e.Modified = joined(w[2:4])
		if e.Type == TypeFile {
			e.Size = parseSize(w[1].text)
		}
	}
	e.Name, e.Lossy = probe.UTF8([]byte(name))
	return e, name != ""
}
