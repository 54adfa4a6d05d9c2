package scan_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
	"github.com/handclasp/handclasp/smtp"
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
		"files on 4450":             {target: "192.0.2.7:4450", url: "smb://192.0.2.7:4450", server: ofLab(lab.OpenFiles), extra: 2},
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
		"a web server":        {"192.0.2.7:8080", web, probe.OutcomeNotProtocol, "http", 2},
		"one behind TLS":      {"192.0.2.7:443", insideTLS(silence), probe.OutcomeNotProtocol, "tls", 3},
		"mailboxes":           {"192.0.2.7:143", replies("* OK IMAP4rev1 ready\r\n", nil), probe.OutcomeNotProtocol, "imap", 1},
		"nobody has a word":   {"192.0.2.7:7", replies("\x00\x01\x02", nil), probe.OutcomeNotProtocol, "", 1},
		"a silent port":       {"192.0.2.7:9", silence, probe.OutcomeTimeout, "", 3},
		"one that hangs up":   {"192.0.2.7:9", func(net.Conn) {}, probe.OutcomeClosed, "", 1},
		"one where FTP lives": {"192.0.2.7:21", silence, probe.OutcomeTimeout, "", 1},
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
			e, ok := probe.As[*scan.Unknown](r.Result)
			require.True(t, ok)
			require.Equal(t, tc.service, e.Service)
			for _, f := range finding.Evaluate(r.Result, handclasp.Rules()) {
				require.Contains(t, f.ID, "tls.", "nothing is known to be at an unusual port")
			}

			line, err := finding.NewRecord(r.Result, handclasp.Rules()).MarshalJSON()
			require.NoError(t, err)
			stored, err := finding.DecodeRecord(line, append(handclasp.Probers(), scan.Detector{})...)
			require.NoError(t, err)
			require.Equal(t, r.Evidence, stored.Evidence)
		})
	}
}

// A silent port costs the wait for a greeting and an answer's for each of two questions, whatever the limits are.
func TestSilenceHasAnEnd(t *testing.T) {
	target, _ := somewhere(t, silence)
	start := time.Now()
	d := scan.Detector{Probers: handclasp.Probers(), Wait: 150 * time.Millisecond}
	r := probe.Run(t.Context(), d, target, &probe.Options{Limits: probe.Limits{Idle: time.Minute, Total: 10 * time.Minute}})
	require.Equal(t, probe.OutcomeTimeout, r.Outcome, "%v", r.Err)
	require.Less(t, time.Since(start), 30*time.Second)
}

// Which ports are listened at before anything is asked.
func TestWhereServicesAreDetected(t *testing.T) {
	off := scan.EndpointOptions{NoDetection: true, InOrder: true}
	for text, want := range map[string]string{
		"192.0.2.7:2121":       "unknown, whoever greets",
		"192.0.2.6/31:2121":    "unknown, whoever greets; unknown, whoever greets",
		"[2001:db8::7]:443":    "unknown, whoever greets",
		"192.0.2.7:21":         "ftp, or whoever greets",
		"192.0.2.7:22":         "ssh, or whoever greets",
		"192.0.2.7:25":         "smtp, or whoever greets",
		"192.0.2.7:433":        "nntp, or whoever greets",
		"192.0.2.7:873":        "rsync, or whoever greets",
		"192.0.2.7:990":        "ftp",
		"192.0.2.7:465":        "smtp",
		"192.0.2.7:445":        "smb",
		"192.0.2.7:139":        "netbios; smb",
		"ftp://192.0.2.7":      "ftp",
		"ftp://192.0.2.7:2121": "ftp",
		"smtp://192.0.2.7:21":  "smtp",
	} {
		require.Equal(t, want, detectors(t, text, scan.EndpointOptions{InOrder: true}), text)
		require.NotContains(t, detectors(t, text, off), "whoever", text)
	}
	require.Contains(t, detectors(t, "192.0.2.7:2121", off), "no protocol lives on port 2121 by default")
	for text, want := range map[string]int64{"192.0.2.0/24:2121": 256, "192.0.2.7:21": 1} {
		inputs := scan.Args([]string{text})
		require.Equal(t, want, scan.Count(inputs, handclasp.Probers(), nil))
		require.Equal(t, want%256, scan.Count(inputs, handclasp.Probers(), &off))
	}
	require.Contains(t, detectors(t, "192.0.2.7:2121", scan.EndpointOptions{}, "192.0.2.7,,,2121"), "whoever greets; unknown")
}

func detectors(t *testing.T, text string, o scan.EndpointOptions, rows ...string) (all string) {
	t.Helper()
	inputs := scan.Concat(scan.Args([]string{text}), scan.Lines(t.Context(), "rows", strings.NewReader(strings.Join(rows, "\n"))))
	for e, err := range scan.Endpoints(t.Context(), inputs, handclasp.Probers(), &o) {
		if all != "" {
			all += "; "
		}
		if err != nil {
			all += err.Error()
			continue
		}
		all += e.Prober.Spec().Protocol
		if d, ok := e.Prober.(scan.Detector); ok {
			if all += ", whoever greets"; d.Expected != nil {
				all = all[:len(all)-len("whoever greets")] + "or whoever greets"
			}
		}
	}
	return all
}

// A scan that goes on looks for services as it began to.
func TestResumeKeepsDetecting(t *testing.T) {
	state := cut(t, list(300), scan.EndpointOptions{})
	require.NoError(t, state.Check(probers(nil), nil))
	require.ErrorContains(t, state.Check(probers(nil), &scan.EndpointOptions{NoDetection: true}), "it began with detect true, and this is false")
}

// Where one prober alone could recognise anybody, it is asked.
func TestOneProberNeedsNoDetector(t *testing.T) {
	for e, err := range scan.Endpoints(t.Context(), scan.Args([]string{"192.0.2.7:25"}), []probe.Prober{smtp.Prober{}}, nil) {
		require.NoError(t, err)
		require.Equal(t, smtp.Prober{}, e.Prober)
	}
}
