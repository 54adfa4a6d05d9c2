package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every command line of the documents runs, in a network where one host in sixteen has a news server, and names are looked up
// without a name server: those in blocks, those in the text, and those that are set off by a margin. Status 1 says that something
// was found, which is no trouble; nor is a target that isn't there.
func TestCommandLinesOfDocs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("they are a Unix shell's, and what they run are scripts")
	}
	documents, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	lines := 0
	for _, file := range append(documents, "../../README.md", "../../CONTRIBUTING.md") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		all := commandLines(string(text))
		lines += len(all)
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			fixtures(t, dir)
			for _, line := range all { // in their order, since one may need what another made
				line = everyRound.ReplaceAllString(strings.ReplaceAll(line, "/var/lib/handclasp", filepath.ToSlash(dir)), "--once")
				out, err := sh(dir, line)
				if exit, ok := err.(*exec.ExitError); ok && exit.ExitCode() == 1 {
					err = nil
				}
				require.NoError(t, err, "%s\n%s", line, out)
			}
		})
	}
	require.Greater(t, lines, 50)
}

var (
	shellBlock = regexp.MustCompile("(?s)\n```sh\n(.*?\n)```\n")
	inText     = regexp.MustCompile("`((?:[a-z]+ [^`|]*\\\\?\\| )?handclasp [^`]+)`")
	inMargin   = regexp.MustCompile(`(?m)^    (handclasp .*)$`)
	everyRound = regexp.MustCompile(`--every \S+`)
	aPattern   = regexp.MustCompile(`\b[A-Z][A-Z]+\b|\bK/N\b|^handclasp scan( --[a-z-]+( [a-z]+)?)+$`)
	aFlag      = regexp.MustCompile(`--[a-z-]+`)
	aWord      = regexp.MustCompile(`^handclasp [a-z]+( [a-z]+)?$`)
)

// commandLines are those of a document. A block that is a script is one. A command that is only named is asked for its help,
// and one without a target, or with words that stand for others, such as FILE, for its flags.
func commandLines(text string) (lines []string) {
	for _, m := range shellBlock.FindAllStringSubmatch(text, -1) {
		block := strings.ReplaceAll(m[1], "\\\n", "")
		if strings.HasPrefix(block, "#!") {
			lines = append(lines, block)
			continue
		}
		for line := range strings.Lines(block) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	text = shellBlock.ReplaceAllString(text, "\n")
	for _, m := range append(inText.FindAllStringSubmatch(text, -1), inMargin.FindAllStringSubmatch(text, -1)...) {
		line := strings.Join(strings.Fields(strings.ReplaceAll(m[1], `\|`, "|")), " ") // which may go over lines
		switch {
		case aWord.MatchString(line):
			lines = append(lines, line+" --help")
		case aPattern.MatchString(line):
			for _, flag := range aFlag.FindAllString(line, -1) {
				lines = append(lines, fmt.Sprintf("handclasp %s --help | grep -e '%s'", strings.Fields(line)[1], flag))
			}
		default:
			lines = append(lines, line)
		}
	}
	return lines
}

// fixtures are the files and the other tools that documents name.
func fixtures(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/accepted.md")
	require.NoError(t, err)
	_, accepted, _ := strings.Cut(string(text), "\n```yaml\n")
	accepted, _, _ = strings.Cut(accepted, "\n```\n")
	files := map[string]string{
		"hosts.txt":         "192.0.2.16\n192.0.2.17:119\nftp.example.net\n",
		"my-folder/ftp.xml": `<fingerprints protocol="ftp"><fingerprint pattern="^ACME"><description>ACME</description></fingerprint></fingerprints>`,
		"hosts.csv":         "192.0.2.16,,office\n192.0.2.17,files.example.net,\n",
		"scan.xml": `<?xml version="1.0"?><nmaprun scanner="nmap"><host><address addr="192.0.2.16" addrtype="ipv4"/><ports>` +
			`<port protocol="tcp" portid="119"><state state="open"/></port></ports></host></nmaprun>`,
		"accepted.yaml": accepted,
		"mail.sh":       "#!/bin/sh\ncat >/dev/null\n",
		"bin/handclasp": "#!/bin/sh\ncase $1 in scan | watch) command=$1; shift; set -- \"$command\" --retries 0 --timeout 600ms \"$@\";; esac\nexec handclasp-simulated \"$@\"\n",
		"bin/zmap":      "#!/bin/sh\necho 192.0.2.16\n",
		"bin/naabu":     "#!/bin/sh\necho 192.0.2.16:119\n",
		"bin/curl":      curl,
		"web/Debian":    osv("Debian:12", "openssh"), "web/Ubuntu": osv("Ubuntu:24.04:LTS", "openssh"), "web/Alpine": osv("Alpine:v3.20", "openssh"),
		"web/kev":    `{"title":"CISA Catalog","dateReleased":"2026-11-24T10:00:00Z","vulnerabilities":[{"cveID":"CVE-2030-0001","dateAdded":"2026-11-02"}]}`,
		"web/epss":   gzipped("#model_version:v2026.03.14,score_date:2026-11-25T00:00:00+0000\ncve,epss,percentile\nCVE-2030-0001,0.94321,0.99912\n"),
		"web/debian": `[{"cycle":"13","eol":"2028-08-09","latest":"13.2"},{"cycle":"12","eol":"2026-06-10","latest":"12.12"}]`,
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o700))
	}
	for _, name := range []string{"results.jsonl", "monday.jsonl", "tuesday.jsonl"} {
		out, err := sh(dir, "handclasp scan --format jsonl --transcript --output "+name+" nntp://192.0.2.16")
		require.NoError(t, err, out)
	}
}

// curl writes what the documents fetch, and fails for what isn't there, as of a product that has no page.
const curl = `#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" = -o ] && out=$2; shift; done
case $1 in
*/all.zip) from=$(basename "$(dirname "$1")");;
*known_exploited*) from=kev;;
*epss_scores*) from=epss;;
*/debian.json) from=debian;;
*) exit 22;;
esac
exec cp "$HOME/web/$from" "$out"
`

func osv(ecosystem, name string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("CVE-2030-0001.json")
	if err != nil {
		panic(err) // a buffer takes everything
	}
	_, _ = fmt.Fprintf(w, `{"id":"CVE-2030-0001","modified":"2026-11-20T00:00:00Z","affected":[{"package":{"ecosystem":%q,"name":%q},`+
		`"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}`, ecosystem, name)
	_ = z.Close()
	return b.String()
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

// sh runs a line in a folder.
func sh(dir, line string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // or a line that goes on for ever never fails
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.WaitDelay = time.Second
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
