package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
)

// Each command has its page, which tells of each of its flags, and none of whose text is taken for a request.
func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	a := &app{probers: handclasp.Probers(), rules: handclasp.Rules(), comparisons: handclasp.Comparisons(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	require.Equal(t, exitDone, a.main([]string{"man", dir}))
	for _, cmd := range commandsOf(a.root()) {
		text, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"))
		require.NoError(t, err)
		page := string(text)
		require.Contains(t, page, ".SH NAME\n"+roff(strings.ReplaceAll(cmd.CommandPath(), " ", "-"))+` \- `)
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { require.Contains(t, page, `\-\-`+roff(f.Name)+`\fR`) })
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, ".") {
				require.Regexp(t, `^\.(TH .*|SH [A-Z ]+|TP|nf|fi)\n$`, line)
			}
			require.False(t, strings.ContainsFunc(line, func(r rune) bool { return r > '~' }), line)
		}
	}
	scan, err := os.ReadFile(filepath.Join(dir, "handclasp-scan.1"))
	require.NoError(t, err)
	require.Contains(t, string(scan), ".SH EXIT STATUS\n.nf\n  0  all endpoints were scanned")
	require.Equal(t, `\&.a\e\-\[u2026]`, roff(`.a\-…`))
}
