package report

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/rawjson"
)

// A document is a record's JSON form, as findings point into it. It remembers what was looked up, since findings share
// their proofs and their proofs' parents.
type document struct {
	text  []byte
	known map[string]json.RawMessage
}

// documentOf returns the record's, or an empty object if it has none.
func documentOf(r finding.Record) *document {
	text, err := r.Document()
	if err != nil {
		text = []byte("{}")
	}
	return &document{text: text, known: map[string]json.RawMessage{}}
}

// maxPointer is far more than a rule needs. A stored one may be as long as its line.
const maxPointer = 1000

// resolve is [finding.Resolve] on the document, which is known to be valid.
func (d *document) resolve(pointer string) (json.RawMessage, error) {
	if value, ok := d.known[pointer]; ok {
		return value, nil
	}
	if len(pointer) > maxPointer {
		return nil, fmt.Errorf("a pointer of %d bytes", len(pointer))
	}
	last := strings.LastIndexByte(pointer, '/')
	if last <= 0 {
		return d.remember(pointer, d.text, pointer)
	}
	if parent, err := d.resolve(pointer[:last]); err == nil {
		if value, err := d.remember(pointer, parent, pointer[last:]); err == nil {
			return value, nil
		}
	}
	return rawjson.Resolve(d.text, pointer) // for the error, which names the whole pointer
}

func (d *document) remember(pointer string, in []byte, rest string) (json.RawMessage, error) {
	value, err := rawjson.Resolve(in, rest)
	if err == nil {
		d.known[pointer] = value
	}
	return value, err
}
