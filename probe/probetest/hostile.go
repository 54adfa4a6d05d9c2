package probetest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

var (
	silent = []probe.Outcome{probe.OutcomeTimeout, probe.OutcomeLimit}
	gone   = []probe.Outcome{probe.OutcomeClosed, probe.OutcomeNotProtocol, probe.OutcomeTLS}
	// foreign are the outcomes of a probe of something that can't be taken for the protocol.
	foreign = []probe.Outcome{
		probe.OutcomeNotProtocol, probe.OutcomeMalformed, probe.OutcomeTimeout, probe.OutcomeClosed, probe.OutcomeLimit, probe.OutcomeTLS,
	}
)

const (
	// dripPause is shorter than the idle time that Conform gives a prober, so that only the total time ends it.
	dripPause = 30 * time.Millisecond
	bannerLen = 12 << 10
)

// Hostile returns servers that break every rule, without knowing the protocol: those that say nothing or too much, go
// away at a bad time, speak something else, lie about lengths, and agree to TLS and don't speak it.
func Hostile() []Server {
	list := []Server{
		{Name: "silence", Serve: hang, Outcomes: silent},
		{Name: "dripping", Serve: drip("220 ", dripPause), Outcomes: foreign},
		{Name: "close at once", Serve: hangUp, Outcomes: gone},
		{Name: "RST at once", Serve: reset, Outcomes: gone},
		{Name: "half a line, then close", Serve: say("220 hel", hangUp), Outcomes: foreign},
		{Name: "half a line, then RST", Serve: say("220 hel", reset), Outcomes: foreign},
		{Name: "half a line, then silence", Serve: say("220 hel", hang), Outcomes: foreign},
		{Name: "four bytes, then close", Serve: say("\x00\x00\x00\x40", hangUp), Outcomes: foreign},
		{Name: "endless line", Serve: repeat("A", 0), Outcomes: foreign, heavy: true},
		{Name: "endless line behind a code", Serve: say("220 ", repeat("A", 0)), Outcomes: foreign, heavy: true},
		{Name: "endless reply", Serve: repeat("220-more\r\n", 0), heavy: true},
		{Name: "endless reply of bare lines", Serve: say("220-more\r\n", repeat("\r\n", 0)), heavy: true},
		{Name: "12 KB banner", Serve: say(strings.Repeat("220-"+strings.Repeat("x", 60)+"\r\n", bannerLen/66)+"220 end\r\n", hang)},
		{Name: "12 KB line", Serve: say("220 "+strings.Repeat("x", bannerLen)+"\r\n", hang)},
		{Name: "NULs", Serve: say(strings.Repeat("\x00", 1024), hang), Outcomes: foreign},
		{Name: "endless NULs", Serve: repeat("\x00", 0), Outcomes: foreign, heavy: true},
		{Name: "not UTF-8", Serve: affirm("220 caf\xe9 \xff\xfe\x00\r\n", "250 \xc3\x28 \x80\r\n", hangUp)},
		{Name: "LF only", Serve: affirm("220 hello\n", "250 ok\n", hangUp)},
		{Name: "CR only", Serve: say("220 hello\r220 hello\r", hang), Outcomes: foreign},
		{Name: "empty lines", Serve: repeat("\r\n", 0), Outcomes: foreign, heavy: true},
		{Name: "HTTP", Serve: say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", hangUp), Outcomes: foreign},
		{Name: "Telnet", Serve: say("\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27login: ", hang), Outcomes: foreign},
		{Name: "a TLS alert", Serve: say("\x15\x03\x03\x00\x02\x02\x28", hangUp), Outcomes: foreign},
		{Name: "a TLS record of 64 KB", Serve: say("\x16\x03\x03\xff\xff\x02\x00", hang), Outcomes: foreign},
		{Name: "binary garbage", Serve: say(string(garbage(2048)), hang), Outcomes: foreign},
		{Name: "flood of garbage", Serve: repeat(string(garbage(8192)), 0), Outcomes: foreign, heavy: true},
		{Name: "flood of replies", Serve: repeat("220 ok\r\n", 0), heavy: true},
		{Name: "lengths of FF", Serve: say(strings.Repeat("\xff", 64), hang), Outcomes: foreign, heavy: true},
		{Name: "a length of 2 GB", Serve: say("\x7f\xff\xff\xff"+strings.Repeat("\x00", 64), hang), Outcomes: foreign, heavy: true},
		{Name: "an SMB frame of 16 MB", Serve: say("\x00\xff\xff\xff\xfeSMB\x40\x00", hang), Outcomes: foreign, heavy: true},
		{Name: "an SMB1 frame of 16 MB", Serve: say("\x00\xff\xff\xff\xffSMB\x72", hang), Outcomes: foreign, heavy: true},
		{Name: "replies to nothing", Serve: say("220 hello\r\n"+strings.Repeat("250 ok\r\n", 40), hang)},
		{Name: "a goodbye that goes on", Serve: say("421 closing\r\n", repeat("250 ok\r\n", 10*time.Millisecond))},
		{Name: "talks on after its end", Serve: talkOn},
		{Name: "echo", Serve: echo(""), Outcomes: nil},
		{Name: "echo behind a greeting", Serve: echo("220 hello\r\n")},
	}
	// SSH is another protocol to all but one; that one's probe of a silent rest can't be well either.
	list = append(list, Server{Name: "an SSH banner", Serve: say("SSH-2.0-OpenSSH_9.9\r\n", hang)})
	for _, pair := range [][2]string{
		{"220 hello", "220 go ahead"}, {"220 hello", "234 go ahead"}, {"220 hello", "250 ok"},
		{"200 hello", "382 continue"}, {"@RSYNCD: 31.0 sha512", "@RSYNCD: OK"}, {"OK hello", "OK"},
	} {
		list = append(list, Affirmative(pair[0]+"\r\n", pair[1]+"\r\n")...)
	}
	return list
}

// Affirmative returns servers that greet, agree to whatever is said, and go wrong when the client takes that as a
// go-ahead for TLS. Use it to try a prober with the words of its protocol.
func Affirmative(greeting, reply string) []Server {
	return Answering(greeting, reply, nil)
}

// Answering returns servers as [Affirmative] does that answer a line by its first word, and those that replies doesn't have with reply.
// Use it if TLS takes more than one word.
func Answering(greeting, reply string, replies map[string]string) (list []Server) {
	for _, end := range tlsEndings(reply, replies) {
		name := "agrees with " + strings.TrimSpace(reply) + ", then " + end.name
		list = append(list, Server{Name: name, Serve: answering(greeting, reply, replies, end.act)})
	}
	return list
}

type ending struct {
	name string
	act  act
}

// tlsEndings are what may stand in the place of a TLS handshake, or behind one.
func tlsEndings(reply string, replies map[string]string) []ending {
	inside := func(s act) act { return behindTLS(Server{Serve: s}).Serve }
	return []ending{
		{"garbage", say(string(garbage(512)), hang)},
		{"plaintext", say(reply, hang)},
		{"close", hangUp},
		{"RST", reset},
		{"silence", hang},
		{"an endless record", say("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", repeat("\x00", 0))},
		{"TLS and silence", inside(hang)},
		{"TLS and close", inside(hangUp)},
		{"TLS and a flood", inside(repeat("250-more\r\n", 0))},
		{"TLS and agreement", inside(answering("", reply, replies, hangUp))},
	}
}

// affirm greets, answers each line with reply, and turns to shake when a TLS handshake begins.
func affirm(greeting, reply string, shake act) act { return answering(greeting, reply, nil, shake) }

// answering greets, answers each line, and turns to shake when a TLS handshake begins.
func answering(greeting, reply string, replies map[string]string, shake act) act {
	return func(ctx context.Context, c net.Conn) {
		if _, err := c.Write([]byte(greeting)); err != nil {
			return
		}
		var b [4096]byte
		for {
			n, err := c.Read(b[:])
			if err != nil {
				return
			}
			if b[0] == 0x16 { // a TLS record with a handshake (RFC 8446 §5.1)
				shake(ctx, &unread{Conn: c, first: bytes.Clone(b[:n])})
				return
			}
			for line := range bytes.Lines(b[:n]) {
				answer := reply
				if first := bytes.Fields(line); len(first) > 0 {
					if known, ok := replies[string(first[0])]; ok {
						answer = known
					}
				}
				if _, err := c.Write([]byte(answer)); err != nil {
					return
				}
			}
		}
	}
}

// unread is a connection whose first bytes were read already.
type unread struct {
	net.Conn
	first []byte
}

func (u *unread) Read(b []byte) (int, error) {
	if len(u.first) == 0 {
		return u.Conn.Read(b)
	}
	n := copy(b, u.first)
	u.first = u.first[n:]
	return n, nil
}

// SetLinger lets reset end the connection below.
func (u *unread) SetLinger(sec int) error {
	if t, ok := u.Conn.(*net.TCPConn); ok {
		return t.SetLinger(sec)
	}
	return nil
}

func echo(greeting string) act {
	return func(_ context.Context, c net.Conn) {
		_, _ = c.Write([]byte(greeting))
		var b [4096]byte
		for {
			n, err := c.Read(b[:])
			if err != nil {
				return
			}
			if _, err := c.Write(b[:n]); err != nil {
				return
			}
		}
	}
}

// talkOn stops reading, and goes on writing after the client has closed, until the system says no.
func talkOn(ctx context.Context, c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.CloseRead()
	}
	repeat("220 ok\r\n", 5*time.Millisecond)(ctx, c)
}

// garbage is the same each time: a failure must happen again.
func garbage(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	b[0] |= 0x80 // no text
	return b
}
