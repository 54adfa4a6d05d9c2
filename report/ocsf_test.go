package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

// ocsfSchema is what OCSF 1.8.0 (github.com/ocsf/ocsf-schema: dictionary.json, events/findings, objects) says of the attributes that
// we write: each with its type, an object's name or an array of one, and with an exclamation mark those that are required.
var ocsfSchema = map[string]string{
	"finding": "activity_id:int! activity_name:string category_uid:int! category_name:string class_uid:int! class_name:string type_uid:int! " +
		"type_name:string time:int! start_time:int end_time:int timezone_offset:int severity_id:int! severity:string status_id:int status:string status_detail:string " +
		"confidence_id:int confidence:string message:string metadata:metadata! finding_info:finding_info! resources:[resource_details] " +
		"observables:[observable] unmapped:object",
	"Vulnerability Finding": "vulnerabilities:[vulnerability]!",
	"Compliance Finding":    "compliance:compliance! remediation:remediation",
	"metadata":              "version:string! product:product! log_name:string",
	"product":               "name:string vendor_name:string version:string",
	"finding_info": "uid:string! title:string desc:string created_time:int last_seen_time:int analytic:analytic " +
		"attacks:[attack]",
	"analytic":         "uid:string name:string type_id:int! type:string",
	"attack":           "technique:technique",
	"technique":        "uid:string",
	"resource_details": "uid:string name:string type:string role_id:int role:string hostname:string ip:ip data:object",
	"vulnerability": "cve:cve title:string desc:string severity:string references:[string] affected_packages:[affected_package] " +
		"is_exploit_available:bool remediation:remediation",
	"cve":              "uid:string! cvss:[cvss] epss:epss related_cwes:[cwe] references:[string]",
	"cvss":             "base_score:float! overall_score:float version:string! vector_string:string",
	"epss":             "score:string!",
	"cwe":              "uid:string! src_url:string",
	"affected_package": "name:string! version:string! vendor_name:string cpe_name:string release:string",
	"compliance":       "control:string desc:string standards:[string] requirements:[string] status_id:int status:string",
	"remediation":      "desc:string! references:[string]",
	"observable":       "name:string type_id:int! type:string value:string",
}

// ocsfCaptions are the values that an attribute's id may have, in the object that it stands in, each with what the attribute
// beside it must say.
var ocsfCaptions = map[string]map[int]string{
	"finding.activity_id":   {1: "Create", 2: "Update", 3: "Close"},
	"finding.severity_id":   {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"},
	"finding.status_id":     {1: "New", 2: "In Progress", 3: "Suppressed", 4: "Resolved"},
	"finding.confidence_id": {0: "Unknown", 1: "Low", 2: "Medium", 3: "High"},
	"compliance.status_id":  {1: "Pass", 2: "Warning", 3: "Fail"},
	"analytic.type_id":      {1: "Rule"},
	"observable.type_id":    {1: "Hostname", 2: "IP Address", 11: "Port", 18: "CVE Object: uid"},

	"resource_details.role_id": {1: "Target", 2: "Actor", 3: "Affected", 4: "Related"},
}

// validOCSF holds an event to the schema.
func validOCSF(t *testing.T, event map[string]any) {
	t.Helper()
	name := event["class_name"].(string)
	class := map[string]float64{"Vulnerability Finding": 2002, "Compliance Finding": 2003}[name]
	require.Equal(t, class, event["class_uid"])
	require.Equal(t, []any{2.0, "Findings"}, []any{event["category_uid"], event["category_name"]})
	require.Equal(t, 100*class+event["activity_id"].(float64), event["type_uid"])
	require.Equal(t, name+": "+event["activity_name"].(string), event["type_name"])
	validObject(t, "finding", event, ocsfSchema["finding"]+" "+ocsfSchema[name])
}

func validObject(t *testing.T, object string, value map[string]any, attributes string) {
	t.Helper()
	require.NotEmpty(t, attributes, object)
	known := map[string]string{}
	for attribute := range strings.FieldsSeq(attributes) {
		name, kind, _ := strings.Cut(attribute, ":")
		kind, required := strings.CutSuffix(kind, "!")
		known[name] = kind
		require.True(t, value[name] != nil || !required, "%s needs %s", object, name)
	}
	for name, v := range value {
		require.Contains(t, known, name, object)
		validValue(t, object+"."+name, known[name], v)
		if captions, ok := ocsfCaptions[object+"."+name]; ok {
			label := strings.TrimSuffix(name, "_id")
			if name == "activity_id" {
				label = "activity_name"
			}
			require.Equal(t, captions[int(v.(float64))], value[label], "%s.%s", object, name)
			require.NotEmpty(t, value[label], "%s.%s", object, name)
		}
	}
}

func validValue(t *testing.T, where, kind string, v any) {
	t.Helper()
	if element, ok := strings.CutPrefix(kind, "["); ok {
		require.IsType(t, []any{}, v, where)
		for _, e := range v.([]any) {
			validValue(t, where, strings.TrimSuffix(element, "]"), e)
		}
		return
	}
	switch kind {
	case "string":
		require.IsType(t, "", v, where)
	case "bool":
		require.IsType(t, true, v, where)
	case "float":
		require.IsType(t, 1.5, v, where)
	case "int":
		require.IsType(t, 1.0, v, where)
		require.Equal(t, float64(int64(v.(float64))), v, where)
	case "ip":
		_, err := netip.ParseAddr(v.(string))
		require.NoError(t, err, where)
		require.LessOrEqual(t, len(v.(string)), 40)
	case "object":
		require.IsType(t, map[string]any{}, v, where)
	default:
		require.IsType(t, map[string]any{}, v, where)
		validObject(t, kind, v.(map[string]any), ocsfSchema[kind])
	}
}

// ocsf writes records, and reads the events.
func ocsf(t *testing.T, records ...finding.Record) (all []map[string]any) {
	t.Helper()
	var b bytes.Buffer
	described := []finding.Rule{helped[0]}
	described[0].Techniques, described[0].Controls = []string{"T1133"}, []string{"PCI DSS 4.0.1 1.2.5", "NIS2 21(2)(g)"}
	writeAll(t, report.NewOCSF(&b, report.Options{Rules: described, Version: "v1.2.3"}), records...)
	for line := range strings.Lines(b.String()) {
		var event map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &event))
		validOCSF(t, event)
		all = append(all, event)
	}
	return all
}

// at follows a path such as "vulnerabilities.0.cve.uid".
func at(t *testing.T, v any, path string) any {
	t.Helper()
	for step := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			var i int
			_, err := fmt.Sscan(step, &i)
			require.NoError(t, err, path)
			require.Less(t, i, len(in), path)
			v = in[i]
		default:
			require.Fail(t, "nothing there", path)
		}
	}
	return v
}

func TestOCSFCompliance(t *testing.T) {
	require.Empty(t, ocsf(t), "no finding, no event")
	all := ocsf(t, neighbourhood()...)
	require.Len(t, all, 4)
	for path, want := range map[string]any{
		"class_uid": 2003.0, "severity": "Medium", "confidence": "High", "status": "New", "activity_id": 1.0, "time": 1767323045719.0,
		"message": "'FTP' port open on ftp.example.net:21", "finding_info.uid": finding.Key("ftp.exposed", neighbourhood()[3].Target),
		"finding_info.analytic.uid": "ftp.exposed", "finding_info.attacks.0.technique.uid": "T1133", "finding_info.desc": "Anybody may ask.",
		"metadata.version": "1.8.0", "metadata.product.version": "v1.2.3", "resources.0.hostname": "ftp.example.net", "resources.0.ip": "192.0.2.7",
		"resources.0.data.port": 21.0, "resources.0.data.protocol": "ftp", "compliance.control": "ftp.exposed", "compliance.status": "Fail",
		"compliance.standards.0": "PCI DSS 4.0.1", "compliance.standards.1": "NIS2", "compliance.requirements.1": "NIS2 21(2)(g)",
		"remediation.desc": "Close <it>, or set a_b=[NO].", "remediation.references.1": "https://www.rfc-editor.org/rfc/rfc959#section-4.1.2",
		"unmapped.known": "seen", "unmapped.basis.0": "/evidence/greeting", "unmapped.proof.0": "greeting: 220 (vsFTPd 3.0.3)", "unmapped.cwe.0": 319.0,
	} {
		require.Equal(t, want, at(t, all[1], path), path)
	}
	require.Equal(t, "Medium", all[0]["confidence"], "claimed")
}

func TestOCSFVulnerability(t *testing.T) {
	r := exploited()
	event := ocsf(t, r)[0]
	for path, want := range map[string]any{
		"class_uid": 2002.0, "type_uid": 200201.0, "severity": "High", "confidence": "Low",
		"vulnerabilities.0.cve.uid": "CVE-2019-10149", "vulnerabilities.0.cve.cvss.0.base_score": 9.8, "vulnerabilities.0.cve.cvss.0.version": "3.1",
		"vulnerabilities.0.cve.cvss.0.vector_string": r.Findings[0].CVSS, "vulnerabilities.0.cve.epss.score": "0.9441",
		"vulnerabilities.0.cve.related_cwes.0.uid": "CWE-78", "vulnerabilities.0.is_exploit_available": true,
		"vulnerabilities.0.affected_packages.0.name": "Exim", "vulnerabilities.0.affected_packages.0.version": "4.91",
		"vulnerabilities.0.remediation.desc": "Install the updates.", "unmapped.kev": "2022-01-10", "unmapped.data.digest": "sha256:9f86",
		"unmapped.data.date": "2025-12-24T00:00:00Z", "observables.3.value": "CVE-2019-10149",
	} {
		require.Equal(t, want, at(t, event, path), path)
	}

	// What is older than CVSS 3 has a vector, too.
	r.Findings[0].CVSS, r.Findings[0].Score = "AV:N/AC:L/Au:N/C:C/I:C/A:C", 10
	require.Equal(t, []any{"2.0", 10.0}, []any{at(t, ocsf(t, r)[0], "vulnerabilities.0.cve.cvss.0.version"), at(t, ocsf(t, r)[0], "vulnerabilities.0.cve.cvss.0.base_score")})
	r = exploited()

	// The score is that of the worst, and nobody says which that is.
	r.Findings[0].CVE, r.Findings[0].Baseline = []string{"CVE-2019-10149", "CVE-2018-6789"}, finding.Unchanged
	event = ocsf(t, r)[0]
	require.Len(t, event["vulnerabilities"], 2)
	for _, v := range event["vulnerabilities"].([]any) {
		require.NotContains(t, at(t, v, "cve"), "cvss")
		require.NotContains(t, v, "is_exploit_available")
	}
	require.Equal(t, r.Findings[0].CVSS, at(t, event, "unmapped.cvss"))
	require.InDelta(t, 9.8, at(t, event, "unmapped.cvss_score"), 0)
	require.Equal(t, "Vulnerability Finding: Update", event["type_name"], "it was there before")
	require.Regexp(t, regexp.MustCompile(`^k1:[0-9a-f]{32}$`), at(t, event, "finding_info.uid"))
}
