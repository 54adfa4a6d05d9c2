package probe

import (
	"strings"
	"unicode/utf8"
)

// A Reply is a reply of the protocols that answer with a three-digit code: FTP (RFC 959 §4.2), SMTP (RFC 5321 §4.2)
// and NNTP (RFC 3977 §3.2).
type Reply struct {
	// Code is the reply's code, 100 to 599; 0 if a line came that has none.
	Code int `json:"code"`
	// Lines are the reply's lines without their code and line ending; never empty for a reply that was read.
	Lines []string `json:"lines"`
	// Lossy says that a line held bytes that aren't UTF-8 and were replaced by U+FFFD; the transcript has them.
	Lossy bool `json:"lossy,omitempty"`
}

// Text returns the lines joined by "\n".
func (r *Reply) Text() string {
	if r == nil {
		return ""
	}
	return strings.Join(r.Lines, "\n")
}

// Is reports whether r is a reply with one of the codes. A nil reply has none.
func (r *Reply) Is(codes ...int) bool {
	if r == nil {
		return false
	}
	for _, c := range codes {
		if r.Code == c {
			return true
		}
	}
	return false
}

// UTF8 returns b as a string with bytes that aren't UTF-8 replaced by U+FFFD, and whether any were.
func UTF8(b []byte) (s string, lossy bool) {
	s = string(b)
	if utf8.Valid(b) { // eight bytes at a time
		return s, false
	}
	return strings.ToValidUTF8(s, "\uFFFD"), true
}
