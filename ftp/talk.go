package ftp

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// A talk is the conversation of one probe. Its methods are the conversation's steps, and fill the evidence.
type talk struct {
	*textline.Attempt
	ctx context.Context
	s   *probe.Session
	e   *Evidence

	auth    string   // the AUTH command that was granted
	refused []string // fields that may be told behind a login
	early   error    // what went wrong before the login
	login   error    // what ended the login that the evidence shows
}

func newTalk(ctx context.Context, s *probe.Session) *talk {
	t := &talk{ctx: ctx, s: s, e: new(Evidence)}
	s.Keep(t.e)
	return t
}

// madeUp is the USER of a made-up name, which is never followed by a PASS.
func (t *talk) madeUp() string {
	return "USER " + cmp.Or(t.s.Contact().Host, "handclasp") + "-no-such-user"
}

// password is anonymous' PASS.
func (t *talk) password() string { return "PASS " + cmp.Or(t.s.Contact().Mail, nobody) }

// nobody is the address of a visitor that gives none. Nobody reads it (RFC 6761 §6.4).
const nobody = "handclasp@handclasp.invalid"

// words are FTP's in what it shares with other protocols.
var words = textline.Protocol{
	Style: textline.FirstAndLast, Preliminary: true, Clean: skipTelnet, Greets: greets, Quit: "QUIT", Bye: 221,
}

// greet opens the first connection.
func (t *talk) greet() (*textline.Conn, error) {
	c, g, err := t.open()
	if t.e.Greeting == nil || err == nil { // a second one that is turned away tells nothing of the first
		t.e.Greeting, t.e.ImplicitTLS, t.e.TLS = g.Reply, g.Implicit, g.TLS
	}
	return c, err
}

func (t *talk) open() (*textline.Conn, textline.Greeting, error) {
	c, err := words.Open(t.ctx, t.s)
	if err != nil {
		return nil, textline.Greeting{}, err
	}
	c.Patient = t.Patient
	g, err := c.Greet(t.ctx)
	if err != nil {
		_ = c.Close()
		return nil, g, err
	}
	return c, g, nil
}

// reconnect opens one more connection, in the way in which the first was opened.
func (t *talk) reconnect() (*textline.Conn, error) {
	c, _, err := t.open()
	if err != nil {
		err = &probe.Error{Op: opReconnect, Outcome: probe.OutcomeOf(err), Err: err}
	}
	return c, err
}

const opReconnect = "reconnect"

// turnedAway reports whether there was no further connection.
func turnedAway(err error) bool {
	var e *probe.Error
	return errors.As(err, &e) && e.Op == opReconnect
}

// ask sends a command and reads the reply to it, without which the field of the evidence is lost. A patient conversation has
// no use for a reply that answers something else. One that turns the client away for the moment ends the conversation on c.
func (t *talk) ask(c *textline.Conn, field, command string, codes ...int) (*probe.Reply, error) {
	r, err := c.Ask(command, codes...)
	op, _, _ := strings.Cut(command, " ")
	switch {
	case t.Patient && errors.Is(err, textline.ErrOutOfStep):
		r, err = nil, probe.Errorf(op, probe.OutcomeMalformed, "%v", err)
	case err == nil && notNow(op, r):
		err = probe.Errorf(op, probe.OutcomeBusy, "%d %s", r.Code, clip([]byte(r.Text())))
	}
	t.Lost(field, err)
	return r, err
}

// forget drops what a conversation told that fell out of step, all but its opening.
func (t *talk) forget() {
	opening := Evidence{Greeting: t.e.Greeting, ImplicitTLS: t.e.ImplicitTLS}
	if t.e.ImplicitTLS == probe.Yes {
		opening.TLS = t.e.TLS
	}
	*t.e, t.auth, t.refused, t.early, t.login = opening, "", nil, nil, nil
}

// over reports whether nothing more can be learned in this conversation.
func over(err error) bool {
	return errors.Is(err, textline.ErrOutOfStep) || errors.Is(err, probe.OutcomeNotProtocol)
}

// offers asks what the server supports and what it is, in cleartext and inside TLS. A question that ends its connection leaves
// the next to a fresh one. It returns the last if the server goes on listening there, and an error if nothing more can be learned.
func (t *talk) offers(c *textline.Conn) (_ *textline.Conn, err error) {
	type question struct {
		field string
		ask   func(*textline.Conn) error
	}
	questions := []question{{"features", t.features}, {"system", t.system}, {"auth_tls", t.upgrade}}
	if c.Secure() {
		questions[2] = question{"protects_data", t.protect}
	}
	for i, q := range questions {
		if c == nil {
			if c, err = t.reconnect(); err != nil {
				t.early = cmp.Or(t.early, err)
				for _, q := range questions[i:] {
					t.Lost(q.field, err)
				}
				return nil, nil
			}
			if errors.Is(t.early, probe.OutcomeTimeout) {
				c.SetPatience(soon)
			}
		}
		switch err = q.ask(c); {
		case over(err):
			_ = c.Close()
			return nil, err
		case err != nil:
			if !errors.Is(err, probe.OutcomeClosed) || t.e.AuthTLS != probe.No { // else it hung up behind its answer
				t.early = cmp.Or(t.early, err)
			}
			_ = c.Close()
			c = nil
		}
	}
	if c != nil {
		c.SetPatience(t.s.Limits().Idle)
	}
	return c, nil
}

// soon is how long an offer is waited for from a server that fell silent at another, so that there is time left for the logins.
const soon = 5 * time.Second

// features asks what the server supports. Some tell only those who logged in.
func (t *talk) features(c *textline.Conn) error {
	field, features := "features", &t.e.Features
	if c.Secure() {
		field, features = "features_after_tls", &t.e.FeaturesAfterTLS
	}
	reply, err := t.ask(c, field, "FEAT", 211)
	if err == nil && isForeign(reply) && !saysFTP(t.e.Greeting) {
		return probe.Errorf("FEAT", probe.OutcomeNotProtocol, "%d %s", reply.Code, clip([]byte(reply.Text())))
	}
	if *features = parseFeatures(reply); err != nil && len(*features) == 0 {
		*features = nil
	}
	t.refuses(field, err == nil && reply.Code >= 400)
	return err
}

// system asks what the server is. vsftpd, for one, tells only those who logged in.
func (t *talk) system(c *textline.Conn) error {
	reply, err := t.ask(c, "system", "SYST", 215)
	if reply.Is(215) {
		t.e.System = reply.Text()
	}
	t.refuses("system", reply.Is(530))
	return err
}

// refuses notes whether a field may be told behind a login.
func (t *talk) refuses(field string, yes bool) {
	t.refused = slices.DeleteFunc(t.refused, func(f string) bool { return f == field })
	if yes {
		t.refused = append(t.refused, field)
	}
}

// starttls asks for TLS (RFC 4217 §4). The connection is secure behind it if that was granted.
func (t *talk) starttls(c *textline.Conn) error {
	for _, auth := range []string{"AUTH TLS", "AUTH SSL"} {
		field := "auth_tls"
		if t.e.AuthTLS == probe.No {
			field = "" // that was answered, whatever comes behind it
		}
		reply, err := t.ask(c, field, auth, 234, 334)
		granted := reply.Is(234, 334)
		if reply != nil && (granted || t.e.AuthReply == nil) {
			t.e.AuthReply = reply
		}
		switch {
		case err != nil:
			return err
		case granted:
			t.e.AuthTLS, t.auth = probe.Yes, auth
			t.e.TLS, err = c.StartTLS(t.ctx)
			t.Lost("tls", err)
			return err
		}
		t.e.AuthTLS = probe.No
	}
	return nil
}

// upgrade asks for TLS, and inside it again what the server supports.
func (t *talk) upgrade(c *textline.Conn) error {
	if err := t.starttls(c); err != nil || t.auth == "" {
		return err
	}
	if err := t.features(c); err != nil {
		return err
	}
	return t.protect(c)
}

// protect asks for encrypted data connections (RFC 4217 §9). 503 and 530 want a login first.
func (t *talk) protect(c *textline.Conn) error {
	for _, command := range []string{"PBSZ 0", "PROT P"} {
		reply, err := t.ask(c, "protects_data", command, 200)
		switch {
		case err != nil:
			return err
		case reply.Is(503, 530):
			return nil
		case reply.Code >= 500:
			t.e.ProtectsData = probe.No
			return nil
		case reply.Code >= 400:
			return nil
		}
	}
	t.e.ProtectsData = probe.Yes
	return nil
}

// reachTLS opens a connection and leads it to where TLS begins; nil if the server doesn't go that far again.
func (t *talk) reachTLS(ctx context.Context) (*probe.Conn, error) {
	if t.s.ImplicitTLS() {
		return t.s.Open(ctx)
	}
	t = &talk{ctx: ctx, s: t.s, e: new(Evidence), auth: t.auth, Attempt: &textline.Attempt{Patient: t.Patient}}
	c, err := t.reconnect()
	if err != nil {
		return nil, err
	}
	reply, err := t.ask(c, "", t.auth, 234, 334)
	if err == nil && reply.Code >= 400 {
		err = probe.Errorf("AUTH", probe.OutcomeBusy, "%d %s", reply.Code, clip([]byte(reply.Text())))
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c.Conn, nil
}
