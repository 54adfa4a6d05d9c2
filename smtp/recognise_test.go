package smtp

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/probe"
)

var _ detect.Asker = Prober{}

func TestRecognise(t *testing.T) {
	for said, want := range map[string]probe.Recognition{
		"": probe.Undecided, "220": probe.Undecided, "220 mx ESMTP": probe.Undecided, "220-mx ready\r\n": probe.Undecided,
		"220 mx ESMTP\r\n": probe.Recognised, "220-mx ESMTP\r\n": probe.Recognised, "554 no SMTP here\r\n": probe.Recognised,
		"220 ready\r\n": probe.Possible, "421 busy\r\n": probe.Possible, "554 no\r\n": probe.Possible, "220 smtp.example.org\r\n": probe.Possible,
		"220 FTP\r\n": probe.Foreign, "220 mx LMTP\r\n": probe.Foreign, "200 ready\r\n": probe.Foreign, "* OK\r\n": probe.Foreign,
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
		{0, "250-mx\r\n"}: probe.Undecided, {0, ""}: probe.Undecided, {0, "250-mx\r\n250 SIZE\r\n"}: probe.Recognised, {1, "250 mx\r\n"}: probe.Recognised,
		{0, "500 what\r\n"}: probe.Foreign, {0, "220 ready\r\n"}: probe.Foreign, {1, "502 no\r\n"}: probe.Foreign, {0, "hello\r\n"}: probe.Foreign,
	} {
		require.Equal(t, want, Prober{}.Answers(a.n, []byte(a.reply)), "%+q", a)
	}
}
