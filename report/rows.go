package report

import (
	"bytes"
	"encoding/binary"
	"strings"

	textset "github.com/handclasp/handclasp/internal/texts"
)

// rows keep texts in little memory: each line once, since what a finding is and how it is known is the same at most endpoints.
type rows struct{ lines textset.Set }

// pack returns the numbers of a text's lines.
func (r *rows) pack(text string) (packed []byte) {
	for line := range strings.Lines(text) {
		n, _ := r.lines.Add(line)
		packed = binary.AppendUvarint(packed, uint64(n))
	}
	return packed
}

// unpack appends the text to b.
func (r *rows) unpack(b *bytes.Buffer, packed []byte) {
	for len(packed) > 0 {
		n, width := binary.Uvarint(packed)
		b.WriteString(r.lines.Text(int(n)))
		packed = packed[width:]
	}
}
