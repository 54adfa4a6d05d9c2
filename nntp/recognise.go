package nntp

import (
	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// Recognise implements detect.Recogniser. Others greet by the same codes (RFC 3977 §5.1), such as CDDBP and poppassd, so that
// a word is needed.
func (Prober) Recognise(said []byte) probe.Recognition {
	words := []string{"NNTP", "NNRP", "NETNEWS", "POSTING"}
	return textline.Recognise(said, []int{codePosting, codeNoPosting, codeDiscontinued, codeNotPermitted}, words, words...)
}

// Questions implements detect.Asker: what readers say first, today and before there was CAPABILITIES.
func (Prober) Questions() []string { return []string{"CAPABILITIES", "MODE READER"} }

// Question implements detect.Asker.
func (p Prober) Question(_ *probe.Session, n int) ([]byte, error) {
	return []byte(p.Questions()[n] + "\r\n"), nil
}

// Answers implements detect.Asker: 101, the greetings' codes again, or a login or TLS that is wanted first (RFC 3977 §5.2,
// §5.3, §3.2.1).
func (Prober) Answers(n int, reply []byte) probe.Recognition {
	return textline.Answers(reply, func(code int) bool {
		return n == 0 && code == codeCapabilities || n == 1 && (code == codePosting || code == codeNoPosting) ||
			code == codeWantsLogin || code == codeWantsTLS
	})
}
