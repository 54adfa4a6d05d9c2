package rsync

import (
	"context"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// A talk is a conversation with a daemon over several connections.
type talk struct {
	s      *probe.Session
	e      *Evidence
	opened int            // connections
	motd   message        // that each of them brings
	names  []string       // of Evidence.Modules, as bytes
	places map[string]int // of names: a list may be very long
	// entered says that a module was entered, and counted a connection.
	entered bool
}

// open connects, with TLS where the port is for that. The first connection's handshake is the evidence.
func (k *talk) open(ctx context.Context) (*probe.Conn, error) {
	k.opened++
	c, err := k.s.Open(ctx)
	if err != nil || !k.s.ImplicitTLS() {
		return c, err
	}
	t, err := c.StartTLS(ctx)
	if k.opened == 1 {
		k.e.TLS = t
	}
	if err != nil {
		if line, _, whole := strings.Cut(string(t.LeftoverPlaintext), "\n"); whole && k.opened == 1 && strings.HasPrefix(line, prefixTalk) {
			k.e.greet(strings.TrimSuffix(line, "\r"), false) // a daemon without TLS greets in cleartext
		}
		_ = c.Close()
		return nil, err
	}
	k.e.ImplicitTLS = probe.Yes
	return c, nil
}

// greeting reads the first line of a connection. Where the daemon refuses to talk, refusal is its "@ERROR" line.
func (k *talk) greeting(c *probe.Conn) (g greeting, refusal string, err error) {
	line, err := readLine(c)
	if k.opened == 1 && line != "" {
		if !c.Secure() {
			k.e.ImplicitTLS = probe.No
		}
		if err == nil {
			k.e.greet(line, c.Secure())
		} else {
			k.e.Greeting = k.e.text(line)
		}
	}
	if err != nil {
		return g, "", err
	}
	if strings.HasPrefix(line, prefixError) {
		return g, line, nil
	}
	g, ok := parseGreeting(line)
	if ok {
		return g, "", nil
	}
	outcome := probe.OutcomeNotProtocol
	if k.opened > 1 || strings.HasPrefix(line, prefixTalk) {
		outcome = probe.OutcomeMalformed
	}
	return g, "", probe.Errorf("greeting", outcome, "%q is no greeting of rsync", line[:min(len(line), 64)])
}

// greet takes over what was said first.
func (e *Evidence) greet(line string, secure bool) {
	e.Greeting = e.text(line)
	e.ImplicitTLS = probe.FactOf(secure)
	g, ok := parseGreeting(line)
	if !ok {
		return
	}
	e.ProtocolVersion = g.version
	if g.hasSub {
		e.Subprotocol = &g.sub
	}
	for _, d := range g.digests {
		e.Digests = append(e.Digests, e.text(d))
	}
}

// An answer is what came behind a request.
type answer struct {
	lines []string // before its end: the message of the day, and the list where that was asked for
	end   string   // the line that ends it; empty where none came
	more  bool     // there are more lines than were to be read
}

// ask sends the answer to a greeting and a request behind it, for which no daemon waits, and reads up to the line that
// ends the answer. Each line is given to fit first, which may take something off it. Beside an error there is what came.
func ask(c *probe.Conn, g greeting, request string, most int, fit func(i int, line string) string) (a answer, err error) {
	for _, line := range []string{g.answer(), request} {
		if err := c.Send([]byte(line)); err != nil {
			return a, err
		}
	}
	for {
		line, err := readLine(c)
		if err != nil {
			return a, err
		}
		line = fit(len(a.lines), line)
		switch {
		case ends(line):
			a.end = line
			return a, nil
		case len(a.lines) >= most:
			a.more = true
			return a, nil
		}
		a.lines = append(a.lines, line)
	}
}

// readLine reads a line; beside an error it returns what came of one.
func readLine(c *probe.Conn) (string, error) {
	line, err := c.ReadLine()
	return string(line), err
}
