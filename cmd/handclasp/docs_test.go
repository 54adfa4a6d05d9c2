package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every command line of these documents runs, in a network where one host in sixteen has a news server, and names are looked up
// without a name server. Status 1 says that something was found, which is no trouble; nor is a target that isn't there.
func TestCommandLinesOfDocs(t *testing.T) {
	for _, file := range []string{"README.md", "docs/many-targets.md", "docs/unusual-ports.md", "docs/reports.md", "docs/accepted.md", "docs/sharing.md", "docs/configuration.md"} {
		document, err := os.ReadFile(filepath.Join("../..", file))
		require.NoError(t, err)
		dir := t.TempDir()
		fixtures(t, dir)
		lines := 0
		for _, after := range strings.Split(string(document), "\n```sh\n")[1:] {
			block, _, _ := strings.Cut(after, "\n```\n")
			for line := range strings.SplitSeq(strings.ReplaceAll(block, "\\\n", ""), "\n") {
				if strings.TrimSpace(line) == "" {
					continue
				}
				lines++
				t.Run(fmt.Sprintf("%s: %s", file, line), func(t *testing.T) {
					text, err := os.ReadFile("../../docs/accepted.md")
					require.NoError(t, err)
					_, after, _ := strings.Cut(string(text), "\n```yaml\n")
					risks, _, _ := strings.Cut(after, "\n```\n")
					require.NoError(t, os.WriteFile(filepath.Join(dir, "accepted.yaml"), []byte(risks), 0o600))
					out, err := sh(dir, line)
					if exit, ok := err.(*exec.ExitError); ok && exit.ExitCode() == 1 {
						err = nil
					}
					require.NoError(t, err, out)
				})
			}
		}
		require.Positive(t, lines, file)
	}
}

// fixtures are the files that documents name.
func fixtures(t *testing.T, dir string) {
	bin := filepath.Join(dir, "bin")
	require.NoError(t, os.Mkdir(bin, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(bin, "handclasp"), []byte("#!/bin/sh\n[ \"$1\" = scan ] && shift && set -- scan --retries 0 --timeout 600ms \"$@\"\nexec handclasp-simulated \"$@\"\n"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hosts.txt"), []byte("192.0.2.16\n192.0.2.17:119\n"), 0o600))
	out, err := sh(dir, "handclasp scan --format jsonl --transcript --output results.jsonl nntp://192.0.2.16")
	require.NoError(t, err, out)
}

// sh runs a line in a folder.
func sh(dir, line string) (string, error) {
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
