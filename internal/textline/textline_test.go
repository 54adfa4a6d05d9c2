package textline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// script is a Reader of what a server sent; a last line without an ending comes beside io.EOF.
type script struct{ rest []byte }

func (s *script) ReadLine() ([]byte, error) {
	line, rest, found := bytes.Cut(s.rest, []byte("\n"))
	s.rest = rest
	if !found {
		return line, io.EOF
	}
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

func TestReadReply(t *testing.T) {
	const most = 4
	for _, test := range []struct {
		name    string
		sent    string
		style   Style
		code    int
		lines   []string
		outcome probe.Outcome // of the error; "eof" for the reader's own
		left    string
	}{
		{"single", "200 ready\r\n", SingleLine, 200, []string{"ready"}, "", ""},
		{"single, LF alone", "200 ready\nnext", SingleLine, 200, []string{"ready"}, "", "next"},
		{"single, code alone", "411\r\n", SingleLine, 411, []string{""}, "", ""},
		{"single takes one line, whatever its dash says", "200-ready\r\n200 more\r\n", SingleLine, 200, []string{"ready"}, "", "200 more\r\n"},
		{"text keeps its spaces", "200   a  b \r\n", SingleLine, 200, []string{"  a  b "}, "", ""},

		{"every line", "250-a\r\n250-b\r\n250 c\r\n", EveryLine, 250, []string{"a", "b", "c"}, "", ""},
		{"every line, one", "250 a\r\n250 b\r\n", EveryLine, 250, []string{"a"}, "", "250 b\r\n"},
		{"every line, last is a code alone", "250-a\r\n250\r\n", EveryLine, 250, []string{"a", ""}, "", ""},
		{"every line, another code inside", "250-a\r\n550 b\r\nx", EveryLine, 250, []string{"a", "550 b"}, probe.OutcomeMalformed, "x"},
		{"every line, no code inside", "250-a\r\nb\r\n", EveryLine, 250, []string{"a", "b"}, probe.OutcomeMalformed, ""},
		{"every line, empty inside", "250-a\r\n\r\n", EveryLine, 250, []string{"a", ""}, probe.OutcomeMalformed, ""},

		{"first and last", "211-Features\r\n MDTM\r\n211 End\r\n", FirstAndLast, 211, []string{"Features", " MDTM", "End"}, "", ""},
		{"first and last, every line coded", "220-a\r\n220-b\r\n220 c\r\n", FirstAndLast, 220, []string{"a", "b", "c"}, "", ""},
		{"first and last, other codes between", "220-a\r\n530 b\r\n530\r\n220 c\r\n", FirstAndLast, 220, []string{"a", "530 b", "530", "c"}, "", ""},
		{"first and last, empty line between", "220-a\r\n\r\n220 c\r\n", FirstAndLast, 220, []string{"a", "", "c"}, "", ""},
		{"first and last, digits without a space", "220-a\r\n2201 b\r\n220 c\r\n", FirstAndLast, 220, []string{"a", "2201 b", "c"}, "", ""},
		{"first and last, ended by a code alone", "220-a\r\n220\r\n", FirstAndLast, 220, []string{"a", ""}, "", ""},

		{"as many lines as allowed", "220-a\n220-b\n220-c\n220 d\n", FirstAndLast, 220, []string{"a", "b", "c", "d"}, "", ""},
		{"one line too many", "220-a\n220-b\n220-c\n220-d\n220 e\n", FirstAndLast, 220, []string{"a", "b", "c", "d"}, probe.OutcomeLimit, "220 e\n"},
		{"one line too many, every line", "250-a\n250-b\n250-c\n250-d\n250 e\n", EveryLine, 250, []string{"a", "b", "c", "d"}, probe.OutcomeLimit, "250 e\n"},

		{"nothing", "", SingleLine, -1, nil, "eof", ""},
		{"an end inside the code", "22", SingleLine, 0, []string{"22"}, "eof", ""},
		{"an end inside the text", "220 rea", SingleLine, 220, []string{"rea"}, "eof", ""},
		{"an end between lines", "220-a\r\n", FirstAndLast, 220, []string{"a"}, "eof", ""},
		{"an end inside a later line", "220-a\r\n220 b", FirstAndLast, 220, []string{"a", "b"}, "eof", ""},
		{"an end inside a later line, every line", "250-a\r\n25", EveryLine, 250, []string{"a", "25"}, "eof", ""},

		{"no reply", "SSH-2.0-x\r\n", SingleLine, 0, []string{"SSH-2.0-x"}, probe.OutcomeNotProtocol, ""},
		{"an empty line", "\r\n", SingleLine, 0, []string{""}, probe.OutcomeNotProtocol, ""},
		{"codes go from 100", "099 a\r\n", SingleLine, 0, []string{"099 a"}, probe.OutcomeNotProtocol, ""},
		{"codes go to 599", "600 a\r\n", SingleLine, 0, []string{"600 a"}, probe.OutcomeNotProtocol, ""},
		{"codes have three digits", "2000 a\r\n", SingleLine, 0, []string{"2000 a"}, probe.OutcomeNotProtocol, ""},
		{"a tab is no space", "200\ta\r\n", SingleLine, 0, []string{"200\ta"}, probe.OutcomeNotProtocol, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &script{[]byte(test.sent)}
			r, err := ReadReply(s, test.style, most)
			if test.code < 0 {
				require.Nil(t, r)
			} else {
				require.Equal(t, &probe.Reply{Code: test.code, Lines: test.lines}, r)
			}
			switch test.outcome {
			case "":
				require.NoError(t, err)
			case "eof":
				require.Equal(t, io.EOF, err)
			default:
				require.Equal(t, test.outcome, probe.OutcomeOf(err), "%v", err)
			}
			if test.outcome == probe.OutcomeLimit {
				require.ErrorAs(t, err, new(*probe.LimitError))
			}
			require.Equal(t, test.left, string(s.rest))
		})
	}
}

func TestReadReplyLossy(t *testing.T) {
	r, err := ReadReply(&script{[]byte("220-caf\xe9\r\n220 caf\u00e9\r\n")}, FirstAndLast, 9)
	require.NoError(t, err)
	require.Equal(t, &probe.Reply{Code: 220, Lines: []string{"caf\uFFFD", "caf\u00e9"}, Lossy: true}, r)
}

func TestReadReplyClipsWhatItQuotes(t *testing.T) {
	_, err := ReadReply(&script{[]byte(strings.Repeat("A", 9999) + "\n")}, SingleLine, 1)
	require.Error(t, err)
	require.Less(t, len(err.Error()), 200)
}

// failing is a Reader that gives a part of a line beside a limit's error, for ever.
type failing struct{}

var errLimit = &probe.Error{Op: "read", Outcome: probe.OutcomeLimit, Err: &probe.LimitError{Limit: "LineLength", Value: 3}}

func (failing) ReadLine() ([]byte, error) { return []byte("220-a"), errLimit }

func TestReaderErrorsPass(t *testing.T) {
	for _, style := range []Style{SingleLine, EveryLine, FirstAndLast} {
		r, err := ReadReply(failing{}, style, 9)
		require.Same(t, errLimit, err)
		require.Equal(t, &probe.Reply{Code: 220, Lines: []string{"a"}}, r)
	}
	lines, truncated, err := ReadBlock(failing{}, 9)
	require.Same(t, errLimit, err)
	require.False(t, truncated)
	require.Equal(t, []string{"220-a"}, lines)
}

func TestParseLine(t *testing.T) {
	for _, test := range []struct {
		line string
		code int
		text string
		more bool
	}{
		{"220 a", 220, "a", false}, {"220-a", 220, "a", true}, {"220", 220, "", false}, {"220-", 220, "", true}, {"220 ", 220, "", false},
		{"", 0, "", false}, {"22", 0, "22", false}, {"22a b", 0, "22a b", false}, {" 220 a", 0, " 220 a", false},
		{"\xb2\xb2\xb0 a", 0, "\xb2\xb2\xb0 a", false}, {"-20 a", 0, "-20 a", false},
	} {
		code, text, more := ParseLine([]byte(test.line))
		require.Equal(t, test.code, code, test.line)
		require.Equal(t, test.text, string(text), test.line)
		require.Equal(t, test.more, more, test.line)
	}
}

func TestReadBlock(t *testing.T) {
	for _, test := range []struct {
		name      string
		sent      string
		lines     []string
		truncated bool
		err       error
		left      string
	}{
		{"lines", "a\r\nb\r\n.\r\nx", []string{"a", "b"}, false, nil, "x"},
		{"none", ".\r\n", []string{}, false, nil, ""},
		{"LF alone", "a\n.\n", []string{"a"}, false, nil, ""},
		{"stuffed dots", "..\r\n..a\r\n...\r\n.\r\n", []string{".", ".a", ".."}, false, nil, ""},
		{"a dot that should have been stuffed", ".a\r\n.\r\n", []string{"a"}, false, nil, ""},
		{"a dot and a space end nothing", ". \r\n.\r\n", []string{" "}, false, nil, ""},
		{"empty lines", "\r\n\r\n.\r\n", []string{"", ""}, false, nil, ""},
		{"as many as allowed", "a\nb\nc\n.\nx", []string{"a", "b", "c"}, false, nil, "x"},
		{"one too many", "a\nb\nc\nd\n.\n", []string{"a", "b", "c"}, true, nil, ".\n"},
		{"an end before the dot", "a\r\n", []string{"a"}, false, io.EOF, ""},
		{"an end inside a line", "a\r\nb", []string{"a", "b"}, false, io.EOF, ""},
		{"an end behind the dot", "a\r\n.", []string{"a"}, false, io.EOF, ""},
		{"an end inside one too many", "a\nb\nc\nd", []string{"a", "b", "c"}, true, nil, ""},
		{"nothing", "", []string{}, false, io.EOF, ""},
		{"not UTF-8", "\xff\n.\n", []string{"\uFFFD"}, false, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &script{[]byte(test.sent)}
			lines, truncated, err := ReadBlock(s, 3)
			require.Equal(t, test.lines, lines)
			require.Equal(t, test.truncated, truncated)
			require.Equal(t, test.err, err)
			require.Equal(t, test.left, string(s.rest))
		})
	}
}

// Whatever comes, a reply is bounded, its text is UTF-8 and made of what came, and an error has an outcome.
func FuzzReadReply(f *testing.F) {
	for _, sent := range []string{"220 a\r\n", "220-a\r\n b\r\n220 c\r\n", "250-a\n550 b\n", "220", "\xff\xfb\x01\r\n", "2", "599-\n599\n"} {
		f.Add([]byte(sent))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		const most = 8
		for _, style := range []Style{SingleLine, EveryLine, FirstAndLast} {
			s := &script{bytes.Clone(sent)}
			r, err := ReadReply(s, style, most)
			if r == nil {
				require.Error(t, err)
				continue
			}
			require.NotEmpty(t, r.Lines)
			require.LessOrEqual(t, len(r.Lines), most)
			if style == SingleLine {
				require.Len(t, r.Lines, 1)
			}
			require.True(t, r.Code == 0 || 100 <= r.Code && r.Code <= 599)
			if r.Code == 0 {
				require.Error(t, err)
			}
			var known *probe.Error
			require.True(t, err == nil || err == io.EOF || errors.As(err, &known), "%v", err)
			for _, line := range r.Lines {
				clean, lossy := probe.UTF8([]byte(line))
				require.False(t, lossy)
				require.True(t, r.Lossy || bytes.Contains(sent, []byte(clean)))
			}
		}
	})
}

// A block that is written with its dots stuffed is read as it was, and nothing behind it is touched.
func FuzzReadBlock(f *testing.F) {
	for _, text := range []string{"a\nb", ".", "..\n.a", "", "\n\n", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "\r", "")
		var want []string
		var sent strings.Builder
		for _, line := range strings.Split(text, "\n") {
			clean, _ := probe.UTF8([]byte(line))
			want = append(want, clean)
			if strings.HasPrefix(line, ".") {
				line = "." + line
			}
			fmt.Fprintf(&sent, "%s\r\n", line)
		}
		s := &script{[]byte(sent.String() + ".\r\nbehind")}
		lines, truncated, err := ReadBlock(s, len(want))
		require.NoError(t, err)
		require.False(t, truncated)
		require.Equal(t, want, lines)
		require.Equal(t, "behind", string(s.rest))

		s = &script{[]byte(text)} // and raw, it is only bounded
		lines, _, _ = ReadBlock(s, 3)
		require.NotNil(t, lines)
		require.LessOrEqual(t, len(lines), 3)
	})
}

func TestParse(t *testing.T) {
	for plain, want := range map[string]*probe.Reply{
		"220 ready\r\nmore":       {Code: 220, Lines: []string{"ready"}},
		"220-one\n220 two\n":      {Code: 220, Lines: []string{"one", "two"}},
		"220-one\r\n220 two":      nil, // not whole
		"220 rea":                 nil,
		"SSH-2.0-OpenSSH_9.2\r\n": nil,
		"":                        nil,
	} {
		require.Equal(t, want, Parse([]byte(plain), EveryLine), "%q", plain)
	}
}

func TestMalformed(t *testing.T) {
	_, err := ReadReply(&script{[]byte("SSH-2.0-x\r\n")}, SingleLine, 1)
	require.ErrorIs(t, err, probe.OutcomeNotProtocol)
	require.ErrorIs(t, Malformed(err), probe.OutcomeMalformed)
	require.NotErrorIs(t, Malformed(err), probe.OutcomeNotProtocol)
	require.EqualError(t, Malformed(err), err.Error())
	require.NoError(t, Malformed(nil))
	require.Equal(t, io.EOF, Malformed(io.EOF))
}
