package fingerprint

import (
	"regexp"
	"regexp/syntax"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNeeds(t *testing.T) {
	for pattern, want := range map[string][]string{
		`^\(vsFTPd (\d+)\)$`:                     {"(vsftpd "},
		`(?i)Serv-U FTP`:                         {"serv-u ftp"},
		`a+b?cd{2}ef`:                            {"ef"},
		`(?:one|two|six) x`:                      {"one", "two", "six"},
		`(?:one|two)? server`:                    {" server"},
		`(?:one|[a-z]+) x`:                       {" x"},
		`one|`:                                   nil,
		`^.*$`:                                   nil,
		`x`:                                      nil,
		`größe`:                                  {"gr"},
		`(?i)ſmtp`:                               {"smtp"},
		`(long literal)+|other`:                  {"long literal", "other"},
		`(?:ab){2,}`:                             {"ab"},
		`(?:ab){0,2}`:                            nil,
		`aa|bb|cc|dd|ee|ff|gg|hh|ii|jj|kk|ll|mm`: nil,
	} {
		re, err := syntax.Parse("(?m)"+pattern, syntax.Perl)
		require.NoError(t, err)
		require.Equal(t, want, needs(re), pattern)
	}
}

// Looking for literals first never changes what matches.
func FuzzNeeds(f *testing.F) {
	f.Add(`(?i)^smtp (?:one|two)+ k`, "ſMTP ONEtwo \u212A")
	f.Add(`größe|x{3}`, "xxx")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		var p fingerprint
		if len(pattern) > 200 || len(text) > 1000 {
			return
		}
		if _, _, err := p.newPattern(pattern, ""); err != nil {
			return
		}
		re := regexp.MustCompile(p.expression("m"))
		if folded := newFolded(nil, text); re.MatchString(text) && !p.near(&folded) {
			t.Fatalf("%q matches %q, which holds none of %v", pattern, text, p.needs)
		}
	})
}
