package handclasp_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/lab"
)

// The README's program and its output are real: the program is run against a server of the lab.
func TestREADMEProgram(t *testing.T) {
	program, rest := block(t, readme(t), "```go\n")
	output, _ := block(t, rest, "```\n")
	server, err := lab.AnonymousFTP(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	require.Contains(t, program, "192.0.2.7:21")

	file := filepath.Join(t.TempDir(), "main.go")
	program = strings.ReplaceAll(program, "192.0.2.7:21", server.Addr.String())
	require.NoError(t, os.WriteFile(file, []byte(program), 0o600))
	require.Equal(t, output, gorun(t, file))
}

// So is what it shows of the demo, but for ports and times.
func TestREADMEDemo(t *testing.T) {
	_, rest := block(t, readme(t), "```go\n")
	_, rest = block(t, rest, "```\n")
	shown, _ := block(t, rest, "```\n")
	shown, cut := strings.CutSuffix(shown, "…\n")
	require.True(t, cut, "the README shows the beginning")
	shown = masked(shown)
	real := masked(gorun(t, "./cmd/handclasp", "demo"))
	require.Equal(t, shown, real[:min(len(shown), len(real))])
}

func masked(s string) string {
	s = regexp.MustCompile(`(?m) +<?\d+ms$`).ReplaceAllString(s, " …ms")
	return regexp.MustCompile(`\d+/tcp`).ReplaceAllString(s, "…/tcp")
}

func readme(t *testing.T) string {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}

func block(t *testing.T, text, fence string) (content, rest string) {
	_, text, ok := strings.Cut(text, "\n"+fence)
	require.True(t, ok, "no %q", fence)
	content, rest, ok = strings.Cut(text, "\n```\n")
	require.True(t, ok)
	return content + "\n", rest
}

func gorun(t *testing.T, args ...string) string {
	cmd := exec.Command("go", append([]string{"run"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	return string(out)
}
