package smtp

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

const transcripts = "testdata/transcripts/*.txt"

// lineReader gives the lines of b, as a connection does.
type lineReader struct{ b []byte }

func (r *lineReader) ReadLine() ([]byte, error) {
	line, rest, ok := bytes.Cut(r.b, []byte("\n"))
	r.b = rest
	if !ok {
		return line, probe.Errorf("read", probe.OutcomeClosed, "end")
	}
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

func FuzzEHLO(f *testing.F) {
	probetest.Seeds(f, transcripts)
	probetest.Seeds(f, "testdata/transcripts/captures/*.txt")
	f.Fuzz(func(t *testing.T, b []byte) {
		reply, _ := textline.ReadReply(&lineReader{b}, textline.EveryLine, 100)
		if name := parseHostname(reply); isDomain(name) {
			_, err := everyKnob.newGuard(probe.Contact{})(probe.LevelHandshake, []byte("VRFY abcdefghijklmnop@"+name+"\r\n"))
			require.NoError(t, err, "a server's name never makes a probe fail")
		}
		verifies(reply)
		if reply == nil {
			return
		}
		o := parseEHLO(reply.Lines)
		require.NotNil(t, o.extensions)
		require.NotNil(t, o.mechanisms)
		require.Len(t, o.keywords, len(o.extensions))
		require.LessOrEqual(t, len(o.mechanisms), maxMechanisms)
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(o.mechanisms))), len(o.mechanisms))
		o.stripped()
		unteased(reply)
		require.NotEmpty(t, reply.Lines)
	})
}

func FuzzChallenge(f *testing.F) {
	f.Add("TlRMTVNTUAACAAAAAAAAACAAAAAFgomiASNFZ4mrze8AAAAAAAAAAA==")
	f.Add("ntlm supported")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) { parseChallenge(text) })
}

// FuzzGuard checks what must hold for whatever the guard lets pass, without asking how it decided.
func FuzzGuard(f *testing.F) {
	for _, command := range []string{"STARTTLS\r\n", "QUIT\r\n", "*\r\n", "STARTTLS\r\nNOOP\r\n", negotiate + "\r\n", "AUTH NTLM " + negotiate + "\r\n", "AUTH NTLM\r\n",
		"EHLO [127.0.0.1]\r\n", "HELO mx.example.com\r\n", "VRFY abcdefghijklmnop\r\n", "MAIL FROM:<>\r\n", "EHLO x\r\nDATA\r\n"} {
		f.Add([]byte(command))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		label, err := everyKnob.newGuard(probe.Contact{})(probe.LevelHandshake, b)
		if err != nil {
			require.Empty(t, label)
			return
		}
		require.NotEmpty(t, label)
		if string(b) == "STARTTLS\r\nNOOP\r\n" {
			return
		}
		line := strings.TrimSuffix(string(b), "\r\n")
		require.NotContains(t, line, "\n")
		require.NotContains(t, line, "\r")
		require.NotContains(t, line, "\x00")
		require.Equal(t, line+"\r\n", string(b))
		require.LessOrEqual(t, len(b), 512)
		verb, _, _ := strings.Cut(line, " ")
		for _, forbidden := range []string{"MAIL", "RCPT", "DATA", "BDAT", "EXPN", "ETRN", "RSET", "HELP", "SEND", "SOML", "SAML", "TURN", "BURL"} {
			require.False(t, strings.EqualFold(verb, forbidden))
		}
		_, err = everyKnob.newGuard(probe.Contact{})(probe.LevelGreeting, b)
		require.Error(t, err)
	})
}
