package main

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/fleet"
	"github.com/handclasp/handclasp/internal/selfsigned"
	"github.com/handclasp/handclasp/report"
)

// houses are FTP servers inside TLS on the first addresses of a network of loopback.
func houses(t *testing.T, n int, c tls.Certificate) (port int) {
	for i := range n {
		l, err := tls.Listen("tcp4", fmt.Sprintf("127.65.0.%d:%d", i, port), &tls.Config{Certificates: []tls.Certificate{c}})
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		port = l.Addr().(*net.TCPAddr).Port
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					_, _ = c.Write([]byte("220 House FTP 7.7 ready\r\n"))
					_, _ = io.Copy(io.Discard, c)
				}()
			}
		}()
	}
	return port
}

const (
	houseRecog = `<fingerprints matches="ftp.banner" protocol="ftp"><fingerprint pattern="^House FTP (\d[\d.]*) ready">
<description>ours</description><param pos="0" name="service.product" value="House FTP"/><param pos="1" name="service.version"/></fingerprint></fingerprints>`
	housePolicy = "name: house\nseverity: high\nstatements:\n  - of: tls.versions\n    forbid: ['1.3']\n    source: a book\n  - of: tls.dh_bits\n    at_least: 2048\n    source: a book\n"
)

// What flags name travels with the scan: a worker in another place, where no such file is, judges the same. Results are written in
// all forms that are asked for, and Prometheus learns of the scan.
func TestFilesTravel(t *testing.T) {
	certificate := selfsigned.Certificate("house.example")
	port := houses(t, 8, certificate)
	s, elsewhere := newStage(t), newStage(t)
	elsewhere.port = s.port
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	metrics := l.Addr().String()
	require.NoError(t, l.Close())
	s.serve("--metrics", metrics)

	plain := s.try("submit", "--id", "plain", "--level", "greeting", "--shards", "2", fmt.Sprintf("ftps://127.65.0.0/29:%d", port))
	s.write("recog/xml/ftp_banners.xml", houseRecog)
	ca := s.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})))
	judged := s.try("submit", "--id", "judged", "--level", "greeting", "--shards", "2", "--ca", ca, "--recog", "recog", "--policy", s.write("house.yaml", housePolicy),
		"--severity-profile", "internal", "--exclude-rule", "ftp", "--min-severity", "high", fmt.Sprintf("ftps://127.65.0.0/29:%d", port))
	require.Equal(t, []string{"plain", "judged"}, []string{plain, judged})
	for _, name := range []string{"ca.pem", "recog", "house.yaml"} {
		require.NoError(t, os.RemoveAll(filepath.Join(s.dir, name)))
	}
	elsewhere.start("worker", s.url())

	s.try("results", "--follow", "plain", "-o", "plain.jsonl")
	s.try("results", "--follow", "judged", "-o", "judged.html", "-o", "judged.sarif", "-o", "judged.csv")
	without, with := read(t, filepath.Join(s.dir, "plain.jsonl")), read(t, filepath.Join(s.dir, "judged.html.jsonl"))
	require.Equal(t, map[string]int{"tls.cert-untrusted": 8}, only(without, "tls.cert-untrusted", "policy.house"))
	require.Equal(t, map[string]int{"policy.house": 8}, only(with, "tls.cert-untrusted", "policy.house"))
	require.Equal(t, map[string]int{"ftp.exposed": 8}, only(without, "ftp.exposed"))
	for _, r := range with {
		require.Equal(t, "House FTP", r.Software[0].Product)
		for _, f := range r.Findings {
			require.GreaterOrEqual(t, f.Severity, finding.High)
			require.NotContains(t, f.ID, "ftp.")
		}
	}
	for _, r := range without {
		require.Empty(t, r.Software)
	}
	for name, want := range map[string]string{"judged.html": "House FTP", "judged.sarif": "policy.house", "judged.csv": "policy.house"} {
		data, err := os.ReadFile(filepath.Join(s.dir, name))
		require.NoError(t, err)
		require.Contains(t, string(data), want, name)
	}

	table := s.try("status", "--watch")
	require.Contains(t, table, "SHARDS LEFT")
	require.NotContains(t, table, "running")
	answer, err := http.Get("http://" + metrics + "/metrics")
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	for _, line := range []string{
		"# TYPE handclasp_fleet_endpoints_done_total counter", `handclasp_fleet_endpoints_done_total{scan="judged",vantage="any"} 8`,
		`handclasp_fleet_scan_info{scan="plain",phase="finished"} 1`, `handclasp_fleet_shards{scan="plain",state="finished"} 2`,
		`handclasp_fleet_results_total{scan="plain",vantage="any",outcome="ok"} 8`,
	} {
		require.Contains(t, string(text), line+"\n")
	}
}

func read(t *testing.T, path string) (all []finding.Record) {
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for r, err := range report.Read(bytes.NewReader(data), fleet.Readers()...) {
		require.NoError(t, err)
		all = append(all, r)
	}
	require.NotEmpty(t, all)
	return all
}

// only counts findings of some rules.
func only(records []finding.Record, rules ...string) map[string]int {
	n := map[string]int{}
	for _, r := range records {
		for _, f := range r.Findings {
			if strings.Contains(strings.Join(rules, " "), f.ID) {
				n[f.ID]++
			}
		}
	}
	return n
}
