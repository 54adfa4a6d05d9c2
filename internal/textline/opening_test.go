package textline_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/textline"
)

func TestOpening(t *testing.T) {
	for said, want := range map[string]string{
		"":                          "0 false true",
		"2":                         "0 false true",
		"22":                        "0 false true",
		"220":                       "220 false true",
		"220 re":                    "220 false true",
		"220 ready\r":               "220 false true",
		"220 ready\r\n":             "220 true true",
		"220 ready\n":               "220 true true",
		"220\n":                     "220 true true",
		"220-one\r\n":               "220 false true",
		"220-one\r\n220 two":        "220 false true",
		"220-one\r\n220 two\r\n":    "220 true true",
		"220-one\r\n 2\r\n220 \r\n": "220 true true",
		"220 a\r\n220 b\r\n":        "220 true true",
		"9":                         "0 false false",
		"22x":                       "0 false false",
		"2200":                      "0 false false",
		"22\r\n":                    "0 false false",
		"\n220 late\r\n":            "0 false false",
		"SSH-2.0-x\r\n":             "0 false false",
	} {
		code, whole, ok := textline.Opening([]byte(said))
		require.Equal(t, want, fmt.Sprintln(code, whole, ok)[:len(want)], "%q", said)
	}
}

func TestWord(t *testing.T) {
	for said, want := range map[string]string{
		"":                                 "",
		"220 FTP":                          "", // it may go on
		"220 FTP\r\n":                      "FTP",
		"220 (vsFTPd 3.0.3)\n":             "FTP",
		"220 ProFTPD-1.3.8 ready\r\n":      "FTP",
		"220 ftp.\r\n":                     "FTP",
		"220 ftp.example.org\r\n":          "",
		"220 <ftp.example.org>, hi\r\n":    "",
		"220 ftp.example.org FTP\r\n":      "FTP",
		"220 smtp.example.org FTP\r\n":     "FTP",
		"220 FTP beside ESMTP\r\n":         "SMTP",
		"220-FTP\r\n220 ESMTP\r\n":         "FTP", // the earlier line
		"220-hello\r\n220 esmtp\r\n":       "SMTP",
		"220 \xff\xfbFTP\x00 SMT\x00P\r\n": "FTP",
	} {
		require.Equal(t, want, textline.Word([]byte(said), "SMTP", "FTP"), "%q", said)
	}
}

// A reply that is whole by its opening is the one that is read.
func FuzzOpening(f *testing.F) {
	f.Add([]byte("220-one\r\n two\r\n220 three\r\n"))
	f.Add([]byte("200 ready\n201 again\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		code, whole, ok := textline.Opening(said)
		reply := textline.Parse(said, textline.FirstAndLast)
		if whole {
			require.True(t, ok)
			require.NotNil(t, reply)
			require.Equal(t, reply.Code, code)
		} else {
			require.Nil(t, reply)
		}
		if !ok {
			require.Zero(t, code)
		}
	})
}
