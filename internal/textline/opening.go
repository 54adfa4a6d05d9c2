package textline

import (
	"bytes"
	"slices"
	"strings"

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
	word := Word(said, words...)
	switch {
	case !ok, code != 0 && !slices.Contains(codes, code), word != "" && !slices.Contains(own, word):
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
	if !slices.ContainsFunc(words, func(word string) bool { return mentions(said, word) }) {
		return "" // most greetings name one protocol, and are asked for others
	}
	for line := range bytes.Lines(said) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		tokens := strings.FieldsFunc(strings.ToUpper(string(line)), func(r rune) bool {
			return r != '.' && r != '-' && r != '_' && !('0' <= r && r <= '9') && !('A' <= r && r <= 'Z')
		})
		tokens = slices.DeleteFunc(tokens, isHostName)
		for _, word := range words {
			if slices.ContainsFunc(tokens, func(token string) bool { return strings.Contains(token, word) }) {
				return word
			}
		}
	}
	return ""
}

// mentions reports whether a word in capitals stands anywhere, in whatever letters.
func mentions(said []byte, word string) bool {
	for ; len(said) >= len(word); said = said[1:] {
		n := 0
		for n < len(word) && (said[n] == word[n] || 'a' <= said[n] && said[n] <= 'z' && said[n]-'a'+'A' == word[n]) {
			n++
		}
		if n == len(word) {
			return true
		}
	}
	return false
}

// isHostName reports whether a word in capitals looks like one: it has a dot, and ends in a label of letters alone.
func isHostName(word string) bool {
	word = strings.Trim(word, ".-")
	top := word[strings.LastIndexByte(word, '.')+1:]
	return top != word && strings.Trim(top, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
