package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	oasis "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/report/sarif"
)

// hostile are texts that a server may say in the hope that somebody looks at a report.
var hostile = []string{
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "</style><script>alert(1)</script>", "</pre></details><b>", "<!--", "]]>",
	"{{.Title}}", "${alert(1)}", "javascript:alert(1)", "&lt;b&gt;", "`onmouseover=alert(1) x='", "[x](javascript:alert(1))", "![x](http://evil.example/)",
	`=cmd|' /C calc'!A0`, "+1;=1", "@x", "-1",
	"\x1b[2J\x1b[31mred\x1b]0;title\x07\x1b]8;;http://evil.example\x07x\x1b]8;;\x07", "\x9b31m", "\u009b31m", "a\rb\nc\td\x00\x7f\x08\x08",
	"\u202egnp.exe\u2066\u200f\u061c", "\u200b\u200d\ufeff\u00ad\u2028\u2029\U000e0041\u3164", "\xff\xfe\xc3", "a" + strings.Repeat("\u0301", 50), "\ue000\ufffe",
	"\x00\x00\x00\x85\xffSMBr\x00\x00<script>\x00\x00\x00", strings.Repeat("日", 5000), strings.Repeat("long\n", 5000),
}

// poisoned is a record in which every text is evil that a server, a file or a caller can choose.
func poisoned(evil string) finding.Record {
	clean := strings.ToValidUTF8(evil, "\ufffd") // as evidence is
	r := result("192.0.2.7:21", clean, ready())
	e := r.Evidence.(*evidence)
	e.Greeting.Lines, e.Login, e.Features = []string{clean, clean}, probe.Yes, []string{clean}
	e.TLS = &probe.TLS{Mode: clean, Version: clean, Trusted: probe.No, LeftoverPlaintext: []byte(evil), Chain: []probe.Certificate{{Subject: clean}}}
	r.Software = []probe.Software{{Vendor: clean, Product: clean, Version: clean}}
	r.Protocol, r.Target.Network = clean, probe.Network(clean)
	r.Transcript = probe.Transcript{
		{Conn: 1, Dir: probe.DirOpen, Data: []byte(evil)}, {Conn: 1, Dir: probe.DirTLS, TLS: e.TLS, Outcome: probe.OutcomeTLS},
		{Conn: 1, Dir: probe.DirSend, Data: []byte(evil), Label: evil}, {Conn: 2, Dir: probe.DirRecv, Data: []byte("220 " + evil)},
		{Conn: 2, Dir: probe.DirEnd, Outcome: probe.OutcomeClosed},
	}
	record := finding.NewRecord(failed(r, probe.Errorf(clean, probe.OutcomeMalformed, "%s", clean)), rules)
	return finding.Record{Result: record.Result, Findings: append(record.Findings, finding.Finding{
		ID: clean, Title: clean, Severity: finding.High, Known: finding.Known(clean),
		Basis: []string{"/evidence/greeting", "/evidence/tls/version", clean, "/" + clean}, Detail: clean,
	}, finding.Finding{
		ID: clean, Title: clean, Severity: finding.Critical, Key: clean, CVE: []string{clean, "CVE-2030-0001"}, KEV: clean,
		CVSS: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 99, EPSS: 99, Remediation: clean,
		References: []string{clean}, Data: &finding.Data{Digest: clean}, Accepted: []finding.Acceptance{{Reason: clean, By: clean, Until: clean}},
	})}
}

// written is what each writer makes of a record.
func written(t *testing.T, r finding.Record) map[string]string {
	t.Helper()
	var jsonl, csv, log, page, list, dojo, ocsf, junit bytes.Buffer
	writeAll(t, report.NewJSONL(&jsonl), r)
	writeAll(t, report.NewCSV(&csv), r)
	writeAll(t, sarif.New(&log, sarif.Options{Rules: rules}), r)
	writeAll(t, report.NewDefectDojo(&dojo, report.Options{Rules: rules}), r)
	writeAll(t, report.NewOCSF(&ocsf, report.Options{Rules: rules}), r)
	writeAll(t, report.NewJUnit(&junit, report.Options{Rules: rules}), r)
	writeAll(t, report.NewHTML(&page, report.HTMLOptions{Rules: rules, Title: r.Target.Name}), r)
	table := report.NewTable(&list, report.TableOptions{List: true})
	require.NoError(t, table.Write(r, report.Host{Label: r.Target.Name}))
	require.NoError(t, table.Close())
	return map[string]string{
		"jsonl": jsonl.String(), "csv": csv.String(), "sarif": log.String(), "html": page.String(), "table": list.String(), "defectdojo": dojo.String(),
		"ocsf": ocsf.String(), "junit": junit.String(),
	}
}

func TestNoServerReachesTheReader(t *testing.T) {
	for _, evil := range hostile {
		for form, text := range written(t, poisoned(evil)) {
			require.True(t, utf8.ValidString(text), form)
			if form == "csv" {
				text = strings.ReplaceAll(text, "\r\n", "\n")
			}
			harmless(t, text)
			switch form {
			case "jsonl":
				require.Equal(t, 1, strings.Count(text, "\n"))
				r, err := finding.DecodeRecord([]byte(text))
				require.NoError(t, err)
				require.Equal(t, []byte("220 "+evil), r.Transcript[3].Data, "and nothing is lost")
			case "sarif":
				require.True(t, json.Valid([]byte(text)))
				log, err := oasis.FromString(text)
				require.NoError(t, err)
				for _, r := range log.Runs[0].Results {
					require.NotContains(t, *r.Message.Text, "](", "no link")
				}
				validSARIF(t, []byte(text))
			case "csv":
				require.Len(t, cells(t, text), len(poisoned(evil).Findings))
			case "html":
				inertPage(t, text)
			case "defectdojo":
				require.Len(t, imported(t, []byte(text)), len(poisoned(evil).Findings))
			case "ocsf":
				for line := range strings.Lines(text) {
					var event map[string]any
					require.NoError(t, json.Unmarshal([]byte(line), &event))
					validOCSF(t, event)
				}
				require.Equal(t, len(poisoned(evil).Findings), strings.Count(text, "\n"))
			case "junit":
				validJUnit(t, text)
			}
			if form == "defectdojo" || form == "ocsf" || form == "junit" {
				require.Less(t, len(text), len(poisoned(evil).Findings)*(32<<10), "however long what it said is: %s", form)
			}
		}
	}
}

// inertPage fails if a page has a thing that its template hasn't.
func inertPage(t *testing.T, text string) {
	t.Helper()
	const elements = " html head meta title link style body a header div h1 p button main section h2 figure figcaption ul li span svg rect b h3 dl dt dd " +
		"form label input select option fieldset legend details summary code pre i mark footer script br "
	const attributes = " lang charset http-equiv content name rel href id class hidden type for role aria-label aria-labelledby aria-sort aria-hidden " +
		"tabindex autocomplete spellcheck placeholder value checked title viewbox preserveaspectratio focusable width height x y " +
		"data-severity data-rank data-id data-where data-protocol data-known data-sort "
	counts := map[string]int{}
	for z := html.NewTokenizer(strings.NewReader(text)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		require.NotEqual(t, html.CommentToken, kind)
		token := z.Token()
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		counts[token.Data]++
		require.Contains(t, elements, " "+token.Data+" ")
		for _, a := range token.Attr {
			require.Contains(t, attributes, " "+strings.ToLower(a.Key)+" ", token.Data)
			if a.Key == "href" {
				require.Regexp(t, `^(#[a-z0-9-]+|data:,|https://(github\.com|www\.rfc-editor\.org|cwe\.mitre\.org)/.*)$`, a.Val)
			}
		}
	}
	for _, once := range []string{"script", "style", "title", "link", "form"} {
		require.Equal(t, 1, counts[once], once)
	}
}

// JSON lines of somebody else's making may have blanks between tokens, which aren't text.
func TestJSONLSpellsOnlyText(t *testing.T) {
	line := stored(t, finding.NewRecord(result("192.0.2.7:21", "", ready()), rules))
	line = strings.Replace(line, `"login":""`, "\"login\":\t \"\u009b31m\"", 1)
	for r, err := range report.Read(strings.NewReader(line)) {
		require.NoError(t, err)
		var b bytes.Buffer
		writeAll(t, report.NewJSONL(&b), r)
		require.True(t, json.Valid(b.Bytes()))
		require.Contains(t, b.String(), `"login":"\u009b31m"`)
	}
}

// A line reuses the memory of the one before it, and is longer or shorter than that.
func TestJSONLSpellsEachLineByItself(t *testing.T) {
	w := new(writes)
	j := report.NewJSONL(w)
	names := []string{"plain", "zażółć\u202e", strings.Repeat("é", 1<<16), "\U000e0041\u200b", "plain again", "x\u007f"}
	for _, name := range names {
		require.NoError(t, j.Write(finding.Record{Result: result("192.0.2.7:21", name, nil)}))
	}
	require.Len(t, *w, len(names))
	for i, name := range names {
		r, err := finding.DecodeRecord([]byte((*w)[i]))
		require.NoError(t, err)
		require.Equal(t, name, r.Target.Name)
		harmless(t, (*w)[i])
	}
	require.Contains(t, (*w)[1], `zażółć\u202e`)
	require.Contains(t, (*w)[3], `"\udb40\udc41\u200b"`)
	require.Contains(t, (*w)[5], `"x\u007f"`)
}

// Wherever a character stands that is to be spelled, and however long the text is.
func TestCleanJSONSeesEachByte(t *testing.T) {
	for size := range 20 {
		text := `"` + strings.Repeat("~", size) + `"`
		require.Equal(t, text, string(report.CleanJSON([]byte(text))))
		for at := range size {
			for char, spelled := range map[string]string{"\x7f": `\u007f`, "\u0080": `\u0080`, "\u200b": `\u200b`, "\xff": "\ufffd"} {
				text := text[:1+at] + char + text[2+at:]
				require.Equal(t, strings.Replace(text, char, spelled, 1), string(report.CleanJSON([]byte(text))))
			}
		}
	}
}
