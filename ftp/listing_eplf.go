package ftp

import (
	"strconv"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// parseEPLF parses a row of the easily parsed LIST format (cr.yp.to/ftp/list/eplf.html): "+", facts with a comma behind
// each, a tab, a name. "/" is what CWD takes, "r" what RETR takes, "s" a size, "m" seconds since 1970, "up" a mode.
func parseEPLF(row string) (e Entry, ok bool) {
	facts, name, found := strings.Cut(row, "\t")
	if !found || !strings.HasPrefix(facts, "+") || name == "" {
		return e, false
	}
	e.Type = TypeOther
	for fact := range strings.SplitSeq(facts[1:], ",") {
		switch {
		case fact == "/":
			e.Type = TypeDirectory
		case fact == "r" && e.Type == TypeOther:
			e.Type = TypeFile
		case strings.HasPrefix(fact, "s"):
			e.Size = parseSize(fact[1:])
		case strings.HasPrefix(fact, "m"):
			if n, err := strconv.ParseUint(fact[1:], 10, 33); err == nil {
				e.Modified = time.Unix(int64(n), 0).UTC().Format(time.RFC3339)
			}
		case strings.HasPrefix(fact, "up"):
			if _, err := strconv.ParseUint(fact[2:], 8, 16); err == nil {
				e.Permissions, e.Writable = fact[2:], octalWritable(fact[2:])
			}
		}
	}
	if e.Type != TypeFile {
		e.Size = nil
	}
	e.Name, e.Lossy = probe.UTF8([]byte(name))
	return e, true
}
