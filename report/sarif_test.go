package report_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	oasis "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/stretchr/testify/require"
	"github.com/xeipuuv/gojsonschema"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report/sarif"
)

var helped = []finding.Rule{
	{ID: "ftp.exposed", Title: "'FTP' port open", Severity: finding.Medium, CWE: []int{319}, Summary: "Anybody may ask.",
		Remediation: "Close <it>, or set a_b=[NO].", References: []string{"Some Report", "RFC 959 section 4.1.2", "CVE-2011-0411"}},
	{ID: "ftp.never", Title: "a rule that finds nothing", Severity: finding.Info, Summary: "Nothing."},
}

// log writes records as SARIF and reads the log again.
func log(t *testing.T, records ...finding.Record) *oasis.Report {
	t.Helper()
	var b bytes.Buffer
	writeAll(t, sarif.New(&b, sarif.Options{Rules: helped, Version: "v1.2.3"}), records...)
	validSARIF(t, b.Bytes())
	log, err := oasis.FromBytes(b.Bytes())
	require.NoError(t, err)
	require.Len(t, log.Runs, 1)
	return log
}

// validSARIF holds a log against the schema of OASIS, byte by byte: the library, which has the schema, judges only what
// is left when it has read a log and filled it up.
func validSARIF(t *testing.T, log []byte) {
	t.Helper()
	result, err := sarifSchema(t).Validate(gojsonschema.NewBytesLoader(log))
	require.NoError(t, err)
	require.Empty(t, result.Errors())
}

var sarifSchema = func() func(*testing.T) *gojsonschema.Schema {
	var schema *gojsonschema.Schema
	return func(t *testing.T) *gojsonschema.Schema {
		t.Helper()
		if schema != nil {
			return schema
		}
		dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3").Output()
		require.NoError(t, err)
		file := filepath.Join(strings.TrimSpace(string(dir)), "pkg", "report", "v210", "sarif", "schema.go")
		src, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		var text string
		ast.Inspect(src, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok {
				text, err = strconv.Unquote(literal.Value)
				require.NoError(t, err)
			}
			return true
		})
		require.Contains(t, text, "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema")
		schema, err = gojsonschema.NewSchema(gojsonschema.NewStringLoader(text))
		require.NoError(t, err)
		return schema
	}
}()

func TestTheSchemaIsUsed(t *testing.T) {
	for _, bad := range []string{`{"version":"2.1.0"}`, `{"version":"2.1.0","runs":[{"results":[]}]}`} {
		result, err := sarifSchema(t).Validate(gojsonschema.NewStringLoader(bad))
		require.NoError(t, err)
		require.False(t, result.Valid(), bad)
	}
}

func TestSARIF(t *testing.T) {
	run := log(t, neighbourhood()...).Runs[0]
	driver := run.Tool.Driver
	require.Equal(t, "handclasp", *driver.Name)
	require.Equal(t, "v1.2.3", *driver.Version)
	require.Len(t, driver.Rules, 3, "all that are known, and one of a finding that isn't")
	require.Equal(t, "ftp.cleartext-login", *driver.Rules[2].ID)
	require.Equal(t, "passwords asked for without TLS", *driver.Rules[2].ShortDescription.Text)
	require.Equal(t, "2026-01-02T03:04:05Z", *run.Invocations[0].StartTimeUtc)

	require.Len(t, run.Results, 4)
	r := run.Results[1]
	require.Equal(t, "ftp.exposed", *r.RuleID)
	require.Equal(t, 0, r.RuleIndex)
	require.Equal(t, "warning", r.Level)
	require.Equal(t, "'FTP' port open. On ftp.example.net:21, seen: greeting: 220 (vsFTPd 3.0.3)", *r.Message.Text)
	require.Equal(t, "scan/ftp.example.net/192.0.2.7/tcp/21/ftp", *r.Locations[0].PhysicalLocation.ArtifactLocation.URI)
	require.Equal(t, 1, *r.Locations[0].PhysicalLocation.Region.StartLine)
	require.Equal(t, "error", run.Results[0].Level)
	require.Equal(t, 2, run.Results[0].RuleIndex)
	require.Equal(t, []any{"/evidence/login", "/evidence/features"}, run.Results[0].Properties.Properties["basis"])
}

// A finding about software has what is known of its vulnerabilities, and by which data, and another finding nothing of the kind.
func TestSARIFVulnerabilities(t *testing.T) {
	results := log(t, exploited(), neighbourhood()[3]).Runs[0].Results
	properties := results[0].Properties.Properties
	require.Equal(t, []any{"CVE-2019-10149"}, properties["cve"])
	require.Equal(t, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", properties["cvss"])
	require.InDelta(t, 9.8, properties["cvss_score"], 1e-9)
	require.Equal(t, "2022-01-10", properties["kev"])
	require.InDelta(t, 0.9441, properties["epss"], 1e-9)
	require.Equal(t, map[string]any{"digest": "sha256:9f86", "date": "2025-12-24T00:00:00Z"}, properties["data"])
	for _, name := range []string{"cve", "cvss", "cvss_score", "kev", "epss", "data"} {
		require.NotContains(t, results[1].Properties.Properties, name)
	}
}

// What GitHub's documentation calls required is there, and not empty.
func TestSARIFHasWhatCodeScanningNeeds(t *testing.T) {
	run := log(t, neighbourhood()...).Runs[0]
	for _, rule := range run.Tool.Driver.Rules {
		require.NotEmpty(t, *rule.ShortDescription.Text)
		require.NotEmpty(t, *rule.FullDescription.Text)
		require.NotEmpty(t, *rule.Help.Text)
		require.NotEmpty(t, *rule.Help.Markdown)
	}
	exposed, never := run.Tool.Driver.Rules[0], run.Tool.Driver.Rules[1]
	require.Equal(t, "5.5", exposed.Properties.Properties["security-severity"])
	require.Equal(t, []string{"security", "ftp", "external/cwe/cwe-319"}, exposed.Properties.Tags)
	require.Equal(t, "https://www.rfc-editor.org/rfc/rfc959#section-4.1.2", *exposed.HelpURI)
	require.Contains(t, *exposed.Help.Markdown, `Close \<it\>, or set a\_b=\[NO\].`)
	require.Contains(t, *exposed.Help.Markdown, "- Some Report\n- [RFC 959 section 4.1.2](https://www.rfc-editor.org/rfc/rfc959#section-4.1.2)\n"+
		"- [CVE-2011-0411](https://www.cve.org/CVERecord?id=CVE-2011-0411)\n- [CWE-319](https://cwe.mitre.org/data/definitions/319.html)\n")
	require.NotContains(t, never.Properties.Properties, "security-severity", "information is a note")
	require.Equal(t, "note", never.DefaultConfiguration.Level)
	for _, r := range run.Results {
		require.NotEmpty(t, *r.Message.Text)
		require.NotEmpty(t, r.PartialFingerprints["primaryLocationLineHash"])
		require.Len(t, r.Locations, 1)
		place := r.Locations[0].PhysicalLocation
		u, err := url.Parse(*place.ArtifactLocation.URI)
		require.NoError(t, err)
		require.False(t, u.IsAbs())
		require.Equal(t, []int{1, 1, 1, 1}, []int{*place.Region.StartLine, *place.Region.StartColumn, *place.Region.EndLine, *place.Region.EndColumn})
	}
}

func fingerprint(t *testing.T, r finding.Record) string {
	return log(t, r).Runs[0].Results[0].PartialFingerprints["primaryLocationLineHash"]
}

func TestSARIFFingerprintsAreStable(t *testing.T) {
	first := finding.NewRecord(result("192.0.2.7:21", "ftp.example.net", ready()), rules)
	require.Equal(t, "328a685fe88ecf49:1", fingerprint(t, first), "permanent: another would close all alerts and open them anew")

	later := ready()
	later.Greeting.Lines = []string{"another banner"}
	again := finding.NewRecord(result("192.0.2.7:21", "ftp.example.net", later), rules)
	again.Started, again.Elapsed, again.Level = again.Started.Add(time.Hour), time.Second, probe.LevelGreeting
	again.Findings[0].Severity, again.Findings[0].Detail = finding.Low, "another"
	require.Equal(t, fingerprint(t, first), fingerprint(t, again))

	seen := map[string]bool{fingerprint(t, first): true}
	for _, other := range []*probe.Result{
		result("192.0.2.7:2121", "ftp.example.net", ready()), result("192.0.2.8:21", "ftp.example.net", ready()),
		result("192.0.2.7:21", "", ready()), result("192.0.2.7:21", "www.example.net", ready()),
	} {
		seen[fingerprint(t, finding.NewRecord(other, rules))] = true
	}
	login := ready()
	login.Login = probe.Yes
	seen[fingerprint(t, finding.NewRecord(result("192.0.2.7:21", "ftp.example.net", login), rules))] = true
	require.Len(t, seen, 5, "another address of one name is the same endpoint")
}

func TestSARIFPaths(t *testing.T) {
	for want, r := range map[string]*probe.Result{
		"scan/192.0.2.7/tcp/21/ftp":                     result("192.0.2.7:21", "", ready()),
		"scan/2001-db8--7/tcp/21/ftp":                   result("[2001:db8::7]:21", "", ready()),
		"scan/fe80--1%25eth0/tcp/21/ftp":                result("[fe80::1%eth0]:21", "", ready()),
		"scan/_/192.0.2.7/tcp/21/ftp":                   result("192.0.2.7:21", "..", ready()),
		"scan/..%2F..%2Fetc%5Cx00/192.0.2.7/tcp/21/ftp": result("192.0.2.7:21", "../../etc\x00", ready()),
	} {
		path := *log(t, finding.NewRecord(r, rules)).Runs[0].Results[0].Locations[0].PhysicalLocation.ArtifactLocation.URI
		require.Equal(t, want, path)
	}
}

func TestSARIFWithoutFindings(t *testing.T) {
	require.Empty(t, log(t).Runs[0].Results)
	require.Empty(t, log(t, finding.NewRecord(result("192.0.2.7:21", "", nil), rules)).Runs[0].Results)
}

func TestSARIFTextIsOnlyText(t *testing.T) {
	e := ready()
	e.Greeting.Lines = []string{"[click](https://evil.example) {0} \x1b[31m"}
	text := *log(t, finding.NewRecord(result("192.0.2.7:21", "", e), rules)).Runs[0].Results[0].Message.Text
	require.True(t, strings.HasSuffix(text, `220 [click] (https://evil.example) {{0}} \x1b[31m`), text)
}

func TestSARIFReportsTheWritersError(t *testing.T) {
	s := sarif.New(broken{}, sarif.Options{})
	require.EqualError(t, s.Write(finding.NewRecord(result("192.0.2.7:21", "", ready()), rules)), "disk full")
	require.EqualError(t, s.Close(), "disk full")
}
