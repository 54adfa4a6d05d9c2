package textline

import (
	"context"
	"errors"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// A Protocol is what FTP, SMTP and NNTP each have of their own in replies, greetings and goodbyes.
type Protocol struct {
	Style Style
	// Preliminary says that a reply with 1yz is followed by the final one (RFC 959 §4.2).
	Preliminary bool
	// Clean, if not nil, returns a line without what may stand before its code.
	Clean func(line []byte) []byte
	// Mend, if not nil, reports whether a first reply that broke the rules is a greeting all the same, and mends it.
	Mend func(*probe.Reply) bool
	// Greets judges a greeting: ok goes on, busy and denied turn the client away, and not_protocol is another protocol's.
	Greets func(*probe.Reply) probe.Outcome
	// Quit is the goodbye, and Bye the code of its reply.
	Quit string
	Bye  int
}

// A Conn is a connection on which each command is answered by one reply.
type Conn struct {
	*probe.Conn
	// Patient conversations wait a moment before each command for what comes unasked. It is the way to talk to a server that
	// fell out of step.
	Patient bool

	p       *Protocol
	s       *probe.Session
	most    int  // lines of a reply
	greeted bool // it is the protocol that is spoken
	asked   bool // a command was sent
}

// patience is how long a patient conversation waits before a command: what a server says unasked mostly comes right behind
// a reply.
const patience = 100 * time.Millisecond

// Open opens a connection of the session.
func (p *Protocol) Open(ctx context.Context, s *probe.Session) (*Conn, error) {
	c, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: c, p: p, s: s, most: s.Limits().ReplyLines}, nil
}

// A Greeting is how a server opens.
type Greeting struct {
	Reply *probe.Reply // nil if none came; with code 0 if a line came that is no reply
	TLS   *probe.TLS   // nil unless TLS was due from the first byte
	// Implicit says whether TLS was spoken from the first byte; Unknown if neither TLS nor a greeting came about.
	Implicit probe.Fact
}

// Greet waits for the greeting, inside TLS if the target is for that. A server that doesn't speak TLS there, or not now, may
// say so in cleartext. The greeting of a server that turns the client away is returned beside [probe.OutcomeBusy] or
// [probe.OutcomeDenied].
func (c *Conn) Greet(ctx context.Context) (g Greeting, err error) {
	if c.s.ImplicitTLS() {
		if g.TLS, err = c.StartTLS(ctx); err != nil {
			return c.cleartext(g, err)
		}
		g.Implicit = probe.Yes
	}
	g.Reply, err = c.Reply()
	if g.Reply != nil && !c.Secure() {
		g.Implicit = probe.No
	}
	if err != nil && (g.Reply == nil || c.p.Mend == nil || !c.p.Mend(g.Reply)) {
		return g, err
	}
	return g, c.judge(g.Reply)
}

// cleartext looks for a greeting in what came when a handshake was due.
func (c *Conn) cleartext(g Greeting, err error) (Greeting, error) {
	r := Parse(g.TLS.LeftoverPlaintext, c.p.Style)
	if r == nil || c.p.Greets(r) == probe.OutcomeNotProtocol {
		return g, err
	}
	g.Reply, g.Implicit = r, probe.No
	if away := c.judge(r); away != nil {
		err = away
	}
	return g, err
}

// judge says what is wrong with a greeting.
func (c *Conn) judge(r *probe.Reply) error {
	o := c.p.Greets(r)
	if o == probe.OutcomeNotProtocol {
		return probe.Errorf("greeting", o, "code %d", r.Code)
	}
	c.greeted = true
	if o != probe.OutcomeOK {
		return probe.Errorf("greeting", o, "%d %s", r.Code, clip([]byte(r.Text())))
	}
	return nil
}

// ReadLine is that of the connection, its line cleaned.
func (c *Conn) ReadLine() ([]byte, error) {
	line, err := c.Conn.ReadLine()
	if c.p.Clean != nil {
		line = c.p.Clean(line)
	}
	return line, err
}

// Next reads one reply, which may be preliminary. It may be returned in part beside an error. Behind a greeting, a line that is no reply
// is malformed rather than of another protocol.
func (c *Conn) Next() (*probe.Reply, error) {
	r, err := ReadReply(c, c.p.Style, c.most)
	if c.greeted {
		err = Malformed(err)
	}
	return r, err
}

// maxPreliminary is how many preliminary replies may come before the final one: RFC 959 §5.4 knows a single 120.
const maxPreliminary = 8

// Reply reads a final reply.
func (c *Conn) Reply() (*probe.Reply, error) {
	for range maxPreliminary {
		r, err := c.Next()
		if err != nil || !c.p.Preliminary || r.Code >= 200 {
			return r, err
		}
	}
	return nil, probe.Errorf("reply", probe.OutcomeMalformed, "no end of preliminary replies")
}

// Send sends a command without its CRLF. What came before it answers nothing and is dropped; the transcript has it. Behind
// the reply to an earlier command it is one reply too many, so that nobody knows which of the two was the answer.
func (c *Conn) Send(command string) error {
	more := c.settle()
	if more > 0 && c.asked && !c.Patient {
		return outOfStep("more than the answer came before %s", command)
	}
	c.asked = true
	message := make([]byte, 0, len(command)+len("\r\n"))
	return c.Conn.Send(append(append(message, command...), "\r\n"...))
}

// maxUnasked is how often a patient conversation waits again because something came.
const maxUnasked = 4

// settle drops what is there, and returns how many bytes of it there were.
func (c *Conn) settle() (dropped int) {
	for range maxUnasked {
		dropped += len(c.Buffered())
		c.Forget(0)
		if !c.Patient {
			break
		}
		if _, err := c.Peek(patience); err != nil {
			break // silence; a connection that ended says so again when it is used
		}
	}
	return dropped
}

// Ask sends a command and reads the reply to it, which may be returned in part beside an error. Any command may be refused, by
// 4yz and 5yz; of the other codes only those given answer it, the rest are [ErrOutOfStep].
func (c *Conn) Ask(command string, codes ...int) (*probe.Reply, error) {
	if err := c.Send(command); err != nil {
		return nil, err
	}
	r, err := c.Reply()
	if err == nil && r.Code < 400 && !r.Is(codes...) {
		err = outOfStep("%d to %s", r.Code, command)
	}
	return r, err
}

// leaving is how long Leave waits for a second answer: a server that took leave in its own words closes the connection.
const leaving = time.Second

// Leave says goodbye and closes the connection. Nothing is learned from the reply, so that no failure counts but
// [ErrOutOfStep]: an answer that isn't the goodbye's, and behind it one more.
func (c *Conn) Leave() error {
	defer c.Close()
	if err := c.Send(c.p.Quit); err != nil {
		if errors.Is(err, ErrOutOfStep) {
			return err
		}
		return nil
	}
	if r, err := c.Reply(); err != nil || r.Is(c.p.Bye) {
		return nil
	}
	more := c.Buffered()
	if len(more) == 0 {
		more, _ = c.Peek(leaving)
	}
	if len(more) > 0 {
		return outOfStep("more came behind the answer to %s", c.p.Quit)
	}
	return nil
}

// Inject learns whether a command that somebody on the way puts in cleartext behind the one that asks for TLS is carried
// out inside (CVE-2011-0411). It sends both, which are one message, and says goodbye inside TLS: the server that kept the
// command answers it before. No clock is needed. goAhead is the code that grants TLS; notNow are 5yz that refuse it for another
// reason than the company in which it came. It is Unknown if they were refused for now, or the handshake failed, which may have
// other reasons.
func (c *Conn) Inject(ctx context.Context, both string, goAhead int, notNow ...int) (probe.Fact, error) {
	r, err := c.Ask(both, goAhead)
	switch {
	case err != nil:
		return probe.Unknown, err
	case r.Code >= 500 && !r.Is(notNow...):
		return probe.No, nil // it noticed: the command alone was granted before
	case !r.Is(goAhead):
		return probe.Unknown, nil
	}
	if _, err := c.StartTLS(ctx); err != nil {
		if errors.Is(err, probe.OutcomeTLS) {
			err = nil // it broke on the command, or for a reason of its own
		}
		return probe.Unknown, err
	}
	if err := c.Send(c.p.Quit); err != nil {
		return probe.Unknown, err
	}
	if r, err = c.Reply(); err != nil {
		return probe.Unknown, err
	}
	if r.Is(c.p.Bye) {
		return probe.No, nil
	}
	r, err = c.Reply()
	switch {
	case err == nil && r.Is(c.p.Bye):
		return probe.Yes, nil
	case errors.Is(err, probe.OutcomeClosed):
		return probe.Unknown, nil // it took leave in words of its own
	}
	return probe.Unknown, err
}
