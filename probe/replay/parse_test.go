package replay

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

const full = `# server: vsftpd 3.0.3-13+b2
# captured: 2026-01-31
# level: anonymous
# target: 192.0.2.7:21
# name: ftp.example
# implicit_tls: no
# A remark.
1 open 192.0.2.7:21
1 < "220-\"quoted\"\r\n"
1 < "220 ready \x00\xff\r\n"
0 rand "\x00\x01"
1 > "AUTH TLS\r\n"  AUTH TLS
1 end timeout
2 open [2001:db8::7]:4001 refused
`

func TestParse(t *testing.T) {
	r, err := Parse([]byte(full))
	require.NoError(t, err)
	require.Equal(t, "vsftpd 3.0.3-13+b2", r.Server)
	require.Equal(t, probe.LevelAnonymous, r.Level)
	require.Equal(t, "ftp.example (192.0.2.7:21)", r.Target.String())
	require.Equal(t, probe.No, r.ImplicitTLS)
	require.Equal(t, []string{"A remark."}, r.Comments)
	require.Equal(t, probe.Transcript{
		{Conn: 1, Dir: probe.DirOpen, Data: []byte("192.0.2.7:21")},
		{Conn: 1, Dir: probe.DirRecv, Data: []byte("220-\"quoted\"\r\n220 ready \x00\xff\r\n")},
		{Dir: probe.DirRand, Data: []byte{0, 1}},
		{Conn: 1, Dir: probe.DirSend, Data: []byte("AUTH TLS\r\n"), Label: "AUTH TLS"},
		{Conn: 1, Dir: probe.DirEnd, Outcome: probe.OutcomeTimeout},
		{Conn: 2, Dir: probe.DirOpen, Data: []byte("[2001:db8::7]:4001"), Outcome: probe.OutcomeRefused},
	}, r.Transcript)
	require.Equal(t, full, string(r.Format()))
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"# levle: greeting":                                "line 1: unknown header \"levle\"",
		"# level: deep":                                    "line 1: unknown level",
		"# target: example.com:21":                         "line 1:",
		"\n# network: sctp":                                "line 2: network",
		"# implicit_tls: maybe":                            "line 1: implicit_tls",
		"1 open ftp.example:21":                            "line 1: open",
		"1 open 192.0.2.7:21 sad":                          "line 1: \"sad\" is no outcome",
		"1 open 192.0.2.7:21 ok":                           "line 1: \"ok\" is no outcome",
		"1 > \"a\"":                                        "line 1: connection 1 wasn't opened",
		"1 open 192.0.2.7:21 refused\n1 < \"a\"":           "line 2: connection 1 failed to open",
		"1 open 192.0.2.7:21\n1 open 192.0.2.7:21":         "line 2: connection 1 is opened twice",
		"1 open 192.0.2.7:21\n1 < a":                       "line 2: a: want a Go string",
		"1 open 192.0.2.7:21\n1 < \"a\" b":                 "line 2: \"b\" behind the data",
		"1 open 192.0.2.7:21\n1 < \"\\q\"":                 "line 2:",
		"1 open 192.0.2.7:21\n1 shout \"a\"":               "line 2: unknown event \"shout\"",
		"1 open 192.0.2.7:21\n1 end":                       "line 2: \"\" is no outcome",
		"1 open 192.0.2.7:21\n1 end ok":                    "line 2: \"ok\" is no outcome",
		"1 open 192.0.2.7:21\n1 tls {\"modus\":\"\"}":      "line 2: tls:",
		"1 open 192.0.2.7:21\n1 tls later {}":              "line 2: \"later {}\": want the handshake",
		"1 open 192.0.2.7:21\n1 rand \"a\"":                "line 2: rand belongs to the session",
		"1 open 192.0.2.7:21\n0 > \"a\"":                   "line 2: connection 0 is the session",
		"1 open 192.0.2.7:21\n# level: greeting":           "line 2: header \"level\" stands behind",
		"one open 192.0.2.7:21":                            "line 1: \"one open 192.0.2.7:21\": want a connection's number",
		"# level: greeting":                                "line 1: neither a target nor an open event",
		"# level: greeting\r\n1 open 192.0.2.7:21\r\n1 x ": "line 3: unknown event",
	} {
		_, err := Parse([]byte(text))
		require.ErrorContains(t, err, want, "%s", text)
	}
}

// A file that parses stays the same through Format, from its first form on.
func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("# network: udp\n1 open 192.0.2.7:137\n1 < \"\"\n1 < \"a\\nb\"\n1 end refused\n"))
	f.Add([]byte("1 open [::1]:1\n1 tls tls {\"chain\":null}\n1 < \"\"\n1 end closed send\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Parse(text)
		if err != nil {
			return
		}
		_ = r.Player().Err()
		formed := r.Format()
		again, err := Parse(formed)
		require.NoError(t, err, "%s", formed)
		require.Equal(t, string(formed), string(again.Format()))
		require.Equal(t, r.Transcript, again.Transcript)
	})
}
