package fingerprint

import (
	"regexp/syntax"
	"strconv"
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

// A need is a literal, folded, and three of its pairs of bytes. Few texts have them all, and that is learned much faster
// than whether they hold the literal.
type need struct {
	literal []byte
	pairs   [3]uint16
}

// String returns the literal.
func (n need) String() string { return strconv.Quote(string(n.literal)) }

func newNeed(literal string) need {
	last := len(literal) - 2
	return need{literal: []byte(literal), pairs: [3]uint16{
		pair(literal[0], literal[1]), pair(literal[last/2], literal[last/2+1]), pair(literal[last], literal[last+1]),
	}}
}

// pairs says which pairs of bytes a text has. Pairs may share a bit.
type pairs [16]uint64

func pair(a, b byte) uint16 { return (uint16(a)*37 + uint16(b)) % uint16(64*len(pairs{})) }

// A folded text has its pairs of bytes beside it.
type folded struct {
	text []byte
	has  pairs
}

// newFolded folds the text behind b.
func newFolded(b []byte, text string) (f folded) {
	f.text = fold(b, text)
	f.has.of(f.text)
	return f
}

// of adds the pairs of a folded text.
func (p *pairs) of(text []byte) {
	for i := range len(text) - 1 {
		n := pair(text[i], text[i+1])
		p[n/64] |= 1 << (n % 64)
	}
}

func (p *pairs) has(n uint16) bool { return p[n/64]&(1<<(n%64)) != 0 }

// needs returns folded literals of which a text holds at least one if the expression matches it; nil if there are no
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

// shortest returns the length of the shortest literal; 0 if there are none.
func shortest(literals []string) int {
	n := 0
	for i, l := range literals {
		if i == 0 || len(l) < n {
			n = len(l)
		}
	}
	return n
}

// longest returns the longest part of a literal that is ASCII, folded; nil if it is too short to be of use.
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
