package ssh

import (
	"bytes"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// Recognise implements detect.Recogniser. Lines of text may come before the identification (RFC 4253 §4.2).
func (Prober) Recognise(said []byte) probe.Recognition {
	for {
		line, rest, whole := bytes.Cut(said, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case bytes.HasPrefix(line, []byte("SSH-")):
			return probe.Recognised
		case whole && (string(line) == "Not allowed at this time" || string(line) == "Exceeded MaxStartups"): // OpenSSH turns clients away so
			return probe.Recognised
		case !whole && strings.HasPrefix("SSH-", string(line)):
			return probe.Undecided
		case foreign(line), bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0xfffd }):
			return probe.Foreign
		case !whole:
			return probe.Undecided
		}
		said = rest
	}
}
