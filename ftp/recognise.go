package ftp

import (
	"bytes"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// Recognise implements detect.Recogniser.
func (Prober) Recognise(said []byte) probe.Recognition {
	// RFC 959 §5.4, and refusals that servers word so. Mail servers and others greet by the same codes, so that without a word of
	// either protocol it may be both.
	return textline.Recognise(said, []int{120, 220, 421, 500, 530}, []string{"SMTP", "LMTP", "FTP", "FILEZILLA", "SERV-U"}, "FTP", "FILEZILLA", "SERV-U")
}

// Questions implements detect.Asker: what servers answer before a login.
func (Prober) Questions() []string { return []string{"FEAT", "SYST"} }

// Question implements detect.Asker.
func (p Prober) Question(_ *probe.Session, n int) ([]byte, error) {
	return []byte(p.Questions()[n] + "\r\n"), nil
}

// Answers implements detect.Asker.
func (Prober) Answers(n int, reply []byte) probe.Recognition {
	// 211 (RFC 2389 §3.2) and 215 (RFC 959 §4.1.3) are answers of FTP's to these commands, and so is 530 that wants USER and
	// PASS first; mail servers that want a login say 530 otherwise, and the rest refuses.
	return textline.Answers(reply, func(code int) bool {
		return n == 0 && code == 211 || n == 1 && code == 215 || code == 530 && wantsLogin(reply)
	})
}

func wantsLogin(reply []byte) bool {
	text := bytes.ToUpper(reply)
	return bytes.Contains(text, []byte("USER")) && bytes.Contains(text, []byte("PASS")) || bytes.Contains(text, []byte("LOGGED IN"))
}
