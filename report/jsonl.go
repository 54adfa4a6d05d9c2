package report

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/handclasp/handclasp/finding"
)

// JSONL writes records as JSON, one a line, each with one call to Write as soon as it is given. Characters that act on
// terminals, and those that nobody sees, are spelled \u001b as JSON does, which means the same to a program. It is used
// by one goroutine at a time.
type JSONL struct {
	w             io.Writer
	line, spelled []byte // kept for the next record
}

// NewJSONL returns a writer of JSON lines to w.
func NewJSONL(w io.Writer) *JSONL { return &JSONL{w: w} }

// lineKept is the longest line whose memory is kept: more than nearly all records take.
const lineKept = 64 << 10

// Write writes one record.
func (j *JSONL) Write(r finding.Record) error {
	line, err := j.Line(r)
	if err == nil {
		_, err = j.w.Write(line)
	}
	return err
}

// Line returns the line that Write writes, for another to write it. It is overwritten by the next call of either.
func (j *JSONL) Line(r finding.Record) ([]byte, error) {
	line, err := r.AppendJSON(j.line[:0])
	if err != nil {
		return nil, err
	}
	line = append(line, '\n')
	j.line = retained(line)
	if !plainJSON(line) {
		line = appendSpelled(j.spelled[:0], line)
		j.spelled = retained(line)
	}
	return line, nil
}

func retained(b []byte) []byte {
	if cap(b) > lineKept {
		return nil
	}
	return b
}

// Close returns nil: everything is written already.
func (j *JSONL) Close() error { return nil }

// CleanJSON writes characters of compact JSON as [Clean] would, in JSON's own way. They stand in strings only.
func CleanJSON(json []byte) []byte {
	if plainJSON(json) {
		return json
	}
	return appendSpelled(make([]byte, 0, len(json)+len(json)/8), json)
}

// plainJSON reports whether nothing is to be spelled: what is below a blank is so already.
func plainJSON(json []byte) bool {
	const high, one = 0x8080808080808080, 0x0101010101010101
	for ; len(json) >= 8; json = json[8:] { // eight at once: 0x7f and one more has the high bit, too
		if word := binary.NativeEndian.Uint64(json); (word|(word+one))&high != 0 {
			return false
		}
	}
	for _, c := range json {
		if c >= 0x7f {
			return false
		}
	}
	return true
}

func appendSpelled(b, json []byte) []byte {
	for len(json) > 0 {
		plain := 0
		for plain < len(json) && json[plain] < 0x7f {
			plain++
		}
		b = append(b, json[:plain]...)
		if json = json[plain:]; len(json) == 0 {
			break
		}
		r, n := utf8.DecodeRune(json)
		switch {
		case r == utf8.RuneError && n == 1: // none of a JSON encoder's
			b = utf8.AppendRune(b, utf8.RuneError)
		case strconv.IsPrint(r) && !unicode.Is(invisible, r):
			b = append(b, json[:n]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
		json = json[n:]
	}
	return b
}
