// Package rawjson finds values in JSON text without decoding what stands around them: a stored result is some kilobytes, and a
// finding points at a word of it.
package rawjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// ErrSyntax says that the text around a value isn't JSON.
var ErrSyntax = errors.New("not a JSON object or array")

// Members yields the members of an object in their order, or one error. What stands between the values is checked; the
// values themselves are not: they end where they seem to.
func Members(object []byte) iter.Seq2[Member, error] { return members(object, (*scanner).value) }

// CheckedMembers is Members of an object whose values are checked as well.
func CheckedMembers(object []byte) iter.Seq2[Member, error] {
	return members(object, (*scanner).checked)
}

func members(object []byte, value func(*scanner) []byte) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		s := &scanner{object, 0}
		if !s.take('{') {
			yield(Member{}, ErrSyntax)
			return
		}
		for first := true; ; first = false {
			if first && s.take('}') {
				break
			}
			key := value(s)
			if len(key) == 0 || key[0] != '"' || !s.take(':') {
				yield(Member{}, ErrSyntax)
				return
			}
			m := Member{key, value(s)}
			if len(m.Value) == 0 {
				yield(Member{}, ErrSyntax)
				return
			}
			if !yield(m, nil) {
				return
			}
			if s.take('}') {
				break
			}
			if !s.take(',') {
				yield(Member{}, ErrSyntax)
				return
			}
		}
		if !s.ended() {
			yield(Member{}, ErrSyntax)
		}
	}
}

// A Member is one of an object.
type Member struct {
	key   []byte // with its quotes
	Value []byte
}

// Elements yields the elements of an array, as Members does the members of an object.
func Elements(array []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		s := scanner{array, 0}
		if !s.take('[') {
			yield(nil, ErrSyntax)
			return
		}
		for first := true; !first || !s.take(']'); first = false {
			v := s.value()
			if len(v) == 0 {
				yield(nil, ErrSyntax)
				return
			}
			if !yield(v, nil) {
				return
			}
			if s.take(']') {
				break
			}
			if !s.take(',') {
				yield(nil, ErrSyntax)
				return
			}
		}
		if !s.ended() {
			yield(nil, ErrSyntax)
		}
	}
}

// Name returns the member's name.
func (m Member) Name() (string, error) {
	if plain(m.key) {
		return string(m.key[1 : len(m.key)-1]), nil
	}
	var name string
	err := json.Unmarshal(m.key, &name)
	return name, err
}

// Is reports whether the member has the name.
func (m Member) Is(name string) bool {
	if plain(m.key) {
		return string(m.key[1:len(m.key)-1]) == name
	}
	given, err := m.Name()
	return err == nil && given == name
}

// Text returns what a JSON string says.
func Text(value []byte) (string, bool) {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' && plain(value) {
		return string(value[1 : len(value)-1]), true
	}
	var text string
	return text, len(value) > 0 && value[0] == '"' && json.Unmarshal(value, &text) == nil
}

// plain reports whether a quoted string means what stands between its quotes.
func plain(quoted []byte) bool {
	if len(quoted) < 2 {
		return false
	}
	for _, c := range quoted[1 : len(quoted)-1] {
		if c < ' ' || c > '~' || c == '\\' || c == '"' {
			return false
		}
	}
	return true
}

// Resolve returns the value in a valid JSON document that a pointer (RFC 6901) names. Of members of one name the last counts,
// as with package json.
func Resolve(document []byte, pointer string) (json.RawMessage, error) {
	value := document
	if pointer == "" {
		return value, nil
	}
	if pointer[0] != '/' {
		return nil, fmt.Errorf("pointer %q doesn't begin with a slash", pointer)
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		next, err := step(value, Unescape(token))
		if err != nil {
			return nil, fmt.Errorf("pointer %q: %w", pointer, err)
		}
		value = next
	}
	return value, nil
}

// Unescape returns what a token of a pointer stands for (RFC 6901 §4): ~1 is undone first, so that ~01 stays ~1.
func Unescape(token string) string {
	if !strings.Contains(token, "~") {
		return token
	}
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

func step(value []byte, token string) (found []byte, err error) {
	switch s := (scanner{value, 0}); {
	case s.peek() == '{':
		for m, err := range Members(value) {
			if err != nil {
				return nil, err
			}
			if m.Is(token) {
				found = m.Value
			}
		}
		if found == nil {
			return nil, fmt.Errorf("no member %q", token)
		}
		return found, nil
	case s.peek() == '[':
		n, err := strconv.Atoi(token)
		if err == nil && strconv.Itoa(n) == token {
			if found = s.element(n); found != nil {
				return found, nil
			}
		}
		return nil, fmt.Errorf("no element %q", token)
	}
	return nil, fmt.Errorf("%q is below a value that has no members", token)
}

// A scanner stands between two words of JSON text.
type scanner struct {
	text []byte
	at   int
}

// peek returns the first byte of the next word, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) ended() bool { return s.peek() == 0 && s.at == len(s.text) }

func (s *scanner) take(c byte) bool {
	if s.peek() != c || s.at == len(s.text) {
		return false
	}
	s.at++
	return true
}

// element returns the nth element of the array that follows, nil if there is none.
func (s *scanner) element(n int) []byte {
	if n < 0 || !s.take('[') {
		return nil
	}
	for ; ; n-- {
		v := s.value()
		if n == 0 || len(v) == 0 {
			return v
		}
		if !s.take(',') {
			return nil
		}
	}
}

// value passes over a value and returns it; nil if there is none.
func (s *scanner) value() []byte {
	c := s.peek()
	from := s.at
	switch c {
	case '"':
		s.string()
	case '{', '[':
		s.nested()
	default:
		s.word()
	}
	if s.at == from {
		return nil
	}
	return s.text[from:s.at:s.at]
}

// word passes over a number, a literal, or what is neither.
func (s *scanner) word() {
	for ; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case ',', ':', ']', '}', ' ', '\t', '\r', '\n':
			return
		}
	}
}

// string passes over a string.
func (s *scanner) string() {
	for s.at++; s.at < len(s.text); {
		i := bytes.IndexByte(s.text[s.at:], '"')
		if i < 0 {
			break
		}
		end := s.at + i
		escapes := 0
		for escapes < i && s.text[end-1-escapes] == '\\' {
			escapes++
		}
		s.at = end + 1
		if escapes%2 == 0 {
			return
		}
	}
	s.at = len(s.text)
}

// nested passes over an object or an array.
func (s *scanner) nested() {
	for depth := 0; s.at < len(s.text); {
		switch s.text[s.at] {
		case '"':
			s.string()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.at++
		if depth == 0 {
			return
		}
	}
}
