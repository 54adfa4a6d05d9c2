package report

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// stackedMarks is how many combining marks one character may carry: more than any script needs, and too few to
// overlay the lines above and below.
const stackedMarks = 3

// Clean makes text that a server chose safe to print: control characters and thereby every terminal escape sequence,
// directional overrides and other invisible characters, line ends, and bytes that aren't UTF-8 are spelled as Go
// does, such as \x1b and \u202e.
func Clean(s string) string {
	if printableASCII(s) {
		return s
	}
	var b strings.Builder
	marks := 0
	for i, r := range s {
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i])|0x100, 16)[1:])
		case !strconv.IsPrint(r), unicode.Is(invisible, r), marks > stackedMarks, i == 0 && marks > 0:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// printableASCII reports whether s holds nothing but characters that take a column each and are safe to print.
func printableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// invisible are characters that strconv takes for printable and that show nothing, or a blank: Hangul fillers, the
// braille blank, the combining grapheme joiner, vowel separators and variation selectors.
var invisible = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x034f, Hi: 0x034f, Stride: 1}, {Lo: 0x115f, Hi: 0x1160, Stride: 1}, {Lo: 0x17b4, Hi: 0x17b5, Stride: 1},
		{Lo: 0x180b, Hi: 0x180f, Stride: 1}, {Lo: 0x2800, Hi: 0x2800, Stride: 1}, {Lo: 0x3164, Hi: 0x3164, Stride: 1},
		{Lo: 0xfe00, Hi: 0xfe0f, Stride: 1}, {Lo: 0xffa0, Hi: 0xffa0, Stride: 1},
	},
	R32: []unicode.Range32{{Lo: 0xe0100, Hi: 0xe01ef, Stride: 1}},
}

// fit is the beginning of s, cleaned, in at most width columns.
func fit(s string, width int) string {
	if width < 1 {
		return ""
	}
	// A column holds at most one character and its marks, so what is far behind the edge needn't be looked at.
	if most := (width + 1) * (stackedMarks + 1) * utf8.UTFMax; len(s) > most {
		s = s[:most]
	}
	clean := Clean(s)
	if len(clean) <= width && printableASCII(clean) {
		return clean
	}
	return ansi.Truncate(clean, width, "…")
}

// pad fills s up with blanks to width columns.
func pad(s string, width int) string {
	if printableASCII(s) {
		return s + strings.Repeat(" ", max(0, width-len(s)))
	}
	return s + strings.Repeat(" ", max(0, width-ansi.StringWidth(s)))
}
