package textline

import (
	"bytes"
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// Opening looks at the beginning of what a server says: the code of the reply that it begins with, 0 if that isn't all
// there, and whether the reply's last line is. It reports false if no reply begins so, whatever follows.
func Opening(said []byte) (code int, whole, ok bool) {
	for first := true; ; first = false {
		line, rest, ended := bytes.Cut(said, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		c, _, more := ParseLine(line)
		switch {
		case first && c == 0 && (ended || !mayBegin(line)):
			return 0, false, false
		case first:
			code = c
		}
		if !ended || code != 0 && c == code && !more {
			return code, ended && c == code && !more, true
		}
		said = rest
	}
}

// mayBegin reports whether a line that isn't all there may become a reply's.
func mayBegin(line []byte) bool {
	for i, b := range line[:min(len(line), 3)] {
		if i == 0 && (b < '1' || b > '5') || !digit(b) {
			return false
		}
	}
	return len(line) < 4
}

// Recognise judges a greeting by its code, and by which of the words, of which some are the protocol's own, stands in it
// first, as [Word] finds it. Without a word it may be the protocol's.
func Recognise(said []byte, codes []int, words []string, own ...string) probe.Recognition {
	code, whole, ok := Opening(said)
	if !ok || code != 0 && !slices.Contains(codes, code) {
		return probe.Foreign
	}
	switch word := Word(said, words...); {
	case word != "" && !slices.Contains(own, word):
		return probe.Foreign
	case word != "":
		return probe.Recognised
	case whole:
		return probe.Possible
	}
	return probe.Undecided
}

// Answers judges a reply by its code, once it is whole.
func Answers(reply []byte, proves func(code int) bool) probe.Recognition {
	code, whole, ok := Opening(reply)
	switch {
	case !ok, whole && !proves(code):
		return probe.Foreign
	case whole:
		return probe.Recognised
	}
	return probe.Undecided
}

// Word returns the first of the words that stands in a line which is all there, in capital letters or small ones: of the
// earliest line that has any. Host names don't count: ftp.example.org may be a mail server. The words are in capitals.
func Word(said []byte, words ...string) string {
	for line := range bytes.Lines(said) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		for _, word := range words {
			if says(line, word) {
				return word
			}
		}
	}
	return ""
}

// says reports whether a word in capitals stands in a line, in whatever letters, and isn't part of a host name.
func says(line []byte, word string) bool {
	for from := 0; from <= len(line)-len(word); from++ {
		if !beginsWith(line[from:], word) {
			continue
		}
		begin, end := from, from+len(word)
		for begin > 0 && ofName(line[begin-1]) {
			begin--
		}
		for end < len(line) && ofName(line[end]) {
			end++
		}
		if !isHostName(line[begin:end]) {
			return true
		}
		from = end
	}
	return false
}

// beginsWith reports whether a text begins with a word in capitals, in whatever letters.
func beginsWith(text []byte, word string) bool {
	for i := range len(word) {
		if capital(text[i]) != word[i] {
			return false
		}
	}
	return true
}

func capital(b byte) byte {
	if 'a' <= b && b <= 'z' {
		return b - 'a' + 'A'
	}
	return b
}

func letter(b byte) bool { return 'A' <= capital(b) && capital(b) <= 'Z' }

// ofName reports whether a host name may hold a character.
func ofName(b byte) bool { return letter(b) || digit(b) || b == '.' || b == '-' || b == '_' }

// isHostName reports whether a word looks like one: it has a dot, and ends in a label of letters alone.
func isHostName(word []byte) bool {
	word = bytes.Trim(word, ".-")
	dot := bytes.LastIndexByte(word, '.')
	return dot >= 0 && !slices.ContainsFunc(word[dot+1:], func(b byte) bool { return !letter(b) })
}
