package textline

import "bytes"

// Opening looks at the beginning of what a server says: the code of the reply that it begins with, 0 where that isn't all
// there, and whether the reply's last line is. It reports false where no reply begins so, whatever follows.
func Opening(said []byte) (code int, whole, ok bool) {
	for first := true; ; first = false {
		line, rest, ended := bytes.Cut(said, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		c, _, more := ParseLine(line)
		switch {
		case first && c == 0 && (ended || !mayBegin(line)):
			return 0, false, false
		case first:
			code = c
		}
		if !ended || code != 0 && c == code && !more {
			return code, ended && c == code && !more, true
		}
		said = rest
	}
}

// mayBegin reports whether a line that isn't all there may become a reply's.
func mayBegin(line []byte) bool {
	for i, b := range line[:min(len(line), 3)] {
		if i == 0 && (b < '1' || b > '5') || !digit(b) {
			return false
		}
	}
	return len(line) < 4
}
