package report_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
)

var update = flag.Bool("update", false, "write the golden files")

// neighbourhood is one of each thing that a table has to show.
func neighbourhood() []finding.Record {
	e := ready()
	e.Greeting.Lines = []string{"(vsFTPd 3.0.3)"}
	e.Login = probe.Yes
	e.Features = []string{"EPSV", "PASV", "UTF8"}
	e.TLS = &probe.TLS{
		Mode: "starttls", Version: "1.3", Trusted: probe.No,
		Chain: []probe.Certificate{{Subject: "CN=ftp.example.net", NotAfter: time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)}},
	}
	named := result("192.0.2.7:21", "ftp.example.net", e)
	named.Software = []probe.Software{{Vendor: "vsftpd", Product: "vsftpd", Version: "3.0.3"}, {Vendor: "Debian", Product: "Debian Linux"}}

	odd := ready()
	odd.Greeting.Lines = []string{"\x1b[2J\x1b[31mhöst 日本 \u202egnp.exe", "and a second line"}
	cut := failed(result("192.0.2.8:2121", "", odd), probe.Errorf("read", probe.OutcomeClosed, "after \x07 %s", strings.Repeat("long ", 50)))

	plain := result("192.0.2.11:990", "", nil)
	plain.Evidence = &evidence{TLS: &probe.TLS{Mode: "implicit", LeftoverPlaintext: []byte("421 come back\x07\r\n")}}
	other := ready()
	other.Greeting.Code, other.Greeting.Lines = 0, []string{"SSH-2.0-x"}

	var all []finding.Record
	for _, r := range []*probe.Result{
		failed(result("192.0.2.7:990", "ftp.example.net", nil), probe.Errorf("dial", probe.OutcomeRefused, "connection refused")),
		failed(result("192.0.2.7:2121", "ftp.example.net", nil), probe.Errorf("dial", probe.OutcomeRefused, "connection refused")),
		failed(result("192.0.2.7:22", "ftp.example.net", nil), probe.Errorf("read", probe.OutcomeTimeout, "timed out")),
		named, cut,
		failed(result("192.0.2.9:21", "", nil), probe.Errorf("dial", probe.OutcomeTimeout, "timed out")),
		failed(result("192.0.2.10:21", "mute.example.net", nil), probe.Errorf("dial", probe.OutcomeUnreachable, "no route to host")),
		failed(result("192.0.2.12:21", "", other), probe.Errorf("greeting", probe.OutcomeNotProtocol, "no reply")),
		failed(plain, probe.Errorf("tls", probe.OutcomeTLS, "handshake failure")),
	} {
		all = append(all, finding.NewRecord(r, rules))
	}
	return all
}

func table(t *testing.T, o report.TableOptions) string {
	var b bytes.Buffer
	table := report.NewTable(&b, o)
	for _, r := range neighbourhood() {
		require.NoError(t, table.Write(r, report.Host{}))
	}
	require.NoError(t, table.Close())
	return b.String()
}

func TestTable(t *testing.T) {
	for file, o := range map[string]report.TableOptions{
		"testdata/table.txt": {}, "testdata/narrow.txt": {Width: 60}, "testdata/colour.txt": {Color: true, Width: 100},
	} {
		got := table(t, o)
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), got, file)
	}
}

func TestTableKeepsToItsWidth(t *testing.T) {
	for _, o := range []report.TableOptions{{}, {Width: 60}, {Width: 61, Color: true}, {Width: 100, Color: true}} {
		width := max(o.Width, 60)
		if o.Width == 0 {
			width = 120
		}
		for line := range strings.Lines(table(t, o)) {
			require.LessOrEqual(t, ansi.StringWidth(strings.TrimSuffix(line, "\n")), width, line)
		}
	}
}

func TestColourChangesNothingElse(t *testing.T) {
	require.Equal(t, table(t, report.TableOptions{Width: 90}), ansi.Strip(table(t, report.TableOptions{Width: 90, Color: true})))
}

// harmless fails if text could do more to a terminal than to be read.
func harmless(t *testing.T, text string) {
	for _, r := range text {
		if r != '\n' && (!unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r)) {
			t.Fatalf("%q got through in %q", r, text)
		}
	}
}

func TestServersCannotReachTheTerminal(t *testing.T) {
	for _, evil := range []string{
		"\x1b[2J\x1b]0;title\x07", "\x9b31m", "\u009b31m", "a\rb\nc\td\x00\x7f", "\u202e\u2066\u200f\u061c", "\u200b\u200d\ufeff\u00ad\u2028\u2029",
		"\U000e0041", "\xff\xfe", "a" + strings.Repeat("\u0301", 50), "\ue000", "日本語" + strings.Repeat("日", 500),
	} {
		r := result("192.0.2.7:21", evil, ready())
		e := r.Evidence.(*evidence)
		e.Greeting.Lines, e.Login, e.Features = []string{evil, evil}, probe.Yes, []string{evil}
		e.TLS = &probe.TLS{Mode: evil, Version: evil, Chain: []probe.Certificate{{Subject: evil}}}
		r.Software = []probe.Software{{Product: evil, Version: evil}}
		failed(r, probe.Errorf(evil, probe.OutcomeMalformed, "%s", evil))
		record := finding.NewRecord(r, rules)
		for i := range record.Findings {
			record.Findings[i].Detail = evil
		}
		var b bytes.Buffer
		table := report.NewTable(&b, report.TableOptions{})
		require.NoError(t, table.Write(record, report.Host{Label: evil}))
		require.NoError(t, table.Close())
		harmless(t, b.String())
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, höst, 日本": "plain text, höst, 日本",
		"\x1b[31m":             `\x1b[31m`,
		"a\r\nb\tc\x00":        `a\r\nb\tc\x00`,
		"\x7f\u0085\u009b":     `\x7f\u0085\u009b`,
		"\u202egnp.exe":        `\u202egnp.exe`,
		"a\u200bb\u3164":       `a\u200bb\u3164`,
		"\xff\ufffd\x80":       "\\xff\ufffd\\x80",
		"e\u0301":              "e\u0301",
		"\u0301e":              `\u0301e`,
	} {
		require.Equal(t, want, report.Clean(in))
	}
	require.Equal(t, 2, strings.Count(report.Clean("a"+strings.Repeat("\u0301", 5)), `\u0301`))
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[2J\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) { harmless(t, report.Clean(s)) })
}
