package service

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Openings only save time.
func FuzzName(f *testing.F) {
	for _, said := range []string{
		"HTTP/1.1 400 Bad Request\r\n", "<!DOCTYPE html>", "+OK POP3\r\n", "* BYE later\r\n", "220 x <auth> <1@x>\r\n", "\xff\xfb\x01", "J\x00\x00\x00\x0a8.0.36\x00",
		"200 Hello, who are you?\r\n", "Fri Nov 27 09:55:43 2026\r\n", "01234 ERR", "\x00\x00\x00\x0bSynergy", "220 ready\r\n",
	} {
		f.Add([]byte(said))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		name := Name(said)
		if len(said) == 0 || name == lmtp {
			return
		}
		text, want := latin1(said[:min(len(said), most)]), ""
		for _, n := range names {
			if n.begins.compile().MatchString(text) {
				want = n.service
				break
			}
		}
		require.Equal(t, want, name, "an opening kept a pattern from being tried")
	})
}

// A date that goes on in words is somebody else's, such as a line of a log.
func TestNameOfDates(t *testing.T) {
	for said, want := range map[string]string{
		"Sat Nov 28 02:00:01 2026\r\n":                                      "daytime",
		"61372 26-11-28 02:00:01 00 0 0 895.4 UTC(NIST) * \n":               "daytime",
		"Saturday, November 28, 2026 02:00:01-UTC\r\n":                      "daytime",
		"Sat Nov 28 02:00:01 2026 the server is full, come again later\r\n": "",
	} {
		require.Equal(t, want, Name([]byte(said)), said)
	}
}
