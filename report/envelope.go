package report

import "io"

// An envelope is a document around what is written as it comes.
type envelope struct {
	w          io.Writer
	head, tail string
	began      bool
	failed     error // that of the first write that failed; none follows it
}

// write writes a part, behind the head if it is the first.
func (e *envelope) write(part []byte) error {
	if !e.began {
		e.began = true
		part = append([]byte(e.head), part...)
	}
	if e.failed == nil && len(part) > 0 {
		_, e.failed = e.w.Write(part)
	}
	return e.failed
}

// close writes the tail. It doesn't close the writer.
func (e *envelope) close() error { return e.write([]byte(e.tail)) }
