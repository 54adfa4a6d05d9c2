package report_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
)

// junitRules are those of the schema that Jenkins' xUnit plugin has (junit-10.xsd), of the elements that we write: where each may
// stand, its attributes, and with an exclamation mark those that it must have.
var junitRules = map[string]struct{ in, attributes string }{
	"testsuites": {"", "name time tests failures errors"},
	"testsuite":  {"testsuites testsuite", "name! tests! failures! errors! group time skipped timestamp hostname id package file log url version"},
	"properties": {"testsuite", ""},
	"property":   {"properties", "name! value!"},
	"testcase":   {"testsuite", "name! time classname group"},
	"skipped":    {"testcase", "type message"},
	"error":      {"testcase", "type message"},
	"failure":    {"testcase", "type message"},
}

var surefireTime = regexp.MustCompile(`^(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?$`)

// validJUnit holds a file to the schema.
func validJUnit(t *testing.T, text string) {
	t.Helper()
	open := []string{""}
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			rule, known := junitRules[token.Name.Local]
			require.True(t, known, token.Name.Local)
			parent := open[len(open)-1]
			require.True(t, parent == rule.in || slices.Contains(strings.Fields(rule.in), parent), "%s in %q", token.Name.Local, parent)
			has := map[string]bool{}
			for _, a := range token.Attr {
				has[a.Name.Local] = true
				if a.Name.Local == "time" {
					require.Regexp(t, surefireTime, a.Value)
				}
			}
			for attribute := range strings.FieldsSeq(rule.attributes) {
				name, must := strings.CutSuffix(attribute, "!")
				require.True(t, has[name] || !must, "%s needs %s", token.Name.Local, name)
				delete(has, name)
			}
			require.Empty(t, has, token.Name.Local)
			open = append(open, token.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if where := open[len(open)-1]; where != "failure" && where != "error" && where != "skipped" {
				require.Empty(t, strings.TrimSpace(string(token)), where)
			}
		}
	}
}

// A junitFile is what a reader makes of one.
type junitFile struct {
	Suites []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Name    string     `xml:"name,attr"`
			Failure *junitText `xml:"failure"`
			Error   *junitText `xml:"error"`
			Skipped *junitText `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

type junitText struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func junit(t *testing.T, records ...finding.Record) junitFile {
	t.Helper()
	var b bytes.Buffer
	writeAll(t, report.NewJUnit(&b, report.Options{Rules: helped}), records...)
	validJUnit(t, b.String())
	var file junitFile
	require.NoError(t, xml.Unmarshal(b.Bytes(), &file))
	return file
}

func TestJUnit(t *testing.T) {
	require.Empty(t, junit(t).Suites)
	broke := failed(result("192.0.2.13:21", "", nil), probe.Errorf("internal", probe.OutcomeInternal, "a fault"))
	quiet := finding.Record{Result: result("192.0.2.14:21", "", ready())}
	all := junit(t, append(neighbourhood(), exploited(), finding.Record{Result: broke}, quiet)...).Suites
	require.Len(t, all, 12, "one each endpoint")

	refused := all[0]
	require.Equal(t, "ftp.example.net:990 ftp", refused.Name)
	require.Equal(t, []int{1, 0, 0, 1}, []int{refused.Tests, refused.Failures, refused.Errors, refused.Skipped})
	require.Equal(t, &junitText{"refused", "refused: nothing was judged", "refused: nothing was judged"}, refused.Cases[0].Skipped, "unknown is no success")

	found := all[3]
	require.Equal(t, []int{2, 2, 0, 0}, []int{found.Tests, found.Failures, found.Errors, found.Skipped})
	require.Equal(t, "ftp.exposed", found.Cases[1].Name)
	require.Equal(t, &junitText{"medium", "medium: 'FTP' port open", "Anybody may ask.\nSeen: the conversation shows it.\nendpoint: ftp.example.net:21\n" +
		"address: 192.0.2.7:21\nrule: ftp.exposed\ngreeting: 220 (vsFTPd 3.0.3)\nWhat to do: Close <it>, or set a_b=[NO].\nSome Report\n" +
		"https://www.rfc-editor.org/rfc/rfc959#section-4.1.2\nhttps://www.cve.org/CVERecord?id=CVE-2011-0411\n"}, found.Cases[1].Failure)

	for _, line := range []string{
		"CVE: CVE-2019-10149", "CVSS: 9.8, CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "known to be exploited: in CISA's catalogue since 2022-01-10",
		"EPSS: 94.4 %", "data: sha256:9f86 of 2025-12-24", "What to do: Install the updates.",
	} {
		require.Contains(t, all[9].Cases[0].Failure.Text, line+"\n")
	}
	require.Equal(t, 1, all[10].Errors)
	require.Equal(t, "failed", all[10].Cases[0].Error.Type)
	require.Equal(t, []int{1, 0, 0, 0}, []int{all[11].Tests, all[11].Failures, all[11].Errors, all[11].Skipped}, "it answered, and nothing was found")
}
