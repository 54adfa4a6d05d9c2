package report

import "io"

// JSONL writes records as JSON, one a line, each with one call to Write as soon as it is given.
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
	_, err = j.w.Write(append(line, '\n'))
	return err
}
