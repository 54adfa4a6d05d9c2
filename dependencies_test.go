package handclasp_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
)

// A linked package is one that a program has part of.
type linked struct {
	ImportPath string
	Standard   bool
	Module     *struct{ Path, Dir string }
}

// linksOf lists what a package links, the standard library included.
func linksOf(t *testing.T, pattern string) (all []linked) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Module", pattern)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p linked
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
	require.NotEmpty(t, all)
	return all
}

// Whoever imports the library pays for no more than golang.org/x, and for one protocol alone or for replays for no more than its
// cryptobyte, of which ClientHellos are made.
func TestLibraryDependencies(t *testing.T) {
	for pattern, allowed := range map[string]string{
		".":              `^golang\.org/x/`,
		"./smb":          `^golang\.org/x/crypto$`,
		"./probe/replay": `^golang\.org/x/crypto$`,
		// Versions of Alpine, and scores of CVSS.
		"./advisory": `^github\.com/(knqyf263/go-apk-version|pandatix/go-cvss)$|^golang\.org/x/`,
		// How wide a text is in a terminal.
		"./report": `^golang\.org/x/crypto$|^github\.com/(charmbracelet/x/ansi|clipperhouse/.*|lucasb-eyer/go-colorful|mattn/go-runewidth|rivo/uniseg)$`,
	} {
		others := map[string]bool{}
		for _, p := range linksOf(t, pattern) {
			if !p.Standard && p.Module.Path != "github.com/handclasp/handclasp" && !regexp.MustCompile(allowed).MatchString(p.Module.Path) {
				others[p.Module.Path] = true
			}
		}
		assert.Empty(t, slices.Sorted(maps.Keys(others)), "%s links them", pattern)
	}
}

// The command can be passed on under permissive licences alone.
func TestCommandLicences(t *testing.T) {
	read := map[string]string{}
	for _, p := range linksOf(t, "./cmd/handclasp") {
		if p.Standard {
			continue
		}
		text, ok := read[p.Module.Dir]
		if !ok {
			text = licence(t, p.Module.Dir)
			read[p.Module.Dir] = text
		}
		if name := copyleft.FindString(text); name != "" {
			t.Errorf("the command links %s, whose licence is the %s", p.ImportPath, name)
		}
	}
	require.Greater(t, len(read), 5)
}

var copyleft = regexp.MustCompile(`(?i)(GNU (Lesser|Library|Affero)? ?General|Mozilla|Eclipse) Public License`)

func TestCopyleftIsRecognised(t *testing.T) {
	for text, want := range map[string]bool{
		"                   GNU LESSER GENERAL PUBLIC LICENSE": true, "GNU GENERAL PUBLIC LICENSE": true,
		"Mozilla Public License, version 2.0": true, "Apache License": false, "The MIT License": false,
	} {
		require.Equal(t, want, copyleft.MatchString(text), text)
	}
}

// licence returns what a module's licence files say.
func licence(t *testing.T, dir string) (text string) {
	for _, pattern := range []string{"LICEN[CS]E*", "COPYING*", "UNLICENSE*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		for _, file := range files {
			if strings.Contains(file, "3RD-PARTY") {
				continue // of the modules that its module names, linked or not; those that are have their own files
			}
			b, err := os.ReadFile(file)
			require.NoError(t, err)
			text += string(b)
		}
	}
	require.NotEmpty(t, text, "%s has no licence", dir)
	return text
}

// What programs link has no part of package testing, whose import adds flags.
func TestNoTestingInPrograms(t *testing.T) {
	for _, pattern := range []string{".", "./cmd/handclasp", "./probe/replay", "./report/sarif"} {
		for _, p := range linksOf(t, pattern) {
			require.NotRegexp(t, `^testing(/|$)|/internal/(lab|interop)$`, p.ImportPath, pattern)
		}
	}
}

// The documentation of a protocol is read in one go.
func TestLengthOfDocumentation(t *testing.T) {
	for _, p := range handclasp.Probers() {
		name := p.Spec().Protocol
		out, err := exec.Command("go", "doc", "-all", "./"+name).Output()
		require.NoError(t, err)
		require.LessOrEqual(t, strings.Count(string(out), "\n"), 200, name)
	}
}
