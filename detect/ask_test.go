package detect_test

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smtp"
)

// hangsUp stands for a command on which a server hangs up without a word, and mute for one that it ignores.
const (
	hangsUp = "hangs up"
	mute    = "mute"
)

// touchy is replies, of which some are hangsUp or mute.
func touchy(greeting string, table map[string]string) func(net.Conn) {
	return func(c net.Conn) {
		replies(greeting, table)(&touchyConn{Conn: c})
	}
}

type touchyConn struct{ net.Conn }

func (c *touchyConn) Write(b []byte) (int, error) {
	switch string(b) {
	case hangsUp:
		return 0, io.ErrClosedPipe
	case mute:
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// What a greeting leaves open is asked, and an answer counts that one protocol alone gives.
func TestAmbiguousGreetings(t *testing.T) {
	for name, tc := range map[string]struct {
		greeting string
		table    map[string]string
		protocol string
		service  string
		asked    string // until it was clear
	}{
		"FTP by FEAT":                     {"220 Welcome\r\n", files, "ftp", "", "FEAT"},
		"FTP that hangs up on EHLO":       {"220 Welcome\r\n", map[string]string{"EHLO": hangsUp, "FEAT": files["FEAT"], "": "500 no\r\n"}, "ftp", "", "FEAT"},
		"FTP without FEAT":                {"220 Welcome\r\n", map[string]string{"SYST": "215 UNIX\r\n", "": "500 no\r\n"}, "ftp", "", "FEAT EHLO SYST"},
		"… that hangs up on EHLO":         {"220 Welcome\r\n", map[string]string{"SYST": "215 UNIX\r\n", "EHLO": hangsUp, "": "500 no\r\n"}, "ftp", "", "FEAT EHLO | SYST"},
		"FTP that wants a login first":    {"220 Welcome\r\n", map[string]string{"": "530 Please login with USER and PASS.\r\n"}, "ftp", "", "FEAT"},
		"mail":                            {"220 mx.example ready\r\n", mail, "smtp", "", "FEAT EHLO"},
		"mail that hangs up on FEAT":      {"220 mx.example ready\r\n", map[string]string{"FEAT": hangsUp, "EHLO": mail["EHLO"], "": "502 no\r\n"}, "smtp", "", "FEAT | EHLO"},
		"mail that ignores FEAT":          {"220 mx.example ready\r\n", map[string]string{"FEAT": mute, "EHLO": mail["EHLO"], "": "502 no\r\n"}, "smtp", "", "FEAT | EHLO"},
		"mail by HELO only":               {"220 tw.example NO UCE\r\n", map[string]string{"HELO": "250 hello\r\n", "": "500 no\r\n"}, "smtp", "", "FEAT EHLO SYST HELO"},
		"mail on a host called ftp":       {"220 ftp.example.org ready\r\n", mail, "smtp", "", "FEAT EHLO"},
		"mail that wants TLS first":       {"220 mx.example ready\r\n", map[string]string{"EHLO": mail["EHLO"], "": "530 5.7.0 Must issue a STARTTLS command first\r\n"}, "smtp", "", "FEAT EHLO"},
		"FTP on a host called smtp":       {"220 smtp.example.org FTP server ready\r\n", files, "ftp", "", ""},
		"LMTP":                            {"220 lmtp.example LMTP\r\n", nil, "unknown", "lmtp", ""},
		"LMTP that tells when it's asked": {"220 mail.example ready.\r\n", map[string]string{"EHLO": "500 EHLO not allowed in LMTP server\r\n", "": "500 no\r\n"}, "unknown", "lmtp", "FEAT EHLO"},
		"neither":                         {"220 ready\r\n", map[string]string{"": "500 no\r\n"}, "unknown", "", "FEAT EHLO SYST HELO"},
		"neither, and it hangs up":        {"220 ready\r\n", map[string]string{"": hangsUp}, "unknown", "", "FEAT | EHLO | SYST"},
		"a login that isn't FTP's":        {"220 ready\r\n", map[string]string{"": "530 Access denied\r\n"}, "unknown", "", "FEAT EHLO SYST HELO"},
		"turned away":                     {"421 too many connections\r\n", map[string]string{"": hangsUp}, "unknown", "", "FEAT | EHLO | SYST"},
		"mail turned away":                {"421 mx.example SMTP too busy\r\n", map[string]string{"": hangsUp}, "smtp", "", ""},
		"news":                            {"200 news.example.org Typhoon v1.2\r\n", news, "nntp", "", "CAPABILITIES"},
		"news before CAPABILITIES":        {"201 news.example.org ready\r\n", map[string]string{"MODE": "201 reader\r\n", "": "500 no\r\n"}, "nntp", "", "CAPABILITIES MODE"},
		"news that wants a login":         {"200 ready\r\n", map[string]string{"": "480 Authentication required\r\n"}, "nntp", "", "CAPABILITIES"},
		"news that says so":               {"200 InterNetNews NNRP server INN 2.7.1 ready (posting ok)\r\n", news, "nntp", "", ""},
		"no news":                         {"200 OK\r\n", map[string]string{"": "500 no\r\n"}, "unknown", "", "CAPABILITIES MODE"},
		"SSH that turns clients away":     {"Not allowed at this time\r\n", map[string]string{"": hangsUp}, "ssh", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dial, calls := simulated(touchy(tc.greeting, tc.table))
				target := probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:4711")}
				r := probe.Run(t.Context(), detect.Detector{Probers: handclasp.Probers()}, target, &probe.Options{Dial: dial})
				require.Equal(t, tc.protocol, r.Protocol, "%v", r.Err)
				if e, ok := r.Evidence.(*detect.Unknown); ok {
					require.Equal(t, probe.OutcomeNotProtocol, r.Outcome, "%v", r.Err)
					require.Equal(t, tc.service, e.Service)
					require.Equal(t, tc.asked, sent(r))
					require.LessOrEqual(t, calls.Load(), int32(3))
					return
				}
				require.True(t, strings.HasPrefix(sent(r), tc.asked), sent(r))
			})
		})
	}
}

// sent is what was sent, by first words; a bar is where another connection begins.
func sent(r *probe.Result) string {
	var words []string
	conn := 1
	for _, e := range r.Transcript {
		if e.Dir != probe.DirSend {
			continue
		}
		if e.Conn > conn {
			words = append(words, "|")
		}
		conn = e.Conn
		verb, _, _ := strings.Cut(e.Label, " ")
		words = append(words, verb)
	}
	return strings.Join(words, " ")
}

// What a port costs, in seconds of simulated time and in connections.
func TestCosts(t *testing.T) {
	mx := replies("220 mx.example ESMTP\r\n", mail)
	web := foreign{says: "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", to: "smb"}
	for name, tc := range map[string]struct {
		serve   func(net.Conn)
		d       detect.Detector
		seconds time.Duration // at most
		calls   int32
		outcome probe.Outcome
		service string
	}{
		"silent":                        {silence, detect.Detector{}, 10, 3, probe.OutcomeTimeout, "silent"},
		"silent, with less patience":    {silence, detect.Detector{Wait: 2 * time.Second}, 5, 3, probe.OutcomeTimeout, "silent"},
		"silent where FTP lives":        {silence, detect.Detector{Expected: ftp.Prober{}}, 16, 3, probe.OutcomeTimeout, ""},
		"so with less patience":         {silence, detect.Detector{Wait: 2 * time.Second, Expected: ftp.Prober{}}, 5, 3, probe.OutcomeTimeout, ""},
		"silent where mail lives":       {silence, detect.Detector{Expected: smtp.Prober{}}, 18, 3, probe.OutcomeTimeout, ""},
		"hangs up on questions":         {func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }, detect.Detector{}, 8, 3, probe.OutcomeNotProtocol, "silent"},
		"drips an answer":               {drips, detect.Detector{}, 15, 3, probe.OutcomeNotProtocol, ""},
		"a web server":                  {web.serve(len(web.says)), detect.Detector{}, 10, 3, probe.OutcomeNotProtocol, "http"},
		"a web server where FTP lives":  {web.serve(len(web.says)), detect.Detector{Expected: ftp.Prober{}}, 10, 3, probe.OutcomeNotProtocol, "http"},
		"an echo":                       {func(c net.Conn) { _, _ = io.Copy(c, c) }, detect.Detector{}, 13, 3, probe.OutcomeNotProtocol, "echo"},
		"TLS and nothing inside":        {insideTLS(silence), detect.Detector{}, 17, 3, probe.OutcomeNotProtocol, "tls"},
		"TLS and a web server's answer": {insideTLSUnless(web), detect.Detector{}, 10, 3, probe.OutcomeNotProtocol, "http"},
		"a greeting after six seconds":  {late(6*time.Second, mx), detect.Detector{}, 7, 1, probe.OutcomeOK, ""},
		"a late one where mail lives":   {late(14*time.Second, mx), detect.Detector{Expected: smtp.Prober{}}, 15, 1, probe.OutcomeOK, ""},
		"so with less patience there":   {late(14*time.Second, mx), detect.Detector{Wait: 2 * time.Second, Expected: smtp.Prober{}}, 15, 1, probe.OutcomeOK, ""},
		"a late one where FTP lives":    {late(12*time.Second, replies("220 ready\r\n", files)), detect.Detector{Expected: ftp.Prober{}}, 13, 3, probe.OutcomeOK, ""},
		"one between two questions":     {late(8*time.Second, replies("220 ready\r\n", files)), detect.Detector{Expected: ftp.Prober{}}, 10, 3, probe.OutcomeOK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dial, calls := simulated(tc.serve)
				tc.d.Probers = handclasp.Probers()
				target := probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:4711")}
				start := time.Now()
				r := probe.Run(t.Context(), tc.d, target, &probe.Options{Dial: dial})
				t.Logf("%v, %d connections: %v", time.Since(start).Round(100*time.Millisecond), calls.Load(), r.Err)
				require.Equal(t, tc.outcome, r.Outcome, "%v", r.Err)
				require.Equal(t, tc.calls, calls.Load(), "connections")
				require.LessOrEqual(t, time.Since(start), tc.seconds*time.Second)
				if e, ok := r.Evidence.(*detect.Unknown); ok {
					require.Equal(t, tc.service, e.Service)
				} else {
					require.Empty(t, tc.service)
				}
				time.Sleep(time.Minute) // until the server has seen that nobody listens
			})
		})
	}
}

// drips answers whatever it is asked, a byte every second.
func drips(c net.Conn) {
	_, _ = c.Read(make([]byte, 4096))
	for {
		if _, err := c.Write([]byte{0}); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// late is a server that waits before it greets. What it is told in the meantime waits for it, as in a socket.
func late(d time.Duration, serve func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		told := make(chan byte, 4096)
		go func() {
			defer close(told)
			for b := make([]byte, 1); ; {
				if _, err := c.Read(b); err != nil {
					return
				}
				told <- b[0]
			}
		}()
		time.Sleep(d)
		serve(&buffered{c, told})
	}
}

// buffered is a connection that was read ahead.
type buffered struct {
	net.Conn
	told <-chan byte
}

func (c *buffered) Read(b []byte) (int, error) {
	first, ok := <-c.told
	if !ok {
		return 0, io.EOF
	}
	b[0] = first
	return 1, nil
}

// insideTLSUnless is a server that speaks TLS, and tells those who don't in plaintext.
func insideTLSUnless(f foreign) func(net.Conn) {
	return func(c net.Conn) {
		first := make([]byte, 1)
		if _, err := io.ReadFull(c, first); err != nil {
			return
		}
		if first[0] != 0x16 {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, f.says)
			return
		}
		insideTLS(silence)(&rewound{c, first})
	}
}

// rewound is a connection of which a byte was read.
type rewound struct {
	net.Conn
	first []byte
}

func (c *rewound) Read(b []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}
