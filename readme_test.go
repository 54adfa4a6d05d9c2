package handclasp_test

import (
	"context"
	"fmt"
	"io"
	"net"
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
	require.Equal(t, output, gorun(t, source(t, strings.ReplaceAll(program, "192.0.2.7:21", server.Addr.String()))))
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

// It is read in two minutes.
func TestREADMEIsShort(t *testing.T) {
	require.LessOrEqual(t, len(strings.Fields(readme(t))), 1200)
}

// Every program of README and docs runs, against a server of the lab.
func TestProgramsOfDocs(t *testing.T) {
	server, err := lab.AnonymousFTP(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	proxy, err := lab.SOCKS5(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, proxy.Close()) }()
	addresses := regexp.MustCompile(`192\.0\.2\.\d+:\d+`)
	programs := 0
	for _, file := range append([]string{"README.md"}, glob(t, "docs/*.md")...) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, after := range strings.Split(string(text), "\n```go\n")[1:] {
			program, _, _ := strings.Cut(after, "\n```\n")
			if !strings.HasPrefix(program, "package main\n") {
				continue
			}
			programs++
			program = addresses.ReplaceAllString(program, server.Addr.String())
			program = strings.ReplaceAll(program, "127.0.0.1:1080", proxy.Addr.String())
			t.Run(fmt.Sprintf("%s %d", file, programs), func(t *testing.T) {
				binary := build(t, program)
				cmd := exec.Command(binary)
				cmd.Dir = t.TempDir()
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, string(out))
				require.NotEmpty(t, out)
			})
		}
	}
	require.GreaterOrEqual(t, programs, 2+6)
}

// The README's program, and the first example of each package, come to their end whoever is there, or nobody: evidence is
// never nil, and nothing in it has to be asked for before it is read.
func TestProgramsSurviveEveryTarget(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	says := func(text string) string {
		server, err := lab.Serve(context.Background(), lab.Neighbour{}, func(c net.Conn) {
			_, _ = io.WriteString(c, text)
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, server.Close()) })
		return server.Addr.String()
	}
	targets := map[string]string{
		"a closed port":                 closed.Addr().String(),
		"a server that turns us away":   says("421 Too many connections\r\n"),
		"another protocol":              says("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"a name that doesn't resolve":   "no such host:21",
		"something that isn't a target": "192.0.2.7",
	}
	program, _ := block(t, readme(t), "```go\n")
	programs := map[string]string{"README": strings.ReplaceAll(program, `"192.0.2.7:21"`, "os.Args[1]")}
	for _, name := range []string{"ftp", "smtp", "nntp", "rsync", "netbios", "smb", "ssh"} {
		programs[name] = example(t, name)
	}
	for name, program := range programs {
		program = strings.Replace(program, `import (`, "import (\n\t\"os\"", 1)
		binary := build(t, program)
		for kind, target := range targets {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				out, err := exec.Command(binary, target).CombinedOutput()
				require.NoError(t, err, string(out))
				require.NotEmpty(t, out)
			})
		}
	}
}

// example makes a program of a package's first example, which asks the network and goes on after an error.
func example(t *testing.T, name string) string {
	text, err := os.ReadFile(filepath.Join(name, "example_test.go"))
	require.NoError(t, err)
	_, body, ok := strings.Cut(string(text), "func ExampleGrab() {\n")
	require.True(t, ok)
	body, _, ok = strings.Cut(body, "\t// Output:")
	require.True(t, ok)
	call := regexp.MustCompile(`Grab\(context\.Background\(\), "[^"]+", \w+\("[^"]+"\)\)`)
	require.Regexp(t, call, body)
	body = call.ReplaceAllString(body, "Grab(context.Background(), os.Args[1], nil)")
	body = strings.ReplaceAll(body, "log.Fatal(err)", "fmt.Println(err)")
	body = strings.ReplaceAll(body, "log.Print", "fmt.Print")
	return fmt.Sprintf("package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\t\"github.com/handclasp/handclasp/%s\"\n)\n\nfunc main() {\n%s}\n", name, body)
}

// Links between the project's documents lead somewhere.
func TestLinksOfDocs(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, file := range append(glob(t, "*.md"), append(glob(t, "docs/*.md"), glob(t, "docs/decisions/*.md")...)...) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(file), m[1]))
			require.NoError(t, err, "%s links %s", file, m[1])
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files, pattern)
	return files
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

// source writes a program to a file of its own.
func source(t *testing.T, program string) string {
	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, []byte(program), 0o600))
	return file
}

func build(t *testing.T, program string) string {
	binary := filepath.Join(t.TempDir(), "program")
	out, err := exec.Command("go", "build", "-o", binary, source(t, program)).CombinedOutput()
	require.NoError(t, err, "%s\n%s", out, program)
	return binary
}

func gorun(t *testing.T, args ...string) string {
	cmd := exec.Command("go", append([]string{"run"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	return string(out)
}
