package detect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// ask scans one target with all probers. Whatever its address is, a server at addr takes the calls, which are counted.
func ask(t *testing.T, target string, addr netip.AddrPort, o scan.EndpointOptions) (scan.Result, int) {
	t.Helper()
	var calls atomic.Int32
	options := &scan.Options{Probe: probe.Options{
		Limits: probe.Limits{Idle: 2 * time.Second},
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			calls.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr.String())
		},
	}}
	var all []scan.Result
	for r, err := range scan.Run(t.Context(), scan.Endpoints(t.Context(), scan.Args([]string{target}), handclasp.Probers(), &o), options) {
		require.NoError(t, err)
		all = append(all, r)
	}
	require.Len(t, all, 1)
	return all[0], int(calls.Load())
}

// mysql is the beginning of what a MySQL server says.
const mysql = "\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00"

// Whoever greets is asked as if the URL had named it, on the connection on which it greeted.
func TestServicesOnOthersPorts(t *testing.T) {
	ofLab := func(start func(context.Context) (*lab.Server, error)) netip.AddrPort {
		s, err := start(context.Background())
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		return s.Addr
	}
	played := func(serve func(net.Conn)) netip.AddrPort {
		target, _ := somewhere(t, serve)
		return target.Addr
	}
	for name, tc := range map[string]struct {
		target, url string
		server      netip.AddrPort
		extra       int // connections
	}{
		"FTP on 25":                 {target: "192.0.2.7:25", url: "ftp://192.0.2.7:25", server: ofLab(lab.AnonymousFTP)},
		"FTP on a port of nobody's": {target: "192.0.2.7:2121", url: "ftp://192.0.2.7:2121", server: ofLab(lab.AnonymousFTP)},
		"FTP where it lives":        {target: "192.0.2.7:21", url: "ftp://192.0.2.7:21", server: ofLab(lab.AnonymousFTP)},
		"mail on 21":                {target: "192.0.2.7:21", url: "smtp://192.0.2.7:21", server: ofLab(lab.CleartextMail)},
		"mail in pieces":            {target: "192.0.2.7:21", url: "smtp://192.0.2.7:21", server: played(slowly("2", "20-mx.exa", "mple\r\n", "220 ESM", "TP\r\n"))},
		"SSH on 443":                {target: "192.0.2.7:443", url: "ssh://192.0.2.7:443", server: ofLab(lab.PasswordSSH)},
		"rsync on 80":               {target: "192.0.2.7:80", url: "rsync://192.0.2.7:80", server: ofLab(lab.OpenRsync)},
		"rsync on 22, in pieces":    {target: "192.0.2.7:22", url: "rsync://192.0.2.7:22", server: played(slowly("@RSY", "NCD: 3", "1.0\n", "@RSYNCD: EXIT\n"))},
		"news behind TLS on 443":    {target: "192.0.2.7:443", url: "nntps://192.0.2.7:443", server: played(insideTLS(replies("200 hello\r\n", news))), extra: 2},
		"files on 4450":             {target: "192.0.2.7:4450", url: "smb://192.0.2.7:4450", server: ofLab(lab.OpenFiles), extra: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := scan.EndpointOptions{GreetingWait: patience(name)}
			asked, direct := ask(t, tc.url, tc.server, o)
			detected, calls := ask(t, tc.target, tc.server, o)
			require.Equal(t, asked.Protocol, detected.Protocol)
			require.Equal(t, asked.Outcome, detected.Outcome, "%v", detected.Err)
			require.Equal(t, learned(t, asked), learned(t, detected))
			require.Equal(t, direct+tc.extra, calls, "connections")
		})
	}
}

// passing is what differs at each conversation: names made up for it, and the time.
var passing = regexp.MustCompile(`handclasp\.[a-z]{16}|"system_time":"[^"]*"`)

// learned is the evidence and what was found in it.
func learned(t *testing.T, r scan.Result) string {
	evidence, err := json.Marshal(r.Evidence)
	require.NoError(t, err)
	findings, err := json.Marshal(finding.Evaluate(r.Result, handclasp.Rules()))
	require.NoError(t, err)
	return passing.ReplaceAllString(fmt.Sprintf("%T %s %s", r.Evidence, evidence, findings), "…")
}

func TestServicesThatNoProberSpeaks(t *testing.T) {
	web := func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
	}
	for name, tc := range map[string]struct {
		target  string
		serve   func(net.Conn)
		outcome probe.Outcome
		service string
		calls   int
	}{
		"a database":          {"192.0.2.7:3306", replies(mysql, nil), probe.OutcomeNotProtocol, "mysql", 1},
		"a web server":        {"192.0.2.7:8080", web, probe.OutcomeNotProtocol, "http", 3},
		"one behind TLS":      {"192.0.2.7:443", insideTLS(silence), probe.OutcomeNotProtocol, "tls", 3},
		"mailboxes":           {"192.0.2.7:143", replies("* OK IMAP4rev1 ready\r\n", nil), probe.OutcomeNotProtocol, "imap", 1},
		"nobody has a word":   {"192.0.2.7:7", replies("\x00\x01\x02", nil), probe.OutcomeNotProtocol, "", 1},
		"a silent port":       {"192.0.2.7:9", silence, probe.OutcomeTimeout, "silent", 3},
		"one that hangs up":   {"192.0.2.7:9", func(net.Conn) {}, probe.OutcomeClosed, "", 1},
		"one where FTP lives": {"192.0.2.7:21", silence, probe.OutcomeTimeout, "", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target, _ := somewhere(t, tc.serve)
			start := time.Now()
			r, calls := ask(t, tc.target, target.Addr, scan.EndpointOptions{GreetingWait: patience(name)})
			require.Equal(t, tc.outcome, r.Outcome, "%v", r.Err)
			require.Equal(t, tc.calls, calls, "connections")
			require.Less(t, time.Since(start), 20*time.Second)
			if name == "one where FTP lives" {
				require.Equal(t, "ftp", r.Protocol)
				return
			}
			require.Equal(t, "unknown", r.Protocol)
			e, ok := probe.As[*detect.Unknown](r.Result)
			require.True(t, ok)
			require.Equal(t, tc.service, e.Service)
			for _, f := range finding.Evaluate(r.Result, handclasp.Rules()) {
				require.Contains(t, f.ID, "tls.", "nothing is known to be at an unusual port")
			}

			line, err := finding.NewRecord(r.Result, handclasp.Rules()).MarshalJSON()
			require.NoError(t, err)
			stored, err := finding.DecodeRecord(line, append(handclasp.Probers(), detect.Detector{})...)
			require.NoError(t, err)
			require.Equal(t, r.Evidence, stored.Evidence)
		})
	}
}

// A silent port costs the wait for a greeting and an answer's for each of two questions, whatever the limits are.
func TestSilenceHasAnEnd(t *testing.T) {
	target, _ := somewhere(t, silence)
	start := time.Now()
	d := detect.Detector{Probers: handclasp.Probers(), Wait: 150 * time.Millisecond}
	r := probe.Run(t.Context(), d, target, &probe.Options{Limits: probe.Limits{Idle: time.Minute, Total: 10 * time.Minute}})
	require.Equal(t, probe.OutcomeTimeout, r.Outcome, "%v", r.Err)
	require.Less(t, time.Since(start), 30*time.Second)
}
