package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

func listed(t *testing.T, o report.TableOptions) (lines []string) {
	o.List = true
	_, end, ok := strings.Cut(ansi.Strip(table(t, o)), "\nfindings: 1 high · 3 medium\n\n")
	require.True(t, ok)
	return strings.Split(strings.TrimSuffix(end, "\n"), "\n")
}

func TestListEndsTheTable(t *testing.T) {
	require.Equal(t, []string{
		"  HIGH      ftp.cleartext-login  ftp.example.net:21 ftp  login: yes",
		"  MEDIUM    ftp.exposed          ftp.example.net:21 ftp  greeting: 220 (vsFTPd 3.0.3)",
		`  MEDIUM    ftp.exposed          192.0.2.8:2121 ftp      greeting: 220 \x1b[2J\x1b[31mhöst 日本 \u202egnp.exe / and a s…`,
		"  MEDIUM    ftp.exposed          192.0.2.12:21 ftp       greeting: SSH-2.0-x",
		"",
		"  ftp.example.net  192.0.2.7  1 high · 1 medium  ftp 21",
		"  192.0.2.8                   1 medium  ftp 2121",
		"  192.0.2.11                  no findings  ftp 990",
		"  192.0.2.12                  1 medium  ftp 21",
	}, listed(t, report.TableOptions{}))
	for _, width := range []int{60, 80, 100} {
		for _, line := range listed(t, report.TableOptions{Width: width, Color: true}) {
			require.LessOrEqual(t, ansi.StringWidth(line), width, line)
		}
	}
	require.NotContains(t, table(t, report.TableOptions{}), "\n  HIGH ")
}

func TestListKeepsTheMostSevere(t *testing.T) {
	var b bytes.Buffer
	table := report.NewTable(&b, report.TableOptions{List: true})
	for i := range 1000 {
		r := finding.NewRecord(result(fmt.Sprintf("10.0.%d.%d:21", i/250, i%250), "", ready()), rules)
		if i == 999 {
			r.Findings[0].Severity = finding.Critical
		}
		require.NoError(t, table.Write(r, report.Host{}))
	}
	require.NoError(t, table.Close())
	_, end, _ := strings.Cut(b.String(), "findings: 1 critical · 999 medium\n\n")
	require.Equal(t, 201+1+201, strings.Count(end, "\n"))
	require.Contains(t, end, "  10.0.3.249  1 critical  ftp 21\n")
	require.Contains(t, end, "… and 800 more hosts\n")
	require.Contains(t, end, "  CRITICAL  ftp.exposed  10.0.3.249:21 ftp")
	require.Contains(t, end, "… and 800 more\n")
}
