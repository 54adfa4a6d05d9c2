package ftp

import (
	"strconv"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// maxEntries is how many rows of a listing are read: enough to show what an anonymous visitor finds.
const maxEntries = 1000

// Of rows that aren't understood, the first few are shown, and so many bytes of each.
const (
	maxSample    = 3
	maxSampleRow = 256
)

// dialects are the formats in which a row of LIST stands on its own. LIST has no format (RFC 959 §4.1.3), so that each
// row is tried in all of them, the strictest first.
var dialects = [...]func(row string) (Entry, bool){
	parseEPLF, parseUnix, parseNetWare, parseDOS, parseIBMi, parseVMS,
}

// rows fills a listing row by row.
type rows struct {
	l       *Listing
	machine bool   // they answer MLSD
	vmsName string // the first line of two
	mvs     mvsTable
}

func newRows(machine bool) *rows {
	return &rows{l: &Listing{Entries: []Entry{}, UnparsedSample: []string{}}, machine: machine}
}

// add takes a line. It reports false for a row that comes after as many as are read.
func (r *rows) add(line []byte) bool {
	row := string(line)
	name := r.vmsName
	r.vmsName = ""
	if name != "" {
		if e, ok := parseVMSDetails(name, row); ok {
			return r.keep(e)
		}
		if !r.keep(parseVMSName(name)) {
			return false
		}
	}
	switch {
	case isNoRow(row), r.mvs.isHeader(row):
		return true
	case isVMSName(row):
		r.vmsName = row
		return true
	}
	if e, ok := r.parse(row); ok {
		return r.keep(e)
	}
	return r.missed(row)
}

// end takes what still waits for a second line.
func (r *rows) end() bool {
	name := r.vmsName
	r.vmsName = ""
	return name == "" || r.keep(parseVMSName(name))
}

func (r *rows) parse(row string) (Entry, bool) {
	if r.machine {
		if e, ok := parseMachine(row); ok {
			return e, true
		}
	}
	for _, parse := range dialects {
		if e, ok := parse(row); ok {
			return e, true
		}
	}
	if e, ok := r.mvs.parse(row); ok {
		return e, true
	}
	if facts, _, _ := strings.Cut(row, "; "); strings.Contains(facts, "=") {
		return parseMachine(row)
	}
	return Entry{}, false
}

func (r *rows) full() bool {
	if len(r.l.Entries)+r.l.Unparsed < maxEntries {
		return false
	}
	r.l.Truncated = true
	return true
}

// keep adds an entry. The listed directory is no entry of itself, nor is the one above it.
func (r *rows) keep(e Entry) bool {
	switch name := strings.TrimRight(e.Name, "/"); {
	case e.Type == typeParent, name == "..":
		return true
	case e.Type == TypeCurrent, name == ".":
		e.Type = TypeCurrent
		r.l.Current = &e
		return true
	}
	if r.full() {
		return false
	}
	r.l.Entries = append(r.l.Entries, e)
	return true
}

func (r *rows) missed(row string) bool {
	if r.full() {
		return false
	}
	r.l.Unparsed++
	if len(r.l.UnparsedSample) < maxSample {
		sample, _ := probe.UTF8([]byte(row[:min(len(row), maxSampleRow)]))
		r.l.UnparsedSample = append(r.l.UnparsedSample, sample)
	}
	return true
}

// isNoRow reports whether a line of a listing tells of no file: an empty one, the count of blocks above Unix rows, the
// complaint of ls, and what VMS writes above and below its rows.
func isNoRow(row string) bool {
	f := strings.Fields(row[:min(len(row), maxSampleRow)])
	switch {
	case len(f) == 0:
		return true
	case len(f) == 2 && strings.EqualFold(f[0], "total"):
		return isDigit(f[1][0])
	case f[0] == "ls:" || strings.HasSuffix(f[0], "/ls:"):
		return true
	case len(f) == 2 && f[0] == "Directory":
		return strings.HasSuffix(f[1], "]")
	case len(f) > 3 && (f[0] == "Total" || f[0] == "Grand" && f[1] == "total"):
		return strings.Contains(row, " file") || strings.Contains(row, " director")
	}
	return strings.HasPrefix(f[0], "%") && strings.Count(f[0], "-") == 2 && strings.HasSuffix(f[0], ",") // %RMS-E-FNF, file not found
}

// A word is a part of a row between blanks.
type word struct {
	text string
	end  int // where it ends in the row
}

// maxWords is how many words of a row are looked at: no format has as many before the name.
const maxWords = 24

func split(row string) []word {
	words := make([]word, 0, 12)
	for i := 0; i < len(row) && len(words) < maxWords; {
		if row[i] == ' ' || row[i] == '\t' {
			i++
			continue
		}
		n := strings.IndexAny(row[i:], " \t")
		if n < 0 {
			n = len(row) - i
		}
		words = append(words, word{row[i : i+n], i + n})
		i += n
	}
	return words
}

func texts(words []word) []string {
	s := make([]string, len(words))
	for i, w := range words {
		s[i] = w.text
	}
	return s
}

// joined returns words as one text.
func joined(words []word) string {
	s, _ := probe.UTF8([]byte(strings.Join(texts(words), " ")))
	return s
}

// behind returns what follows a word and one blank: names may begin with blanks.
func behind(row string, w word) string { return row[min(w.end+1, len(row)):] }

// parseSize returns nil for what isn't a number of bytes, or is too large for one.
func parseSize(s string) *int64 {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return nil
	}
	size := int64(n)
	return &size
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// isNumber reports whether s is made of digits.
func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isDigits reports whether s is made of digits and of the separators, one of which it has.
func isDigits(s, separators string) bool {
	return strings.ContainsAny(s, separators) && strings.Trim(s, "0123456789"+separators) == ""
}

// isClock reports whether s is a time of day, with seconds or without.
func isClock(s string) bool {
	h, m, ok := strings.Cut(s, ":")
	return ok && len(h) <= 2 && isNumber(h) && len(m) >= 2 && isDigit(m[0]) && isDigit(m[1]) && strings.Trim(m, "0123456789:.") == ""
}

func isYear(s string) bool { return len(s) == 4 && isNumber(s) }
