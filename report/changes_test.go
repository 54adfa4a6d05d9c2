package report_test

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

func TestChangesKeepToTheirWidth(t *testing.T) {
	r := result("192.0.2.107:40021", "a-rather-long-name.files.example.net", nil)
	changes := []finding.Change{
		{Status: finding.New, Protocol: "ftp", Target: r.Target, Finding: finding.Finding{
			ID: "ftp.anonymous-writable", Title: "anonymous visitors may write", Detail: "incoming\x1b[2J", Severity: finding.High,
		}},
		{Status: finding.Unknown, Protocol: "ftp", Target: r.Target, Reason: "not scanned this time", Finding: finding.Finding{
			ID: "ftp.tls-missing", Title: "no TLS offered", Severity: finding.Low,
		}},
	}
	for _, width := range []int{40, 60, 80, 120, 200} {
		var b strings.Builder
		require.NoError(t, report.WriteDelta(&b, finding.Delta{Changes: changes, Unchanged: 3}, report.TableOptions{Width: width, Color: true}))
		lines := strings.Split(ansi.Strip(b.String()), "\n")
		for _, line := range lines[:2] {
			require.LessOrEqual(t, ansi.StringWidth(line), max(width, 60), line)
		}
		require.Contains(t, lines[0], "  anonymou", "the title isn't what is left out")
		require.Contains(t, lines[1], "  not sca")
		require.Equal(t, "1 new · 0 changed · 0 resolved · 1 unknown · 3 unchanged", lines[3])
	}
}
