package fingerprint

import (
	"regexp/syntax"
	"strings"
	"unicode"
)

const (
	maxNeeds = 12 // literals to look for; more of them cost as much as the pattern
	minNeed  = 2  // bytes; shorter ones are in every text
)

// fold appends the text in lower case, as far as that is ASCII. The two runes beyond that equal a letter of ASCII but
// for their case are that letter.
func fold(b []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case 'A' <= c && c <= 'Z':
			b = append(b, c|0x20)
		case c == 0xC5 && strings.HasPrefix(text[i:], "\u017F"): // ſ
			b = append(b, 's')
			i++
		case c == 0xE2 && strings.HasPrefix(text[i:], "\u212A"): // the sign of kelvin
			b = append(b, 'k')
			i += 2
		default:
			b = append(b, c)
		}
	}
	return b
}

// needs returns folded literals of which a text holds at least one if the expression matches it; nil where there are no
// such literals.
func needs(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return longest(re.Rune)
	case syntax.OpCapture, syntax.OpPlus:
		return needs(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return needs(re.Sub[0])
		}
	case syntax.OpConcat:
		return needsOfAll(re.Sub)
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			n := needs(sub)
			if n == nil || len(all)+len(n) > maxNeeds {
				return nil
			}
			all = append(all, n...)
		}
		return all
	}
	return nil
}

// needsOfAll returns the best of what expressions that follow each other need.
func needsOfAll(subs []*syntax.Regexp) (best []string) {
	var run []rune
	keep := func(n []string) {
		if shortest(n) > shortest(best) {
			best = n
		}
	}
	for _, sub := range subs {
		if sub.Op == syntax.OpLiteral {
			run = append(run, sub.Rune...)
			continue
		}
		keep(longest(run))
		run = nil
		keep(needs(sub))
	}
	keep(longest(run))
	return best
}

// shortest returns the length of the shortest literal; 0 where there are none.
func shortest(literals []string) int {
	n := 0
	for i, l := range literals {
		if i == 0 || len(l) < n {
			n = len(l)
		}
	}
	return n
}

// longest returns the longest part of a literal that is ASCII, folded; nil where it is too short to be of use.
func longest(runes []rune) []string {
	best, from := []rune(nil), 0
	for i := range len(runes) + 1 {
		if i < len(runes) && runes[i] <= unicode.MaxASCII {
			continue
		}
		if i-from > len(best) {
			best = runes[from:i]
		}
		from = i + 1
	}
	if len(best) < minNeed {
		return nil
	}
	return []string{strings.ToLower(string(best))}
}
