package ftp

import (
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// parseUnix parses a row as ls -l writes it, and all who write like it: a mode, then a link count, an owner and a group,
// any of which may be missing or hold blanks, a size, a date, one blank and a name. Only the date can be told from its
// looks, so that the row is read from there to both sides. An inode and a count of blocks may come first (ls -lis).
func parseUnix(row string) (Entry, bool) {
	w := split(row)
	for range 2 {
		if len(w) > 1 && isNumber(w[0].text) {
			w = w[1:]
		}
	}
	if len(w) == 0 || !isMode(w[0].text) {
		return Entry{}, false
	}
	mode := w[0].text
	e, ok := parseDated(row, w[1:])
	e.Type = modeType(mode[0])
	if e.Type != TypeFile {
		e.Size = nil
	}
	if e.Type == TypeLink {
		e.Name, _, _ = strings.Cut(e.Name, " -> ")
	}
	e.Permissions, e.Writable = mode, modeWritable(mode)
	return e, ok && e.Name != ""
}

// parseDated reads the size, the date and the name of a row.
func parseDated(row string, w []word) (e Entry, ok bool) {
	from, to, ok := findDate(w)
	if !ok {
		return e, false
	}
	// Devices have a major and a minor number in place of a size: "8, 0".
	if from > 0 && (from == 1 || !strings.HasSuffix(w[from-2].text, ",")) {
		e.Size = parseSize(w[from-1].text)
	}
	e.Modified = joined(w[from:to])
	e.Name, e.Lossy = probe.UTF8([]byte(behind(row, w[to-1])))
	return e, e.Name != ""
}

func modeType(b byte) string {
	switch b {
	case '-':
		return TypeFile
	case 'd':
		return TypeDirectory
	case 'l':
		return TypeLink
	}
	return TypeOther
}

// isMode reports whether s is a mode as ls writes it, with the mark of an access-control list behind it or without. The
// types are those of POSIX, and Solaris' doors, BSD's whiteouts and contiguous and migrated files.
func isMode(s string) bool {
	s = strings.TrimRight(s, "+.@")
	return len(s) == 10 && strings.Contains("-dlbcpsDPwCM", s[:1]) && strings.Trim(s[1:], "-rwxsStTlL") == ""
}

// modeWritable judges a file's or a directory's mode by what everybody may do. That of a link means nothing, and that of
// a device, often /dev/null's, nothing that a visitor could use.
func modeWritable(mode string) probe.Fact {
	switch {
	case len(mode) < 10 || mode[0] != '-' && mode[0] != 'd':
		return probe.Unknown
	case mode[8] == 'w':
		return probe.Yes
	case !strings.Contains(mode, "w"):
		return probe.No
	}
	return probe.Unknown
}

// findDate returns which words are a date: the first that has an English month, as nearly all have, else one in
// numbers, else one whose month is a word of another language.
func findDate(w []word) (from, to int, ok bool) {
	for _, length := range []func([]word) int{englishDate, numericDate, foreignDate} {
		for i := range w {
			// Other words than a month's name may be an owner, whom a size doesn't precede.
			sized := i > 0 && isDigit(w[i-1].text[len(w[i-1].text)-1])
			if n := length(w[i:]); n > 0 && (sized || isMonth(w[i].text)) {
				return i, i + n, true
			}
		}
	}
	return 0, 0, false
}

// englishDate returns of how many words the date is that w begins with: "Nov 22 14:57", "Feb 29 2024",
// "Nov 22 14:57:33 2019", "Oct 08, 2002 09:47" or "22 Nov 2019".
func englishDate(w []word) int {
	switch {
	case len(w) < 3 || !isClock(w[2].text) && !isYear(w[2].text):
		return 0
	case isDay(w[0].text) && isMonth(w[1].text):
		return 3
	case !isMonth(w[0].text) || !isDay(w[1].text):
		return 0
	case len(w) < 5: // what would be a fourth word of it is the name
		return 3
	case strings.HasSuffix(w[1].text, ",") && isClock(w[3].text),
		strings.Count(w[2].text, ":") == 2 && isYear(w[3].text):
		return 4
	}
	return 3
}

// numericDate is englishDate for "2005-06-07 21:22", "24-04-2003 17:12", "09-26 13:45", "2004.07.15" and
// "2005-06-07 21:22:33.000000000 +0200".
func numericDate(w []word) int {
	const separators = "-/."
	if len(w) < 2 || !isDigits(w[0].text, separators) {
		return 0
	}
	parts := strings.FieldsFunc(w[0].text, func(r rune) bool { return strings.ContainsRune(separators, r) })
	timed := isClock(w[1].text)
	switch {
	case len(parts) == 2 && len(w) > 2 && (timed || isYear(w[1].text)):
		return 2
	case len(parts) != 3:
		return 0
	case timed && len(w) > 3 && len(w[2].text) == 5 && strings.ContainsAny(w[2].text[:1], "+-") && isNumber(w[2].text[1:]):
		return 3
	case timed && len(w) > 2:
		return 2
	}
	return 1
}

// foreignDate is englishDate for months in other languages, and days and years with a mark of theirs behind them:
// "26. Juli, 20:10", "févr. 12 2019", "4月 18日 2003年".
func foreignDate(w []word) int {
	if len(w) < 4 {
		return 0
	}
	a, b, c := w[0].text, w[1].text, w[2].text
	late := isClock(c) || isYear(unmarked(c))
	switch {
	case late && isName(a) && isDay(b), late && isDay(a) && isName(b), isYear(unmarked(a)) && isName(b) && isDay(c):
		return 3
	}
	return 0
}

func isMonth(s string) bool {
	s = strings.ToLower(strings.TrimRight(s, ".,"))
	return len(s) == 3 && strings.Contains(" jan feb mar apr may jun jul aug sep oct nov dec ", " "+s+" ")
}

// isName reports whether s may be the name of a month in some language: no number, and none of the signs of others.
func isName(s string) bool {
	return len(s) <= 16 && !isNumber(strings.TrimRight(s, ".,")) && !strings.ContainsAny(s, ":/=[]()")
}

// isDay reports whether s is a day of a month, with a dot, a comma or a letter of another alphabet behind it or without.
func isDay(s string) bool {
	s = unmarked(s)
	return isNumber(s) && (len(s) == 1 && s != "0" || len(s) == 2 && s[0] <= '3')
}

// unmarked returns s without the dots, commas and bytes beyond ASCII that it ends with.
func unmarked(s string) string {
	return strings.TrimRightFunc(s, func(r rune) bool { return r == '.' || r == ',' || r > 127 })
}
