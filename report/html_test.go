package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
)

func page(t *testing.T, records ...finding.Record) string {
	t.Helper()
	var b bytes.Buffer
	writeAll(t, report.NewHTML(&b, report.HTMLOptions{Rules: helped}), records...)
	return b.String()
}

// texts returns the text of each element with a class, blanks folded.
func texts(t *testing.T, page, class string) (all []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	var text func(n *html.Node) string
	text = func(n *html.Node) string {
		if n.Type == html.TextNode {
			return n.Data
		}
		var b strings.Builder
		for c := range n.ChildNodes() {
			b.WriteString(text(c))
		}
		return b.String()
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "class" && strings.Contains(" "+a.Val+" ", " "+class+" ") {
				all = append(all, strings.TrimSpace(regexp.MustCompile(`[ \n]+`).ReplaceAllString(text(n), " ")))
			}
		}
	}
	return all
}

func TestPage(t *testing.T) {
	p := page(t, neighbourhood()...)
	require.Equal(t, []string{"Critical0", "High1", "Medium3", "Low0", "Info0"}, strings.Fields(texts(t, p, "chart")[0]))
	require.Equal(t, []string{"answered 4 refused 2 no answer 1 unreachable 1 silent 1"}, texts(t, p, "states"))
	require.Equal(t, []string{"high", "medium", "medium", "medium"}, texts(t, p, "sev"))
	require.Equal(t, []string{"ftp.example.net:21 ftp", "192.0.2.8:2121 ftp", "192.0.2.12:21 ftp", "ftp.example.net:21 ftp"}, texts(t, p, "where"))
	more := texts(t, p, "more")
	require.Contains(t, more[0], "Claimed: the server says so, and it wasn't tried. login yes features EPSV, PASV, UTF8")
	require.Contains(t, more[3], "Anybody may ask.")
	require.Contains(t, more[3], "greeting 220 (vsFTPd 3.0.3)")
	require.Contains(t, more[3], "What to do Close <it>, or set a_b=[NO].")
	require.Contains(t, more[3], "References Some Report RFC 959 section 4.1.2 CVE-2011-0411 CWE-319")
	require.Contains(t, more[4], "Conversation S: 220 ready", "the first endpoint's")
	require.Contains(t, more[7], "Software vsftpd 3.0.3 Software Debian Linux")
	require.Len(t, more, 4+4, "findings, and endpoints that answered")
	require.Contains(t, more[7], "high passwords asked for without TLS: a detail medium 'FTP' port open Address", "each leads to the other")
	require.NotContains(t, p, "weren't stored")
}

// What was found is summed up by rule, by host and by software, and each line leads to what it is about.
func TestPageOverview(t *testing.T) {
	records := append(neighbourhood(), exploited())
	ended := result("192.0.2.25:22", "mx.example.net", ready())
	ended.Protocol, ended.Software = "ssh", []probe.Software{{Product: "OpenSSH", Version: "6.7p1"}, {Product: "Debian Linux", Version: "8"}}
	records = append(records, finding.Record{Result: ended, Findings: []finding.Finding{{
		ID: "software.end-of-life", Title: "no more security updates", Severity: finding.High, Known: finding.Claimed, Basis: []string{"/software/1/version"},
	}}})
	p := page(t, records...)
	panels := texts(t, p, "panel")
	require.Equal(t, []string{
		"By finding passwords asked for without TLS 1 high no more security updates end of life 1 high known vulnerability exploited 1 high 'FTP' port open 3 medium",
		"By host mx.example.net 2 high ftp.example.net 1 high 1 medium 192.0.2.8 1 medium 192.0.2.12 1 medium",
		"Software Debian Linux 8 end of life 1 endpoint Exim 4.91 exploited 1 endpoint Debian Linux 1 endpoint OpenSSH 6.7p1 1 endpoint vsftpd 3.0.3 1 endpoint",
	}, panels)
	require.Equal(t, []string{"192.0.2.8", "192.0.2.11", "192.0.2.12", "ftp.example.net", "mx.example.net"}, firstWords(texts(t, p, "host")))
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(p, -1) {
		require.Equal(t, 1, strings.Count(p, ` id="`+m[1]+`"`), "%s leads somewhere", m[1])
	}
	require.Contains(t, p, `<div role="row" class="row high" id="finding-`+strings.TrimPrefix(exploited().Findings[0].Key, "k1:")+`"`, "it is the same in every page")

	more := texts(t, p, "more")
	i := slices.IndexFunc(more, func(text string) bool { return strings.Contains(text, "CVE-2019-10149") })
	require.Contains(t, more[i], "What is known of it CVE: CVE-2019-10149 CVSS: 9.8, CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H "+
		"known to be exploited: in CISA's catalogue since 2022-01-10 EPSS: 94.4 % data: sha256:9f86 of 2025-12-24")
	require.Contains(t, more[i], "What to do Install the updates.")
	require.Contains(t, p, "https://www.exim.org/static/doc/security/CVE-2019-10149.txt")
}

func firstWords(all []string) (words []string) {
	for _, text := range all {
		word, _, _ := strings.Cut(text, " ")
		words = append(words, word)
	}
	return words
}

// A long list is folded, and findings of one key have a name each.
func TestPageOverviewFolds(t *testing.T) {
	var records []finding.Record
	for i := range 20 {
		records = append(records, finding.NewRecord(result(fmt.Sprintf("192.0.2.%d:21", i+1), "", ready()), rules))
	}
	p := page(t, append(records, records[0])...)
	require.Contains(t, texts(t, p, "panel")[1], "192.0.2.8 1 medium 12 more 192.0.2.9 1 medium")
	key := "finding-" + strings.TrimPrefix(records[0].Findings[0].Key, "k1:")
	require.Equal(t, 1, strings.Count(p, `id="`+key+`"`))
	require.Equal(t, 1, strings.Count(p, `id="`+key+`-2"`))
}

// The policy names the hash of the one style and of the one script, so that a browser takes nothing else.
func TestPagePolicy(t *testing.T) {
	p := page(t, neighbourhood()...)
	policy := html.UnescapeString(regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(p)[1])
	require.Contains(t, policy, "default-src 'none'; ")
	for _, element := range []string{"style", "script"} {
		_, text, _ := strings.Cut(p, "<"+element+">")
		text, _, _ = strings.Cut(text, "</"+element+">")
		sum := sha256.Sum256([]byte(text))
		require.Contains(t, policy, element+"-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	require.NotContains(t, policy, "unsafe")
	require.NotRegexp(t, `(src|action)="|url\(|@import|fetch\(|XMLHttp`, strings.ReplaceAll(p, "connect-src", ""))
}

func TestPageWithoutTranscripts(t *testing.T) {
	p := page(t, finding.NewRecord(result("192.0.2.7:21", "", ready()), rules).WithoutTranscript())
	require.Contains(t, p, "weren't stored")
	require.Equal(t, []string{"220 ready"}, texts(t, p, "greeting"))
}

func TestPageOfNothing(t *testing.T) {
	p := page(t)
	require.Contains(t, p, "Nothing was found.")
	require.Equal(t, []string{"none 0"}, texts(t, p, "states"))
}

func TestPageOfAStoredFindingThatTodaysRulesLack(t *testing.T) {
	r := finding.NewRecord(result("192.0.2.7:21", "", ready()), nil)
	r.Findings = []finding.Finding{{ID: "ftp.of-old", Title: "a title of old", Severity: finding.Critical, Known: finding.Inferred, Basis: []string{"/evidence/none"}, CWE: []int{319}}}
	p := page(t, r)
	require.Equal(t, []string{"a title of old", "192.0.2.7:21"}, texts(t, p, "title"))
	require.Contains(t, texts(t, p, "more")[0], `Inferred from a version`)
	require.Contains(t, texts(t, p, "more")[0], `no member "none"`)
	require.Contains(t, p, "https://cwe.mitre.org/data/definitions/319.html")
}

// A page stays one that a browser can open.
func TestPageIsBounded(t *testing.T) {
	var b bytes.Buffer
	w := report.NewHTML(&b, report.HTMLOptions{Rules: helped})
	var records []finding.Record
	for i := range 10_500 {
		r := finding.NewRecord(result(fmt.Sprintf("10.0.%d.%d:21", i/250, i%250), "", ready()), rules)
		if i == 10_499 {
			r.Findings[0].Severity = finding.Critical
		}
		records = append(records, r)
		require.NoError(t, w.Write(r))
	}
	require.NoError(t, w.Close())
	p := b.String()
	require.Equal(t, 5000, strings.Count(p, `<div role="row" class="row `))
	require.Contains(t, p, "5500 more aren't on this page")
	require.Contains(t, p, "8500 more endpoints answered and aren't on this page")
	_, first, _ := strings.Cut(p, `<div role="row" class="row `)
	require.True(t, strings.HasPrefix(first, "critical"))
	require.Less(t, strings.Index(first, "10.0.41.249:21"), 3000, "the most severe is there, late as it came")
	require.Less(t, b.Len(), 12<<20)

	// What came later isn't worth less.
	var backwards bytes.Buffer
	w = report.NewHTML(&backwards, report.HTMLOptions{Rules: helped})
	for _, r := range slices.Backward(records) {
		require.NoError(t, w.Write(r))
	}
	require.NoError(t, w.Close())
	shown := regexp.MustCompile(`id="finding-[^"]*"`)
	require.Len(t, shown.FindAllString(p, -1), 5000)
	require.Equal(t, shown.FindAllString(p, -1), shown.FindAllString(backwards.String(), -1))

	e := ready()
	e.Greeting.Lines = []string{strings.Repeat("x", 100_000)}
	r := result("192.0.2.7:21", "", e)
	for range 1000 {
		r.Transcript = append(r.Transcript, probe.Event{Conn: 1, Dir: probe.DirRecv, Data: bytes.Repeat([]byte("line\r\n"), 1000)})
	}
	p = page(t, finding.NewRecord(r, rules))
	require.Less(t, len(p), 60<<10)
	require.Contains(t, p, "more events are in the JSON lines")
}

func event(conn int, dir probe.Dir, data string) probe.Event {
	return probe.Event{At: time.Millisecond, Conn: conn, Dir: dir, Data: []byte(data)}
}

func TestPageShowsWhereTheProofWasSaid(t *testing.T) {
	e := ready()
	e.Login, e.Features = probe.Yes, []string{"UTF8", "MLST size*"}
	r := result("192.0.2.7:21", "", e)
	r.Transcript = probe.Transcript{
		event(1, probe.DirOpen, "192.0.2.7:21"), event(1, probe.DirRecv, "220 ready\r\n"), event(1, probe.DirSend, "SYST\r\n"),
		event(1, probe.DirRecv, "215 UNIX\r\n"), event(1, probe.DirSend, "FEAT\r\n"),
		event(1, probe.DirRecv, "211-Features:\r\n EPRT\r\n EPSV\r\n PASV\r\n SIZE\r\n TVFS\r\n MLST size*;\r\n UTF8\r\n211 End\r\n"),
		event(2, probe.DirOpen, "192.0.2.7:4000"), event(2, probe.DirRecv, "\x00\x01\x02SMB\xff\xfe and so on\x00\x00\x00\x00\x00"),
		{Conn: 2, Dir: probe.DirEnd, Outcome: probe.OutcomeClosed},
	}
	p := page(t, finding.NewRecord(r, rules))
	require.Equal(t, []string{
		"C: FEAT S: … S: TVFS S: MLST size*; S: UTF8 S: 211 End", // the login's, by its features
		"S: 220 ready", // the greeting's
	}, []string{regexp.MustCompile(`S: (EPSV|PASV|SIZE) `).ReplaceAllString(texts(t, p, "chat")[0], ""), texts(t, p, "chat")[1]})
	all := texts(t, p, "chat")[2]
	require.Contains(t, all, "connection 1 to 192.0.2.7:21 S: 220 ready C: SYST S: 215 UNIX C: FEAT S: 211-Features:")
	require.Contains(t, all, "connection 2 to 192.0.2.7:4000 S2: 00 01 02 53 4d 42 ff fe 20 61 6e 64 20 73 6f 20 ...SMB.. and so S2: 6f 6e 00 00 00 00 00 on.....")
	require.True(t, strings.HasSuffix(all, "connection 2 ended: closed"))
	require.Contains(t, p, "<mark>220 ready</mark>")
	require.Contains(t, p, "<mark> UTF8</mark>")
	require.NotContains(t, p, "<mark>215")
}

func TestPageFindsWordsAmongBytes(t *testing.T) {
	e := ready()
	e.Login, e.Features = probe.Yes, []string{"FRONTDESK"}
	r := result("192.0.2.7:137", "", e)
	reply := append(bytes.Repeat([]byte{0}, 140), "FRONTDESK\x00\x00"...)
	r.Transcript = probe.Transcript{event(1, probe.DirSend, "\x00\x01?\x00\x00"), event(1, probe.DirRecv, string(append(reply, reply...)))}
	chat := texts(t, page(t, finding.NewRecord(r, rules)), "chat")[0]
	require.True(t, strings.HasPrefix(chat, "C: 00 01 3f 00 00 ..?.. S: … S: 00 00"), chat)
	require.Contains(t, chat, "00 46 52 4f 4e ............FRON")
	require.Contains(t, page(t, finding.NewRecord(r, rules)), "<mark>54 44 45 53 4b 00")
}
