package detect_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/internal/selfsigned"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/smtp"
)

var speakers = []probe.Prober{ftp.Prober{}, smtp.Prober{}, nntp.Prober{}}

// somewhere runs a server on a port that says nothing of its protocol, and counts its connections.
func somewhere(t *testing.T, serve func(net.Conn)) (probe.Target, *atomic.Int32) {
	t.Helper()
	calls := new(atomic.Int32)
	addr := probetest.Listen(t, probetest.Server{Name: "somewhere", Serve: func(_ context.Context, c net.Conn) {
		calls.Add(1)
		serve(c)
	}})
	return probe.Target{Addr: addr}, calls
}

// replies greets and answers each command by what stands behind its first word in the table, or else by the entry "".
func replies(greeting string, table map[string]string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, greeting)
		for lines := bufio.NewScanner(c); lines.Scan(); {
			verb, _, _ := strings.Cut(lines.Text(), " ")
			reply, known := table[verb]
			if !known {
				reply = table[""]
			}
			if _, err := io.WriteString(c, reply); err != nil || verb == "QUIT" {
				return
			}
		}
	}
}

var (
	mail  = map[string]string{"EHLO": "250-mx.example\r\n250 SIZE 1000\r\n", "QUIT": "221 bye\r\n", "": "502 no\r\n"}
	files = map[string]string{"FEAT": "211-Features\r\n UTF8\r\n211 End\r\n", "QUIT": "221 bye\r\n", "": "500 no\r\n"}
	news  = map[string]string{"CAPABILITIES": "101 list\r\nVERSION 2\r\nREADER\r\n.\r\n", "QUIT": "205 bye\r\n", "": "500 no\r\n"}
)

// slowly sends text in pieces.
func slowly(pieces ...string) func(net.Conn) {
	return func(c net.Conn) {
		for _, p := range pieces {
			_, _ = io.WriteString(c, p)
			time.Sleep(20 * time.Millisecond)
		}
		replies("", mail)(c)
	}
}

func insideTLS(serve func(net.Conn)) func(net.Conn) {
	config := &tls.Config{Certificates: []tls.Certificate{selfsigned.Certificate("somewhere.example")}}
	return func(c net.Conn) {
		inner := tls.Server(c, config)
		if inner.Handshake() == nil {
			serve(inner)
			_ = inner.Close()
		}
	}
}

// patience is how long a test listens: longer if a busy machine may make a server slow.
func patience(name string) time.Duration {
	switch {
	case strings.Contains(name, "in pieces"):
		return 10 * time.Second // which it doesn't take
	case strings.Contains(name, "TLS"):
		return time.Second
	}
	return 500 * time.Millisecond
}

func silence(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// Detection costs the connections that are named, and its conversation replays.
func TestDetect(t *testing.T) {
	for name, tc := range map[string]struct {
		serve    func(net.Conn)
		expected probe.Prober
		protocol string
		outcome  probe.Outcome
		service  string
		calls    int32
	}{
		"FTP":                            {serve: replies("220 FTP server ready\r\n", files), protocol: "ftp", calls: 1},
		"FTP where mail is expected":     {serve: replies("220 FTP server ready\r\n", files), expected: smtp.Prober{}, protocol: "ftp", calls: 1},
		"mail":                           {serve: replies("220 mx.example ESMTP\r\n", mail), protocol: "smtp", calls: 1},
		"mail where FTP is expected":     {serve: replies("220 mx.example ESMTP\r\n", mail), expected: ftp.Prober{}, protocol: "smtp", calls: 1},
		"mail in pieces":                 {serve: slowly("2", "20-mx.exa", "mple\r\n", "220 ESM", "TP\r\n"), protocol: "smtp", calls: 1},
		"mail that doesn't say so":       {serve: replies("220 mx.example ready\r\n", mail), protocol: "smtp", calls: 1},
		"FTP that doesn't say so":        {serve: replies("220 ready\r\n", files), protocol: "ftp", calls: 1},
		"FTP that doesn't, and needn't":  {serve: replies("220 ready\r\n", files), expected: ftp.Prober{}, protocol: "ftp", calls: 1},
		"news":                           {serve: replies("201 no posting\r\n", news), protocol: "nntp", calls: 1},
		"news inside TLS":                {serve: insideTLS(replies("200 hello\r\n", news)), protocol: "nntp", calls: 2},
		"mail inside TLS, in its dress":  {serve: insideTLS(replies("220 ready\r\n", mail)), protocol: "smtp", calls: 2},
		"something else":                 {serve: replies("* OK IMAP4rev1 ready\r\n", nil), protocol: "unknown", outcome: probe.OutcomeNotProtocol, service: "imap", calls: 1},
		"something that looks alike":     {serve: replies("220 VMware Authentication Daemon Version 1.10\r\n", nil), protocol: "unknown", outcome: probe.OutcomeNotProtocol, service: "vmware-auth", calls: 1},
		"something else where FTP lives": {serve: replies("* OK IMAP4rev1 ready\r\n", nil), expected: ftp.Prober{}, protocol: "unknown", outcome: probe.OutcomeNotProtocol, service: "imap", calls: 1},
		"nobody has a word for it":       {serve: replies("hello there\r\n", nil), protocol: "unknown", outcome: probe.OutcomeNotProtocol, calls: 1},
		"something inside TLS":           {serve: insideTLS(silence), protocol: "unknown", outcome: probe.OutcomeNotProtocol, service: "tls", calls: 2},
		"hangs up":                       {serve: func(net.Conn) {}, protocol: "unknown", outcome: probe.OutcomeClosed, calls: 1},
		"silence where FTP lives":        {serve: silence, expected: ftp.Prober{}, protocol: "ftp", outcome: probe.OutcomeTimeout, calls: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target, calls := somewhere(t, tc.serve)
			d := detect.Detector{Probers: speakers, Expected: tc.expected, Wait: patience(name)}
			r := probe.Run(t.Context(), d, target, &probe.Options{Limits: probe.Limits{Idle: 400 * time.Millisecond}})
			if tc.outcome == "" {
				tc.outcome = probe.OutcomeOK
			}
			require.Equal(t, tc.outcome, r.Outcome, "%v", r.Err)
			require.Equal(t, tc.protocol, r.Protocol)
			require.Equal(t, tc.protocol, r.Evidence.Protocol())
			if e, ok := probe.As[*detect.Unknown](r); ok {
				require.Equal(t, tc.service, e.Service)
			}
			require.Equal(t, tc.calls, calls.Load(), "connections")

			recorded := replay.NewPlayer(r.Transcript)
			again := probe.Run(t.Context(), d, target, &probe.Options{Dial: recorded.Dial, Rand: recorded.Rand()})
			require.NoError(t, recorded.Err())
			require.Equal(t, r.Evidence, again.Evidence, "%v", again.Err)
			require.Equal(t, r.Outcome, again.Outcome)
		})
	}
}

// What is handed over is probed as if it had been asked directly.
func TestDetectIsNoDifference(t *testing.T) {
	target, _ := somewhere(t, replies("220 FTP server ready\r\n", files))
	detected := probe.Run(t.Context(), detect.Detector{Probers: speakers}, target, nil)
	asked := probe.Run(t.Context(), ftp.Prober{}, target, nil)
	require.Equal(t, asked.Evidence, detected.Evidence)
	require.Equal(t, asked.Protocol, detected.Protocol)
	require.Len(t, detected.Transcript, len(asked.Transcript))

	// A silent host is what the expected prober would have made of it.
	gone := probe.Target{Addr: closedPort(t)}
	detected = probe.Run(t.Context(), detect.Detector{Probers: speakers, Expected: ftp.Prober{}}, gone, nil)
	asked = probe.Run(t.Context(), ftp.Prober{}, gone, nil)
	require.Equal(t, asked.Evidence, detected.Evidence)
	require.Equal(t, probe.OutcomeRefused, detected.Outcome)
	require.Len(t, detected.Transcript, 1)
}

// At level greeting nothing is sent to find out more.
func TestDetectAtLevelGreeting(t *testing.T) {
	for greeting, protocol := range map[string]string{"220 FTP ready\r\n": "ftp", "220 ready\r\n": "unknown", "": "unknown"} {
		target, calls := somewhere(t, replies(greeting, files))
		d := detect.Detector{Probers: speakers, Wait: 100 * time.Millisecond}
		r := probe.Run(t.Context(), d, target, &probe.Options{Level: probe.LevelGreeting})
		require.Equal(t, protocol, r.Protocol, greeting)
		require.EqualValues(t, 1, calls.Load())
		for _, e := range r.Transcript {
			require.NotContains(t, []probe.Dir{probe.DirSend, probe.DirTLS}, e.Dir, greeting)
		}
	}
}

// The guard of a detector lets each question through once on a connection, and nothing that isn't one.
func TestDetectorsGuard(t *testing.T) {
	spec := detect.Detector{Probers: speakers}.Spec()
	guard := func() probe.Guard { return spec.NewGuard(probe.Contact{}) }
	questions := map[string]string{
		"EHLO [127.0.0.1]\r\n": "EHLO", "HELO [127.0.0.1]\r\n": "HELO", "FEAT\r\n": "FEAT", "SYST\r\n": "SYST",
		"CAPABILITIES\r\n": "CAPABILITIES", "MODE READER\r\n": "MODE READER",
	}
	g := guard()
	for question, want := range questions {
		label, err := g(probe.LevelHandshake, []byte(question))
		require.NoError(t, err)
		require.Equal(t, want, label)
		_, err = g(probe.LevelHandshake, []byte(question))
		require.Error(t, err, "a second one")
		_, err = guard()(probe.LevelGreeting, []byte(question))
		require.Error(t, err)
	}
	for _, bad := range []string{
		"USER anonymous\r\n", "USER handclasp-no-such-user\r\n", "AUTH TLS\r\n", "QUIT\r\n", "DATE\r\n", "STARTTLS\r\n", "LIST\r\n",
		"MAIL FROM:<>\r\n", "FEAT\r\nSYST\r\n", "GET / HTTP/1.0\r\n\r\n", "\r\n", "",
	} {
		_, err := guard()(probe.LevelAnonymous, []byte(bad))
		require.Error(t, err, bad)
	}
}

func closedPort(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}
