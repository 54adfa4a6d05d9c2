package rawjson

import "bytes"

// maxDepth is how deep values may be nested, as in package json.
const maxDepth = 10000

// checked is value, but nil if what follows is no value by RFC 8259, whose UTF-8 isn't looked at.
func (s *scanner) checked() []byte {
	s.peek()
	from := s.at
	if !s.check(0) {
		return nil
	}
	return s.text[from:s.at:s.at]
}

// check passes over a value, if it is one.
func (s *scanner) check(depth int) bool {
	switch c := s.peek(); {
	case depth > maxDepth:
		return false
	case c == '"':
		return s.checkString()
	case c == '{':
		return s.checkAll('}', func() bool { return s.peek() == '"' && s.checkString() && s.take(':') && s.check(depth+1) })
	case c == '[':
		return s.checkAll(']', func() bool { return s.check(depth + 1) })
	case c == '-' || '0' <= c && c <= '9':
		return s.checkNumber()
	}
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.text[s.at:], []byte(word)) {
			s.at += len(word)
			return true
		}
	}
	return false
}

// checkAll passes over the members or elements of an object or an array.
func (s *scanner) checkAll(end byte, one func() bool) bool {
	s.at++
	if s.take(end) {
		return true
	}
	for one() {
		if s.take(end) {
			return true
		}
		if !s.take(',') {
			break
		}
	}
	return false
}

// checkString passes over a string.
func (s *scanner) checkString() bool {
	for i := s.at + 1; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			return true
		case c < ' ':
			return false
		case c == '\\':
			if s.at = i + 1; s.at == len(s.text) || !s.checkEscape() {
				return false
			}
			i = s.at
		}
	}
	return false
}

// checkEscape stands behind a backslash, and then on the last byte of what it begins.
func (s *scanner) checkEscape() bool {
	if s.text[s.at] != 'u' {
		return bytes.IndexByte([]byte(`"\/bfnrt`), s.text[s.at]) >= 0
	}
	if len(s.text)-s.at <= 4 {
		return false
	}
	for range 4 {
		s.at++
		if bytes.IndexByte([]byte("0123456789abcdefABCDEF"), s.text[s.at]) < 0 {
			return false
		}
	}
	return true
}

// checkNumber passes over a number.
func (s *scanner) checkNumber() bool {
	s.skip('-')
	if !s.skip('0') && s.digits() == 0 {
		return false
	}
	if s.skip('.') && s.digits() == 0 {
		return false
	}
	if s.skip('e') || s.skip('E') {
		if !s.skip('-') {
			s.skip('+')
		}
		return s.digits() > 0
	}
	return true
}

func (s *scanner) skip(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) digits() (n int) {
	for ; s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9'; n++ {
		s.at++
	}
	return n
}
