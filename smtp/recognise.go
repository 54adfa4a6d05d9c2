package smtp

import (
	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// Recognise implements detect.Recogniser. FTP servers and others greet by the same codes, so that without a word of either
// protocol it may be both.
func (Prober) Recognise(said []byte) probe.Recognition {
	return textline.Recognise(said, []int{220, 421, 554}, greetingWords, "SMTP") // RFC 5321 §3.1 and §4.3.2
}

// Questions implements detect.Asker: commands that mail servers alone accept, of which old ones know HELO only.
func (Prober) Questions() []string { return []string{"EHLO", "HELO"} }

// Question implements detect.Asker.
func (p Prober) Question(s *probe.Session, n int) ([]byte, error) {
	return []byte(p.Questions()[n] + " " + ownName(s) + "\r\n"), nil
}

// Answers implements detect.Asker.
func (Prober) Answers(_ int, reply []byte) probe.Recognition {
	return textline.Answers(reply, func(code int) bool { return code == 250 })
}
