package ftp

import (
	"bytes"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// Recognise implements [probe.Recogniser]. Mail servers greet by 220 as well, so that without a word of either protocol
// it may be both.
func (Prober) Recognise(said []byte) probe.Recognition {
	code, whole, ok := textline.Opening(said)
	text := bytes.ToUpper(said)
	switch {
	case !ok:
		return probe.Foreign
	case code == 0:
		return probe.Undecided
	case code != 120 && code != 220 && code != 421 && code != 500 && code != 530: // RFC 959 §5.4, and refusals that servers word so
		return probe.Foreign
	case bytes.Contains(text, []byte("SMTP")):
		return probe.Foreign
	case bytes.Contains(text, []byte("FTP")), bytes.Contains(text, []byte("FILEZILLA")), bytes.Contains(text, []byte("SERV-U")):
		return probe.Recognised
	case !whole:
		return probe.Undecided
	}
	return probe.Possible
}
