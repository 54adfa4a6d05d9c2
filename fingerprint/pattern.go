package fingerprint

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
)

// maxPattern is the longest pattern taken, in bytes; Recog's longest has 320.
const maxPattern = 4096

// maxSteps is how many steps of a matcher all patterns may stand for: Recog's have some 400,000. A step takes 40 bytes in each of
// two compiled forms.
const maxSteps = 2 << 20

// A fingerprint is a pattern and what it tells.
type fingerprint struct {
	name    string
	pattern string // in the syntax of package regexp
	flags   string // "", "i", "s" or "is"
	needs   []need // a text that matches holds one of these; empty if that isn't known
	params  params

	line, text struct {
		once sync.Once
		re   *regexp.Regexp
	}
}

// newPattern sets the pattern and its flags, and returns how many groups and steps it has.
func (f *fingerprint) newPattern(pattern, flags string) (groups, steps int, err error) {
	if pattern == "" {
		return 0, 0, fmt.Errorf("no pattern")
	}
	if len(pattern) > maxPattern {
		return 0, 0, fmt.Errorf("a pattern of %d bytes: at most %d are taken", len(pattern), maxPattern)
	}
	for flag := range strings.SplitSeq(flags, ",") {
		switch strings.TrimSpace(flag) {
		case "":
		case "REG_ICASE", "IGNORECASE":
			f.flags = addFlag(f.flags, "i")
		case "REG_DOT_NEWLINE", "REG_MULTILINE", "REG_LINE_ANY_CRLF": // three names of Ruby's MULTILINE
			f.flags = addFlag(f.flags, "s")
		default:
			return 0, 0, fmt.Errorf("pattern %q: unknown flag %q", pattern, flag)
		}
	}
	f.pattern = fromRuby(pattern)
	re, err := syntax.Parse(f.expression("m"), syntax.Perl)
	if err != nil {
		return 0, 0, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	for _, literal := range needs(re) {
		f.needs = append(f.needs, newNeed(literal))
	}
	return re.MaxCap(), stepsOf(re), nil
}

// stepsOf counts what a pattern is compiled to, in which a repetition stands as often as it may be repeated.
func stepsOf(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n += stepsOf(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return n
}

func addFlag(flags, flag string) string {
	if strings.Contains(flags, flag) {
		return flags
	}
	return flags + flag
}

// fromRuby gives inline flags the letters of package regexp: what Ruby calls m is s there.
func fromRuby(pattern string) string {
	var b strings.Builder
	class := false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			b.WriteByte(c)
			i++
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '(' && !class && strings.HasPrefix(pattern[i:], "(?"):
			n := 2 + len(pattern[i+2:]) - len(strings.TrimLeft(pattern[i+2:], "imx-"))
			b.WriteString(strings.ReplaceAll(pattern[i:i+n], "m", "s"))
			i += n - 1
			continue
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}

func (f *fingerprint) expression(more string) string {
	if flags := f.flags + more; flags != "" {
		return "(?" + flags + ")" + f.pattern
	}
	return f.pattern
}

// regexp returns the compiled pattern. In a text without line ends, the ends of a line are those of the text, which
// package regexp finds much faster.
func (f *fingerprint) regexp(lines bool) *regexp.Regexp {
	compiled, more := &f.text, ""
	if lines {
		compiled, more = &f.line, "m"
	}
	compiled.once.Do(func() { compiled.re = regexp.MustCompile(f.expression(more)) })
	return compiled.re
}

// near reports whether a text may match.
func (f *fingerprint) near(t *folded) bool {
	for i := range f.needs {
		n := &f.needs[i]
		if t.has.has(n.pairs[0]) && t.has.has(n.pairs[1]) && t.has.has(n.pairs[2]) && bytes.Contains(t.text, n.literal) {
			return true
		}
	}
	return len(f.needs) == 0
}
