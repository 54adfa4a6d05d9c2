package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf16"
)

// JSONL writes records as JSON, one a line, each with one call to Write as soon as it is given. Characters that act on
// terminals, and those that nobody sees, are spelled \u001b as JSON does, which means the same to a program.
type JSONL struct {
	w io.Writer
}

// NewJSONL returns a writer of JSON lines to w.
func NewJSONL(w io.Writer) *JSONL { return &JSONL{w: w} }

// Write writes one record.
func (j *JSONL) Write(r Record) error {
	line, err := r.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = j.w.Write(append(spell(line), '\n'))
	return err
}

// Close returns nil: everything is written already.
func (j *JSONL) Close() error { return nil }

// spell writes characters of compact JSON as [Clean] would, in JSON's own way. They stand in strings only.
func spell(json []byte) []byte {
	if !slices.ContainsFunc(json, func(b byte) bool { return b >= 0x7f }) { // what is below a blank is spelled already
		return json
	}
	quiet := func(r rune) bool { return strconv.IsPrint(r) && !unicode.Is(invisible, r) }
	var b bytes.Buffer
	for _, r := range string(json) {
		switch {
		case quiet(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}
