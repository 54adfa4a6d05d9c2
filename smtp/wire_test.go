package smtp

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

func TestParseEHLO(t *testing.T) {
	o := parseEHLO([]string{"mx greets", " Size\t123 ", "", "SIZE 9999999999999999999999", "auth plain  Plain toolongforamechanismname x-y_Z",
		"AUTH=", "STARTTLS"})
	require.Equal(t, []string{"Size\t123", "SIZE 9999999999999999999999", "auth plain  Plain toolongforamechanismname x-y_Z", "AUTH=", "STARTTLS"}, o.extensions)
	require.Equal(t, []string{"PLAIN", "X-Y_Z"}, o.mechanisms)
	require.EqualValues(t, 123, *o.size, "a number that is too large says nothing")
	require.True(t, o.has("STARTTLS"))

	empty := parseEHLO(nil)
	require.NotNil(t, empty.extensions)
	require.NotNil(t, empty.mechanisms)
	require.Nil(t, empty.size)

	many := "AUTH"
	for i := range 2 * maxMechanisms {
		many += " M" + strings.Repeat("A", i%17) + string(rune('0'+i%10))
	}
	require.LessOrEqual(t, len(parseEHLO([]string{"mx", many}).mechanisms), maxMechanisms)
}

func TestStripped(t *testing.T) {
	for lines, want := range map[string]probe.Fact{
		"SIZE":                         probe.No,
		"STARTTLS":                     probe.No,
		"XXXXXXXX":                     probe.Yes,
		"XXXXXXXA":                     probe.Yes,
		"SIZE,xxxxxxxb,XXXA":           probe.Yes,
		"XXXXXXXA,STARTTLS":            probe.No,
		"XXXA":                         probe.Unknown, // ETRN or HELP, or whatever else has four letters
		"XXXXXXXXXXXXXXXXXXXC":         probe.Unknown,
		"BINARYMIME,XXXXXXXA":          probe.Unknown, // CHUNKING
		"BINARYMIME,CHUNKING,XXXXXXXA": probe.Yes,
		"XXXXXXXA,BINARYMIME,XXXXXXXB": probe.Yes,
		"XXX":                          probe.No,
		"X-EXPS":                       probe.No,
		"XCLIENT NAME,XFORWARD":        probe.No,
		"XXXXXXX1":                     probe.No,
	} {
		o := parseEHLO(append([]string{"mx"}, strings.Split(lines, ",")...))
		require.Equal(t, want, o.stripped(), lines)
	}
}

func TestParseHostname(t *testing.T) {
	for line, want := range map[string]string{
		"mx.example.com ESMTP Postfix":       "mx.example.com",
		"[192.0.2.7] ready":                  "[192.0.2.7]",
		"[IPv6:2001:db8::7] ready":           "[IPv6:2001:db8::7]",
		"mail ESMTP":                         "mail",
		"mail smtp":                          "mail",
		"mail ready":                         "",
		"Welcome to mx.example.com":          "",
		"":                                   "",
		"   ":                                "",
		"*****.****":                         "",
		"a..b ESMTP":                         "",
		"4.3.2 mx.example.com busy":          "",
		"mx.example.com.":                    "mx.example.com.",
		"under_score.example ESMTP":          "under_score.example",
		"[]":                                 "",
		strings.Repeat("a.", 200) + " ESMTP": "",
		"ümlaut.example ESMTP":               "",
	} {
		require.Equal(t, want, parseHostname(&probe.Reply{Code: 220, Lines: []string{line}}), line)
	}
	require.Equal(t, "mx.example.com", parseHostname(&probe.Reply{Code: 220, Lines: []string{"Please wait", "mx.example.com ESMTP"}}))
	require.Empty(t, parseHostname(nil))
	require.Empty(t, parseHostname(&probe.Reply{Lines: []string{"ssh.example.com says hello"}}))
}

func TestVerifies(t *testing.T) {
	for text, want := range map[string]probe.Fact{
		"550 5.1.1 unknown": probe.Yes, "550 no such user": probe.Yes, "550 5.7.1 not for you": probe.No,
		"252 2.0.0 perhaps": probe.No, "250 somebody": probe.No, "251 elsewhere": probe.No, "500 what": probe.No, "502 off": probe.No,
		"450 later": probe.Unknown, "421 bye": probe.Unknown, "530 TLS first": probe.Unknown, "503 EHLO first": probe.Unknown, "554 no": probe.Unknown,
	} {
		code := int(text[0]-'0')*100 + int(text[1]-'0')*10 + int(text[2]-'0')
		require.Equal(t, want, verifies(&probe.Reply{Code: code, Lines: []string{text[4:]}}), text)
	}
	require.Equal(t, probe.Unknown, verifies(nil))
}

func TestParseChallenge(t *testing.T) {
	const head = "TlRMTVNTUAACAAAAAAAAACAAAAAFgomiASNFZ4mrze8AAAAAAAAAAA"
	require.NotNil(t, parseChallenge(head+"=="))
	require.NotNil(t, parseChallenge(" "+head+" "), "without padding")
	for _, text := range []string{"", "=", "ntlm supported", "VXNlcm5hbWU6", head + "!", head[:20], "\x00\xff"} {
		require.Nil(t, parseChallenge(text), text)
	}
}

func TestUnteased(t *testing.T) {
	for want, r := range map[bool]*probe.Reply{
		true:  {Code: 220, Lines: []string{"mx", "521 blocked"}},
		false: {Code: 220, Lines: []string{"mx", "SSH-2.0"}},
	} {
		require.Equal(t, want, unteased(r))
	}
	for _, r := range []*probe.Reply{nil, {Code: 220, Lines: []string{"mx"}}, {Code: 220, Lines: []string{"mx", "521-more"}},
		{Code: 220, Lines: []string{"mx", "250 ok"}}, {Code: 554, Lines: []string{"mx", "521 blocked"}}} {
		require.False(t, unteased(r))
	}
}

// What isDomain takes is sent, so the guard must take it as well.
func TestIsDomain(t *testing.T) {
	for s, want := range map[string]bool{
		"mx.example.com": true, "mail": true, "a-b.c": true, "": false, ".": false, "a.": false, "a..b": false, "-a.b": false,
		"a.b-": false, "a_b.c": false, "[192.0.2.7]": false, "4.3.2": false, "a b": false, "a@b": false,
	} {
		require.Equal(t, want, isDomain(s), s)
		if want {
			_, err := everyKnob.newGuard(probe.Contact{})(probe.LevelHandshake, []byte("VRFY abcdefghijklmnop@"+s+"\r\n"))
			require.NoError(t, err)
		}
	}
}
