package smtp

import (
	"bytes"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// Recognise implements [probe.Recogniser]. FTP servers greet by 220 as well, so that without a word of either protocol it
// may be either.
func (Prober) Recognise(said []byte) probe.Recognition {
	code, whole, ok := textline.Opening(said)
	text := bytes.ToUpper(said)
	switch {
	case !ok:
		return probe.Foreign
	case code == 0:
		return probe.Undecided
	case code != 220 && code != 421 && code != 554: // RFC 5321 §3.1 and §4.3.2
		return probe.Foreign
	case bytes.Contains(text, []byte("SMTP")):
		return probe.Recognised
	case bytes.Contains(text, []byte("FTP")):
		return probe.Foreign
	case !whole:
		return probe.Undecided
	}
	return probe.Possible
}

// Question implements [probe.Asker]: it is EHLO, which mail servers alone accept.
func (Prober) Question(s *probe.Session) ([]byte, error) { return []byte(ehlo(s) + "\r\n"), nil }

// Answers implements [probe.Asker].
func (Prober) Answers(reply []byte) probe.Recognition {
	code, whole, ok := textline.Opening(reply)
	switch {
	case !ok, code != 0 && code != 250:
		return probe.Foreign
	case !whole:
		return probe.Undecided
	}
	return probe.Recognised
}
