package nntp

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/probe"
)

var _ detect.Asker = Prober{}

func TestRecognise(t *testing.T) {
	for said, want := range map[string]probe.Recognition{
		"": probe.Undecided, "20": probe.Undecided, "200": probe.Undecided, "200 NNTP": probe.Undecided,
		"200 INN NNRP server\r\n": probe.Recognised, "201 posting prohibited\r\n": probe.Recognised, "200 Leafnode NNTP daemon\r\n": probe.Recognised,
		"200 InterNetNews server\r\n": probe.Recognised, "502 NNTP is for members\r\n": probe.Recognised,
		"200 hello\r\n": probe.Possible, "201 hello\r\n": probe.Possible, "400 busy\r\n": probe.Possible, "502 no\r\n": probe.Possible,
		"200 nntp.example.org\r\n": probe.Possible, "220 NNTP\r\n": probe.Foreign, "HTTP/1.1 200\r\n": probe.Foreign,
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
		{0, "101 list\r\n"}: probe.Recognised, {0, "480 login\r\n"}: probe.Recognised, {1, "483 TLS\r\n"}: probe.Recognised,
		{1, "200 reader\r\n"}: probe.Recognised, {1, "201 reader\r\n"}: probe.Recognised, {0, "101 list"}: probe.Undecided, {1, ""}: probe.Undecided,
		{0, "200 hello\r\n"}: probe.Foreign, {1, "101 list\r\n"}: probe.Foreign, {0, "500 what\r\n"}: probe.Foreign, {0, "hello\r\n"}: probe.Foreign,
	} {
		require.Equal(t, want, Prober{}.Answers(a.n, []byte(a.reply)), "%+q", a)
	}
}
