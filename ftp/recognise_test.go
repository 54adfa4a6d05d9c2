package ftp

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/probe"
)

var _ detect.Asker = Prober{}

func TestRecognise(t *testing.T) {
	for said, want := range map[string]probe.Recognition{
		"": probe.Undecided, "22": probe.Undecided, "220": probe.Undecided, "220 FTP": probe.Undecided, "220-hello\r\n": probe.Undecided,
		"220 FTP\r\n": probe.Recognised, "220 (vsFTPd 3.0.3)\r\n": probe.Recognised, "220-FileZilla Server\r\n": probe.Recognised,
		"220 Serv-U ready\r\n": probe.Recognised, "500 OOPS: vsftpd: no\r\n": probe.Recognised, "530 FTP for members\r\n": probe.Recognised,
		"220 ready\r\n": probe.Possible, "421 busy\r\n": probe.Possible, "530 no\r\n": probe.Possible, "220 ftp.example.org\r\n": probe.Possible,
		"220 mx ESMTP\r\n": probe.Foreign, "220 mx LMTP\r\n": probe.Foreign, "200 ready\r\n": probe.Foreign, "hello\r\n": probe.Foreign, "SSH-": probe.Foreign,
	} {
		require.Equal(t, want, Prober{}.Recognise([]byte(said)), "%q", said)
	}
}

// An answer is what this protocol alone says to the n-th question.
func TestAnswers(t *testing.T) {
	type answer struct {
		n     int
		reply string
	}
	for a, want := range map[answer]probe.Recognition{
		{0, "211-Features\r\n"}: probe.Undecided, {0, ""}: probe.Undecided, {0, "211-Features\r\n UTF8\r\n211 End\r\n"}: probe.Recognised,
		{0, "211 no features\r\n"}: probe.Recognised, {1, "215 UNIX Type: L8\r\n"}: probe.Recognised,
		{0, "530 Please login with USER and PASS.\r\n"}: probe.Recognised, {1, "530 Not logged in.\r\n"}: probe.Recognised,
		{0, "530 Access denied\r\n"}: probe.Foreign, {0, "530 5.7.0 Authentication required\r\n"}: probe.Foreign, {0, "500 what\r\n"}: probe.Foreign,
		{0, "215 UNIX\r\n"}: probe.Foreign, {1, "211 status\r\n"}: probe.Foreign, {0, "250 ok\r\n"}: probe.Foreign, {0, "HTTP/1.1 400\r\n"}: probe.Foreign,
	} {
		require.Equal(t, want, Prober{}.Answers(a.n, []byte(a.reply)), "%+q", a)
	}
}
