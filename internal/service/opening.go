package service

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"sync"
)

// An opening is what a text needs for an expression to match it: one of these characters at each of the first places, and a
// literal. Few texts have that of an expression that doesn't match, and it is learned much faster than by running it.
type opening struct {
	first   [places]charset
	literal []byte // anywhere; empty for none
}

// places is how many of the first characters an opening knows.
const places = 4

// A charset is a set of characters of ISO 8859-1.
type charset [256 / 64]uint64

func (s *charset) add(c byte)      { s[c/64] |= 1 << (c % 64) }
func (s *charset) has(c byte) bool { return s[c/64]&(1<<(c%64)) != 0 }

var anyChar = charset{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}

// admits reports whether the expression may match a text.
func (o *opening) admits(text []byte) bool {
	for i := range min(len(text), len(o.first)) {
		if !o.first[i].has(text[i]) {
			return false
		}
	}
	return bytes.Contains(text, o.literal)
}

// candidates are the names that a text which begins with a character may have, worked out when they are first needed.
var candidates = sync.OnceValue(func() [][]candidate {
	all := make([][]candidate, 256)
	for _, n := range names {
		o := openingOf(n.begins.text)
		for c := range all {
			if o.first[0].has(byte(c)) {
				all[c] = append(all[c], candidate{n.service, n.begins.compile, &o})
			}
		}
	}
	return all
})

// A candidate is a name with its expression and the opening of that.
type candidate struct {
	service string
	compile func() *regexp.Regexp
	opening *opening
}

// openingOf returns the opening of an expression that begins with the text.
func openingOf(expression string) (o opening) {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		panic(err)
	}
	re = re.Simplify()
	prog, err := syntax.Compile(re)
	if err != nil {
		panic(err)
	}
	o.literal = literalOf(re)
	next := []uint32{uint32(prog.Start)}
	for i := range o.first {
		w := walk{prog: prog, seen: map[uint32]bool{}}
		for _, pc := range next {
			w.follow(pc)
		}
		if w.matched { // whatever comes now
			for ; i < len(o.first); i++ {
				o.first[i] = anyChar
			}
			break
		}
		next = next[:0]
		for _, inst := range w.reads {
			o.first[i].addAll(inst)
			next = append(next, inst.Out)
		}
	}
	return o
}

// literalOf returns the longest literal of all that the expression matches, what its first places tell aside; nil if there is none.
func literalOf(re *syntax.Regexp) (longest []byte) {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return bytesOf(re.Rune)
		}
	case syntax.OpCapture:
		return literalOf(re.Sub[0])
	case syntax.OpConcat:
		for i, sub := range re.Sub {
			l := literalOf(sub)
			if i == 0 && sub.Op == syntax.OpLiteral {
				l = l[min(len(l), places):]
			}
			if len(l) > len(longest) {
				longest = l
			}
		}
	}
	return longest
}

// bytesOf returns characters of ISO 8859-1 as bytes.
func bytesOf(chars []rune) []byte {
	b := make([]byte, len(chars))
	for i, c := range chars {
		b[i] = byte(c)
	}
	return b
}

// addAll adds the characters that an instruction reads.
func (s *charset) addAll(inst *syntax.Inst) {
	for c := range 256 {
		switch {
		case inst.Op == syntax.InstRuneAny, inst.Op == syntax.InstRuneAnyNotNL && c != '\n':
		case inst.Op == syntax.InstRuneAnyNotNL || !inst.MatchRune(rune(c)):
			continue
		}
		s.add(byte(c))
	}
}

// A walk collects what an expression may read next.
type walk struct {
	prog    *syntax.Prog
	seen    map[uint32]bool
	reads   []*syntax.Inst
	matched bool // nothing more needs to be read
}

func (w *walk) follow(pc uint32) {
	if w.seen[pc] {
		return
	}
	w.seen[pc] = true
	switch inst := &w.prog.Inst[pc]; inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		w.follow(inst.Out)
		w.follow(inst.Arg)
	case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
		w.follow(inst.Out)
	case syntax.InstMatch:
		w.matched = true
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		w.reads = append(w.reads, inst)
	}
}
