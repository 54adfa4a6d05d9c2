package rsync

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// A talk is the conversation of one probe. Its methods are the conversation's steps, and fill the evidence.
type talk struct {
	p      Prober
	s      *probe.Session
	e      *Evidence
	opened int            // connections
	motd   message        // that each of them brings
	names  []string       // of Evidence.Modules, as bytes
	places map[string]int // of names: a list may be very long
	// entered says that a module was entered, and counted a connection.
	entered bool
}

func newTalk(p Prober, s *probe.Session) *talk {
	t := &talk{p: p, s: s, e: new(Evidence), places: map[string]int{}}
	s.Keep(t.e)
	return t
}

// lost names what an error kept from being learned.
func (t *talk) lost(err error, pointers ...string) {
	for _, pointer := range pointers {
		t.s.Lost(pointer, err)
	}
}

// turnedAway is the error that an "@ERROR" line stands for if it isn't about what was asked: too many visitors, or not this
// one.
func turnedAway(op, line string) error {
	switch access(line) {
	case AccessBusy:
		return probe.Errorf(op, probe.OutcomeBusy, "%q", line[:min(len(line), 64)])
	case AccessDenied:
		return probe.Errorf(op, probe.OutcomeDenied, "%q", line[:min(len(line), 64)])
	}
	return nil
}

// open connects, with TLS if the port is for that. The first connection's handshake is the evidence.
func (t *talk) open(ctx context.Context) (*probe.Conn, error) {
	t.opened++
	c, err := t.s.Open(ctx)
	if err != nil || !t.s.ImplicitTLS() {
		return c, err
	}
	seen, err := c.StartTLS(ctx)
	if t.opened == 1 {
		t.e.TLS = seen
	}
	if err != nil {
		if line, _, whole := strings.Cut(string(seen.LeftoverPlaintext), "\n"); whole && t.opened == 1 && strings.HasPrefix(line, prefixTalk) {
			t.e.greet(strings.TrimSuffix(line, "\r"), false) // a daemon without TLS greets in cleartext
		}
		_ = c.Close()
		return nil, err
	}
	t.e.ImplicitTLS = probe.Yes
	return c, nil
}

// greet reads the greeting and, by asking for a module that doesn't exist, the message of the day. It reports whether to go
// on.
func (t *talk) greet(ctx context.Context) (goOn bool, err error) {
	c, err := t.open(ctx)
	if err != nil {
		return false, err
	}
	defer c.Close()
	g, refusal, err := t.greeting(c)
	t.e.Error = t.e.text(refusal)
	if refusal != "" {
		return false, turnedAway("greeting", refusal)
	}
	if err != nil || t.s.Level() < probe.LevelHandshake {
		return false, err
	}
	defer func() {
		t.lost(err, "/evidence/motd", "/evidence/absent_reply", "/evidence/listing", "/evidence/modules")
	}()
	random, err := t.s.RandomName(madeUpRandom)
	if err != nil {
		return false, err
	}
	name := cmp.Or(t.s.Contact().Host, "handclasp") + "." + random
	var begin string
	a, err := ask(c, g, name+"\n", t.s.Limits().ReplyLines, func(_ int, line string) string {
		if message, rest, ok := glued(line, name); ok {
			begin = message
			return rest
		}
		return line
	})
	if err != nil {
		return false, err
	}
	if a.more {
		return false, &probe.Error{Op: "motd", Outcome: probe.OutcomeLimit, Err: &probe.LimitError{Limit: "ReplyLines", Value: t.s.Limits().ReplyLines}}
	}
	t.motd = message{a.lines, begin}
	t.e.MOTD = t.e.text(t.motd.text())
	t.e.AbsentReply, t.e.AbsentAccess = t.e.text(a.end), access(a.end)
	return true, nil
}

// list reads the list of modules.
func (t *talk) list(ctx context.Context) (err error) {
	defer func() { t.lost(err, "/evidence/listing", "/evidence/modules") }()
	g, a, asked, err := t.request(ctx, requestList)
	if !asked {
		return err
	}
	if strings.HasPrefix(a.end, prefixError) {
		t.e.Error = t.e.text(a.end)
		if err == nil {
			err = turnedAway("list", a.end)
		}
		if err == nil {
			t.e.Listing, t.e.Modules = probe.No, []Module{}
		}
		return err
	}
	rows, ok := t.motd.cut(a.lines)
	t.rows(rows)
	if errors.Is(err, probe.OutcomeClosed) && g.version < exitVersion {
		err, a.end = nil, lineExit
	}
	switch {
	case err != nil:
		return err
	case !ok:
		return probe.Errorf("list", probe.OutcomeMalformed, "the message of the day changes, so that it can't be told from the list")
	case a.end != lineExit && !a.more:
		return probe.Errorf("list", probe.OutcomeMalformed, "%q is no end of a list", a.end[:min(len(a.end), 64)])
	}
	t.e.Listing, t.e.ModulesTruncated = probe.Yes, a.more
	if t.e.Modules == nil {
		t.e.Modules = []Module{}
	}
	return nil
}

// request asks for one thing on a connection of its own. A daemon that refuses to talk has answered; one that wasn't reached, or
// that greets otherwise, wasn't asked. Beside an error the answer is what came of it.
func (t *talk) request(ctx context.Context, line string) (g greeting, a answer, asked bool, err error) {
	c, err := t.open(ctx)
	if err != nil {
		return g, a, false, err
	}
	defer c.Close()
	g, refusal, err := t.greeting(c)
	if err != nil {
		return g, a, false, err
	}
	if refusal != "" {
		return g, answer{end: refusal}, true, nil
	}
	a, err = ask(c, g, line, len(t.motd.lines)+t.s.Limits().ReplyLines, t.motd.strip)
	return g, a, true, err
}

// greeting reads the first line of a connection. If the daemon refuses to talk, refusal is its "@ERROR" line.
func (t *talk) greeting(c *probe.Conn) (g greeting, refusal string, err error) {
	line, err := readLine(c)
	if t.opened == 1 && line != "" {
		if !c.Secure() {
			t.e.ImplicitTLS = probe.No
		}
		if err == nil {
			t.e.greet(line, c.Secure())
		} else {
			t.e.Greeting = t.e.text(line)
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
	if t.opened > 1 || strings.HasPrefix(line, prefixTalk) {
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
	e.Digests = []string{}
	for _, d := range g.digests {
		e.Digests = append(e.Digests, e.text(d))
	}
}

// An answer is what came behind a request.
type answer struct {
	lines []string // before its end: the message of the day, and the list if that was asked for
	end   string   // the line that ends it; empty if none came
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
