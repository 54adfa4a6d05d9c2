package ftp

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

func reply(code int, lines ...string) *probe.Reply { return &probe.Reply{Code: code, Lines: lines} }

func TestParseFeatures(t *testing.T) {
	require.Equal(t, []string{"AUTH TLS", "UTF8"}, parseFeatures(reply(211, "Features:", " AUTH TLS", "", "\tUTF8 ", "End")))
	require.Equal(t, []string{}, parseFeatures(reply(211, "none")))
	require.Equal(t, []string{}, parseFeatures(reply(211, "none", "End")))
	require.Equal(t, []string{}, parseFeatures(reply(500, "a", "b", "c")))
	for _, r := range []*probe.Reply{nil, reply(530, "log in"), reply(503, "log in"), reply(450, "not now")} {
		require.Nil(t, parseFeatures(r))
	}
	require.True(t, hasFeature([]string{"mlst type*;"}, "MLST"))
	require.False(t, hasFeature([]string{"MLSTX", "X MLST"}, "MLST"))
}

func TestParseDirectory(t *testing.T) {
	for text, want := range map[string]string{
		`"/"`: "/", `"/a ""b"" c" is current`: `/a "b" c`, `"" is empty`: "", `""""`: `"`,
		`/`: "", `"open`: "", `"a""`: "", ``: "",
	} {
		require.Equal(t, want, parseDirectory(reply(257, text)), text)
	}
	require.Empty(t, parseDirectory(reply(550, `"/"`)))
	require.Empty(t, parseDirectory(nil))
}

func TestParsePassive(t *testing.T) {
	for text, want := range map[string]string{
		"Entering Passive Mode (192,0,2,7,195,80).": "192.0.2.7:50000",
		"Entering Passive Mode 192,0,2,7,0,21":      "192.0.2.7:21",
		"=10,0,0,1,4,0":                             "10.0.0.1:1024",
		"Mode 5 (of 7), port: 1,2,3,4,5,6,":         "1.2.3.4:1286",
		"at 1,2,3 or 0,0,0,0,255,255":               "0.0.0.0:65535",
		"(192,0,2,7,195)":                           "",
		"(192,0,2,7,195,80,1)":                      "",
		"(256,0,2,7,195,80)":                        "",
		"(192,0,,2,7,195,80)":                       "",
		"(192, 0, 2, 7, 195, 80)":                   "192.0.2.7:50000",
		"port 4 is 192 ,0 , 2,7,195 ,80":            "192.0.2.7:50000",
		"192 0 2 7 195 80":                          "",
		"(-1,0,2,7,195,80)":                         "192.0.2.7", // see below
		"":                                          "",
		"(99999999999999999999,1,1,1,1,1)":          "",
		")192,0,2,7,195,80(":                        "192.0.2.7:50000",
	} {
		addr, ok := parsePassive(text)
		if text == "(-1,0,2,7,195,80)" {
			require.Equal(t, "1.0.2.7:50000", addr.String(), "a sign is no part of a number")
			continue
		}
		require.Equal(t, want != "", ok, text)
		if ok {
			require.Equal(t, want, addr.String(), text)
		}
	}
}

func TestParseExtendedPassive(t *testing.T) {
	for text, want := range map[string]uint16{
		"Entering Extended Passive Mode (|||6446|)": 6446, "(!!!1!)": 1, "(|||65535|)": 65535,
		"(|||65536|)": 0, "(|||0|)": 0, "(||6446|)": 0, "(|||6446)": 0, "|||6446|": 0, "(|||-1|)": 0, "(|||": 0, "(": 0, "": 0,
		"(1111111)": 0, "(|||6446| x": 6446, "(|1|192.0.2.1|25|)": 0,
	} {
		port, ok := parseExtendedPassive(text)
		require.Equal(t, want != 0, ok, text)
		if ok {
			require.Equal(t, want, port, text)
		}
	}
}

func TestJudgements(t *testing.T) {
	for _, c := range []struct {
		reply         *probe.Reply
		takes, admits probe.Fact
	}{
		{reply(331, "Password?"), probe.Yes, probe.Unknown},
		{reply(332, "Account?"), probe.Yes, probe.No},
		{reply(230, "Hello"), probe.Yes, probe.Yes},
		{reply(202, "Superfluous"), probe.Yes, probe.Yes},
		{reply(232, "Authorized"), probe.Yes, probe.Yes},
		{reply(250, "ok"), probe.Unknown, probe.Unknown}, // by a server of another protocol
		{reply(220, "ready"), probe.Unknown, probe.Unknown},
		{reply(530, "No"), probe.No, probe.No},
		{reply(500, "OOPS"), probe.No, probe.No},
		{reply(530, "Sorry, the maximum number of allowed clients (5) are already connected."), probe.Unknown, probe.Unknown},
		{reply(530, "Too many users logged in, try again later"), probe.Unknown, probe.Unknown},
		{reply(530, "Login incorrect. Try again."), probe.No, probe.No},
		{reply(421, "Busy"), probe.Unknown, probe.Unknown},
		{reply(430, "Later"), probe.Unknown, probe.Unknown},
		{reply(421, "Sorry, cleartext sessions are not accepted"), probe.No, probe.No},
		{reply(334, "?"), probe.Unknown, probe.Unknown},
		{nil, probe.Unknown, probe.Unknown},
	} {
		require.Equal(t, c.takes, takesPassword(c.reply), "%v", c.reply)
		require.Equal(t, c.admits, admits(c.reply), "%v", c.reply)
	}
	require.True(t, isForeign(reply(220, "mail.example.org ESMTP Postfix")))
	require.True(t, isForeign(reply(220, "ftp.example.org ESMTP Postfix")))
	require.True(t, isForeign(reply(220, "mail.example.org LMTP")))
	require.False(t, isForeign(reply(220, "FTP and SMTP gateway")))
	require.False(t, isForeign(reply(220, "smtp.example.org ready")))
	require.False(t, isForeign(reply(220, "Welcome")))
	require.True(t, isForeign(reply(502, "5.5.2 Error: command not recognized")))
	require.True(t, isForeign(reply(421, "4.3.2 Service not available")))
	for _, r := range []*probe.Reply{reply(211, "5.5.2 x"), reply(502, "5.5 x"), reply(502, ""), reply(500, "1.5.2 x"), reply(500, "5.5.x")} {
		require.False(t, isForeign(r))
	}
	for code, want := range map[int]probe.Outcome{
		220: probe.OutcomeOK, 421: probe.OutcomeBusy, 450: probe.OutcomeBusy, 500: probe.OutcomeDenied, 530: probe.OutcomeDenied,
		200: probe.OutcomeNotProtocol, 331: probe.OutcomeNotProtocol, 120: probe.OutcomeNotProtocol,
	} {
		require.Equal(t, want, greets(reply(code, "words")), "%d", code)
	}
	require.Equal(t, probe.OutcomeNotProtocol, greets(reply(554, "5.7.1 go away")))
}

// lineReader reads lines of any length.
type lineReader struct{ *bufio.Reader }

func (r lineReader) ReadLine() ([]byte, error) {
	line, err := r.ReadBytes('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// FuzzReplies reads replies out of anything, and all that is parsed out of them.
func FuzzReplies(f *testing.F) {
	probetest.Seeds(f, transcripts+"*.txt")
	f.Fuzz(func(t *testing.T, data []byte) {
		const maxLines = 64
		r := lineReader{bufio.NewReader(bytes.NewReader(data))}
		for {
			reply, err := textline.ReadReply(r, textline.FirstAndLast, maxLines)
			if reply != nil {
				if len(reply.Lines) > maxLines+1 {
					t.Fatalf("%d lines", len(reply.Lines))
				}
				for _, code := range []int{reply.Code, 211, 257} {
					reply := *reply
					reply.Code = code
					for _, feature := range parseFeatures(&reply) {
						if feature == "" || !utf8.ValidString(feature) {
							t.Fatalf("feature %q", feature)
						}
					}
					if dir := parseDirectory(&reply); len(dir) > len(reply.Text()) || !utf8.ValidString(dir) {
						t.Fatalf("directory %q", dir)
					}
				}
				if addr, ok := parsePassive(reply.Text()); ok && !addr.Addr().Is4() {
					t.Fatalf("address %v", addr)
				}
				if port, ok := parseExtendedPassive(reply.Text()); ok && port == 0 {
					t.Fatal("port 0")
				}
			}
			if err != nil {
				return
			}
		}
	})
}

// FuzzPassive holds that an address that is found was there to be found.
func FuzzPassive(f *testing.F) {
	for _, text := range []string{"(192,0,2,7,195,80)", "=1,2,3,4,5,6", ")(", "(|||6446|)", "(|||", ",,,,,,", "1,2,3,4,5,6,7"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if addr, ok := parsePassive(text); ok && strings.Count(text, ",") < 5 {
			t.Fatalf("%v out of %q", addr, text)
		}
		if port, ok := parseExtendedPassive(text); ok && !strings.Contains(text, "(") {
			t.Fatalf("%d out of %q", port, text)
		}
	})
}

// FuzzDirectory holds that a name that is written as RFC 959 asks is read back.
func FuzzDirectory(f *testing.F) {
	for _, name := range []string{"/", `a"b`, `""`, "", `/x y`} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		if got := parseDirectory(reply(257, quoted)); got != name {
			t.Fatalf("%q of %q", got, quoted)
		}
		if got := parseDirectory(reply(257, quoted+" is current")); got != name {
			t.Fatalf("%q of %q", got, quoted)
		}
		parseDirectory(reply(257, name))
	})
}
