package report_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
)

func writeAll(t *testing.T, w report.Writer, records ...finding.Record) {
	t.Helper()
	for _, r := range records {
		require.NoError(t, w.Write(r))
	}
	require.NoError(t, w.Close())
}

// cells is CSV as rows of column name and value.
func cells(t *testing.T, text string) (rows []map[string]string) {
	r := csv.NewReader(strings.NewReader(text))
	all, err := r.ReadAll()
	require.NoError(t, err)
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	writeAll(t, report.NewCSV(&b), neighbourhood()...)
	require.Equal(t, strings.Count(b.String(), "\n"), strings.Count(b.String(), "\r\n"), "RFC 4180 ends lines so")
	rows := cells(t, b.String())
	require.Len(t, rows, 10, "two findings of one endpoint, and a line for each of the others")
	require.Equal(t, map[string]string{
		"severity": "high", "id": "ftp.cleartext-login", "title": "passwords asked for without TLS", "detail": "a detail", "known": "claimed",
		"proof": "login: yes | features: EPSV, PASV, UTF8", "cwe": "", "protocol": "ftp", "network": "tcp", "address": "192.0.2.7", "port": "21",
		"name": "ftp.example.net", "state": "answered", "outcome": "ok", "error": "", "greeting": "220 (vsFTPd 3.0.3)", "software": "vsftpd 3.0.3 · Debian Linux",
		"cpe": "", "started": "2026-01-02T03:04:05Z", "accepted": "", "cve": "", "cvss": "", "cvss_score": "", "kev": "", "epss": "", "data": "",
	}, rows[3])
	require.Equal(t, "319", rows[4]["cwe"])
	for name, want := range map[string]string{"severity": "", "id": "", "proof": "", "port": "990", "state": "refused", "outcome": "refused", "error": "dial: connection refused"} {
		require.Equal(t, want, rows[0][name], name)
	}
}

// A finding about software has what is known of its vulnerabilities, and by which data.
func TestCSVVulnerabilities(t *testing.T) {
	var b bytes.Buffer
	writeAll(t, report.NewCSV(&b), exploited())
	row := cells(t, b.String())[0]
	for name, want := range map[string]string{
		"cwe": "78 1395", "port": "25", "cve": "CVE-2019-10149", "cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "cvss_score": "9.8",
		"kev": "2022-01-10", "epss": "0.9441", "data": "sha256:9f86 of 2025-12-24",
	} {
		require.Equal(t, want, row[name], name)
	}
}

func TestCSVIsWrittenAsItComes(t *testing.T) {
	w := new(writes)
	c := report.NewCSV(w)
	require.NoError(t, c.Write(finding.NewRecord(result("192.0.2.7:21", "", ready()), rules)))
	require.NoError(t, c.Write(finding.NewRecord(result("192.0.2.8:21", "", ready()), rules)))
	require.Len(t, *w, 2)
	require.True(t, strings.HasPrefix((*w)[0], "severity,id,"))
	require.EqualError(t, report.NewCSV(broken{}).Write(finding.NewRecord(result("192.0.2.7:21", "", nil), rules)), "disk full")
}

// No cell begins with what a spreadsheet takes for a formula, whatever separates cells.
func TestCSVHoldsNoFormula(t *testing.T) {
	for _, evil := range []string{
		`=cmd|' /C calc'!A0`, "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", `"=1`, `";=1;"`, "x;=1", "x; +1", "＝1", "＠x", ";;-1",
	} {
		r := result("192.0.2.7:21", evil, ready())
		e := r.Evidence.(*evidence)
		e.Greeting.Code, e.Greeting.Lines, e.Login, e.Features = 0, []string{evil}, probe.Yes, []string{evil}
		r.Software = []probe.Software{{Product: evil}}
		record := finding.NewRecord(failed(r, probe.Errorf(evil, probe.OutcomeMalformed, "%s", evil)), rules)
		for i := range record.Findings {
			record.Findings[i].ID, record.Findings[i].Title, record.Findings[i].Detail = evil, evil, evil
		}
		var b bytes.Buffer
		writeAll(t, report.NewCSV(&b), record)
		for _, row := range cells(t, b.String()) {
			for name, cell := range row {
				for part := range strings.SplitSeq(cell, ";") {
					require.NotRegexp(t, `^[ "]*[-=+@＝＋－＠]`, part, name)
				}
			}
		}
	}
}

func TestCSVCellsAreBounded(t *testing.T) {
	e := ready()
	e.Greeting.Lines = []string{strings.Repeat("日", 100_000)}
	var b bytes.Buffer
	writeAll(t, report.NewCSV(&b), finding.NewRecord(result("192.0.2.7:21", "", e), rules))
	for name, cell := range cells(t, b.String())[0] {
		require.Less(t, len(cell), 4000, name)
	}
}
