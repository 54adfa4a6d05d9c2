package report_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
)

// exploited is a finding about software with all that is known of a vulnerability.
func exploited() finding.Record {
	r := result("192.0.2.25:25", "mx.example.net", ready())
	r.Protocol, r.Software = "smtp", []probe.Software{{Vendor: "Exim", Product: "Exim", Version: "4.91", CPE: "cpe:2.3:a:exim:exim:4.91:*:*:*:*:*:*:*"}}
	return finding.Record{Result: r, Findings: []finding.Finding{{
		Key: finding.Key("software.vulnerable", r.Target), ID: "software.vulnerable", Title: "known vulnerability", Severity: finding.High,
		Known: finding.Inferred, Basis: []string{"/software/0/version"}, Items: []finding.Item{{Value: "CVE-2019-10149", Basis: "/software/0/version"}},
		Detail: "Exim 4.91: CVE-2019-10149", CWE: []int{78, 1395}, CVE: []string{"CVE-2019-10149"},
		CVSS: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 9.8, KEV: "2022-01-10", EPSS: 0.9441,
		Data:        &finding.Data{Digest: "sha256:9f86", Date: time.Date(2025, 12, 24, 0, 0, 0, 0, time.UTC)},
		Remediation: "Install the updates.", References: []string{"https://www.exim.org/static/doc/security/CVE-2019-10149.txt"},
	}}}
}

// dojo writes records, and reads them as the importer does.
func dojo(t *testing.T, records ...finding.Record) []map[string]any {
	t.Helper()
	var b bytes.Buffer
	writeAll(t, report.NewDefectDojo(&b, report.Options{Rules: helped, Version: "v1.2.3"}), records...)
	return imported(t, b.Bytes())
}

// imported holds a file to the rules of DefectDojo's importer (dojo/tools/generic/json_parser.py) and of the models that it makes
// (dojo/finding/models.py, Endpoint.clean): what it demands, what it refuses, and what wouldn't fit a column.
func imported(t *testing.T, text []byte) []map[string]any {
	t.Helper()
	var file map[string][]map[string]any
	require.NoError(t, json.Unmarshal(text, &file))
	require.Len(t, file, 1)
	require.Contains(t, file, "findings")
	widths := map[string]int{
		"title": 511, "cvssv3": 117, "cvssv4": 255, "component_name": 500, "component_version": 100, "unique_id_from_tool": 500, "vuln_id_from_tool": 500,
		"service": 200,
	}
	ranges := map[string]float64{"cvssv3_score": 10, "cvssv4_score": 10, "epss_score": 1, "cwe": 1 << 31, "scanner_confidence": 10}
	for _, f := range file["findings"] {
		for _, required := range []string{"title", "severity", "description"} {
			require.NotEmpty(t, f[required], required)
		}
		require.Contains(t, []string{"Info", "Low", "Medium", "High", "Critical"}, f["severity"])
		for name, value := range f {
			switch name {
			case "title", "cvssv3", "cvssv4", "component_name", "component_version", "unique_id_from_tool", "vuln_id_from_tool", "service":
				require.LessOrEqual(t, len([]rune(value.(string))), widths[name], name)
			case "description", "mitigation", "references", "severity":
				require.NotEmpty(t, value.(string), name)
			case "date", "kev_date":
				day, err := time.Parse(time.DateOnly, value.(string))
				require.NoError(t, err, name)
				require.False(t, name == "kev_date" && day.After(time.Now().AddDate(0, 0, 1)))
			case "cvssv3_score", "cvssv4_score", "epss_score", "cwe", "scanner_confidence":
				require.Greater(t, value.(float64), 0.0, name)
				require.LessOrEqual(t, value.(float64), ranges[name], name)
			case "active", "static_finding", "dynamic_finding", "known_exploited", "risk_accepted":
				require.IsType(t, true, value, name)
			case "vulnerability_ids":
				for _, id := range value.([]any) {
					require.LessOrEqual(t, len(id.(string)), 50)
				}
			case "endpoints":
				for _, e := range value.([]any) {
					importedEndpoint(t, e.(map[string]any))
				}
			default:
				require.Fail(t, "the importer, or this test, doesn't know it", name)
			}
		}
		if vector, ok := f["cvssv3"]; ok {
			require.Regexp(t, `^CVSS:3\.[01]/(.*/)?AV:[NALP]/AC:[LH]/PR:[NLH]/UI:[NR]/S:[UC]/C:[NLH]/I:[NLH]/A:[NLH](/.*)?$`, vector)
		}
	}
	return file["findings"]
}

func importedEndpoint(t *testing.T, e map[string]any) {
	t.Helper()
	if scheme, ok := e["protocol"]; ok {
		require.Regexp(t, `^[A-Za-z][A-Za-z0-9.\-+]+$`, scheme)
		delete(e, "protocol")
	}
	host := e["host"].(string)
	if !regexp.MustCompile(`^[A-Za-z0-9_\-+][A-Za-z0-9_.\-+]+$`).MatchString(host) {
		ip, err := netip.ParseAddr(host)
		require.NoError(t, err)
		require.Empty(t, ip.Zone(), "Django takes none")
	}
	require.IsType(t, 1.0, e["port"])
	require.Len(t, e, 2)
}

func TestDefectDojo(t *testing.T) {
	require.Empty(t, dojo(t))
	all := dojo(t, append(neighbourhood(), exploited())...)
	require.Len(t, all, 5)
	require.Equal(t, map[string]any{
		"title": "'FTP' port open", "severity": "Medium", "date": "2026-01-02", "cwe": 319.0, "active": true, "static_finding": false, "dynamic_finding": true,
		"scanner_confidence":  1.0,
		"unique_id_from_tool": finding.Key("ftp.exposed", neighbourhood()[3].Target), "vuln_id_from_tool": "ftp.exposed", "service": "ftp",
		"description": "Anybody may ask.\n\nSeen: the conversation shows it.\n\n    endpoint: ftp.example.net:21\n    address: 192.0.2.7:21\n" +
			"    rule: ftp.exposed\n    greeting: 220 (vsFTPd 3.0.3)\n",
		"mitigation": "Close <it>, or set a_b=[NO].",
		"references": "Some Report\nhttps://www.rfc-editor.org/rfc/rfc959#section-4.1.2\nhttps://www.cve.org/CVERecord?id=CVE-2011-0411",
		"endpoints":  []any{map[string]any{"host": "ftp.example.net", "port": 21.0}},
	}, all[1])

	f := all[4]
	require.Equal(t, []any{"CVE-2019-10149"}, f["vulnerability_ids"])
	require.Equal(t, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", f["cvssv3"])
	require.InDelta(t, 9.8, f["cvssv3_score"], 0)
	require.InDelta(t, 0.9441, f["epss_score"], 0)
	require.Equal(t, true, f["known_exploited"])
	require.Equal(t, "2022-01-10", f["kev_date"])
	require.Equal(t, []any{"Exim", "4.91"}, []any{f["component_name"], f["component_version"]})
	require.InDelta(t, 7, f["scanner_confidence"], 0, "tentative: it is inferred")
	require.Contains(t, f["description"], "    data: sha256:9f86 of 2025-12-24\n")
	require.NotContains(t, all[1], "kev_date", "an importer of before there was one would refuse the file")
}

// What isn't a vector, an id or a day is left out, since the importer would refuse all for it.
func TestDefectDojoLeavesOutWhatItWouldRefuse(t *testing.T) {
	r := exploited()
	f := &r.Findings[0]
	f.CVE, f.CVSS, f.KEV, f.EPSS = []string{"CVE-1", "'; DROP TABLE", "CVE-2019-10149"}, "AV:N/AC:L/Au:N/C:C/I:C/A:C", "yesterday", 7
	r.Target.Name, r.Target.Addr = "bad name", netip.MustParseAddrPort("[fe80::1%eth0]:25")
	got := dojo(t, r)[0]
	require.Equal(t, []any{"CVE-2019-10149"}, got["vulnerability_ids"])
	for _, name := range []string{"cvssv3", "cvssv3_score", "cvssv4", "kev_date", "known_exploited"} {
		require.NotContains(t, got, name)
	}
	require.Equal(t, []any{map[string]any{"host": "fe80::1", "port": 25.0}}, got["endpoints"])

	f.CVSS, f.Score = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:A/U:Red", 9.3
	got = dojo(t, r)[0]
	require.Equal(t, []any{f.CVSS, 9.3}, []any{got["cvssv4"], got["cvssv4_score"]})
}

// Whatever a server says stands in a block of code.
func TestDefectDojoTextIsNoMarkdown(t *testing.T) {
	for _, evil := range hostile {
		for _, f := range dojo(t, poisoned(evil)) {
			_, block, _ := strings.Cut(f["description"].(string), "    endpoint: ")
			for i, line := range slices.Collect(strings.Lines(block)) {
				require.True(t, i == 0 || strings.HasPrefix(line, "    "), line)
			}
		}
	}
}

// A record's findings are written with it, and nothing is kept.
func TestFormsForProgramsStream(t *testing.T) {
	for name, open := range map[string]func(io.Writer) report.Writer{
		"defectdojo": func(w io.Writer) report.Writer { return report.NewDefectDojo(w, report.Options{}) },
		"ocsf":       func(w io.Writer) report.Writer { return report.NewOCSF(w, report.Options{}) },
		"junit":      func(w io.Writer) report.Writer { return report.NewJUnit(w, report.Options{}) },
	} {
		out := new(writes)
		w := open(out)
		for i, addr := range []string{"192.0.2.7:21", "192.0.2.8:21", "192.0.2.9:21"} {
			require.NoError(t, w.Write(finding.NewRecord(result(addr, "", ready()), rules)))
			require.Len(t, *out, i+1, name)
			require.Contains(t, (*out)[i], addr, name)
		}
		require.NoError(t, w.Close())
		require.EqualError(t, open(broken{}).Write(exploited()), "disk full", name)
	}
}
