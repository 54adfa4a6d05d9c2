package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/handclasp/handclasp/finding"
)

// A Block is what is told of one host, or of one cause.
type Block struct {
	Head  string
	Lines []Line
}

// A Line is one thing that is told.
type Line struct {
	Kind     string
	Severity finding.Severity // zero for none
	Text     string
}

// ChangeLine words what became of a finding.
func ChangeLine(c finding.Change) Line {
	port := fmt.Sprintf("%d/%s ", c.Endpoint.Port, c.Endpoint.Network)
	return Line{string(c.Status), c.Finding.Severity, port + c.Finding.ID + "  " + changeText(c)}
}

// NoteLine words a note.
func NoteLine(n finding.Note) Line {
	return Line{strings.ReplaceAll(string(n.Kind), "_", " "), 0, noteText(n)}
}

// WriteBlocks writes blocks for people to read.
func WriteBlocks(w io.Writer, blocks []Block, o TableOptions) error {
	t := NewTable(nil, o)
	var b bytes.Buffer
	for _, block := range blocks {
		fmt.Fprintln(&b, t.in(bold, fit(Clean(block.Head), t.width)))
		for _, line := range block.Lines {
			severity := ""
			if line.Severity > 0 {
				severity = t.in(severityStyles[line.Severity], strings.ToUpper(line.Severity.String()))
			}
			fmt.Fprintf(&b, "  %s%s%s\n", pad(line.Kind, 18), pad(severity, 10), fit(Clean(line.Text), t.width-30))
		}
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}
