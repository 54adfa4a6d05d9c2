package fingerprint

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wellFormed is a formatted string as NISTIR 7695 §6.2.2 allows it: values are quoted but for letters, digits, "_",
// "." and "-", and "*" and "-" stand alone.
var wellFormed = regexp.MustCompile(`^cpe:2\.3:[aoh](:(\*|-|([a-z0-9._-]|\\[!-,/:-@\[-^` + "`" + `{-~])+)){10}$`)

func TestCPE(t *testing.T) {
	for template, want := range map[string]string{
		"cpe:/a:vsftpd_project:vsftpd:{v}":              "a:vsftpd_project:vsftpd:1.2:*:*:*:*:*:*:*",
		"cpe:/a:VSFTPD:vs ftpd":                         "a:vsftpd:vs_ftpd:*:*:*:*:*:*:*:*",
		"cpe:/o:ibm:z%2fos:-":                           `o:ibm:z\/os:*:*:*:*:*:*:*:*`,
		"cpe:/a:openbsd:openssh:{v}:p1":                 "a:openbsd:openssh:1.2:p1:*:*:*:*:*:*",
		"cpe:/a:x:y:1:2:3:de-de":                        "a:x:y:1:2:3:de-de:*:*:*:*",
		"cpe:/a:hp:insight:7.4:-:~~online~win2003~x64~": "a:hp:insight:7.4:*:*:*:online:win2003:x64:*",
		"cpe:/h:mikrotik:{long}":                        "",
		"cpe:/a:{none}:y":                               "",
		"cpe:2.3:a:x:y\\:z:{v}:*:*:*:*:*:-:other":       `a:x:y\:z:1.2:*:*:*:*:*:*:other`,
		"cpe:2.3:a:x:y:{hostile}":                       `a:x:y:1\:\*_\?\\\"\':*:*:*:*:*:*:*`,
		"cpe:/a:x:y:{foreign}":                          "a:x:y:*:*:*:*:*:*:*:*",
		"cpe:/a:x:y:{dash}":                             "a:x:y:*:*:*:*:*:*:*:*",
	} {
		parsed, err := parseCPE(template)
		require.NoError(t, err, template)
		got := parsed.bind(expandWith(map[string]string{
			"v": "1.2", "hostile": "1:* ?\\\"'", "foreign": "1ä", "dash": "-", "long": strings.Repeat("x", 200),
		}))
		if want != "" {
			want = "cpe:2.3:" + want
			require.Regexp(t, wellFormed, got)
		}
		require.Equal(t, want, got, template)
	}
}

func expandWith(values map[string]string) func([]piece) string {
	return func(pieces []piece) (s string) {
		for _, p := range pieces {
			if p.name {
				s += values[p.text]
			} else {
				s += p.text
			}
		}
		return s
	}
}

// Whatever a text holds, the name stays well-formed and the attributes stay where they are.
func FuzzCPE(f *testing.F) {
	f.Add("cpe:/a:x:y:{v}", "1.2")
	f.Add("cpe:2.3:o:x:y\\:z:{v}:~a~b~c~d~e", ":*?\\")
	f.Add("cpe:/a:b:c:d:e:~1~2~3~4~5", "-")
	f.Fuzz(func(t *testing.T, template, value string) {
		parsed, err := parseCPE(template)
		if err != nil {
			return
		}
		if got := parsed.bind(expandWith(map[string]string{"v": value})); got != "" {
			require.Regexp(t, wellFormed, got)
		}
	})
}
