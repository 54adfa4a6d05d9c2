package smtp

import (
	"cmp"
	"context"
	"strings"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// A talk is a connection on which commands are sent and replies read.
type talk struct {
	*probe.Conn
	name  string // the argument of EHLO
	lines int    // in a reply, at most
}

func (p Prober) open(ctx context.Context, s *probe.Session) (talk, error) {
	c, err := s.Open(ctx)
	return talk{Conn: c, name: cmp.Or(p.Hello, defaultHello), lines: s.Limits().ReplyLines}, err
}

// greeting reads the first reply.
func (k talk) greeting() (*probe.Reply, error) {
	return textline.ReadReply(k, textline.EveryLine, k.lines)
}

// reply reads a later one. It may be returned in part beside an error.
func (k talk) reply() (*probe.Reply, error) {
	r, err := k.greeting()
	return r, textline.Malformed(err)
}

func (k talk) ask(command []byte) (*probe.Reply, error) {
	if err := k.Send(command); err != nil {
		return nil, err
	}
	return k.reply()
}

// greet reads the greeting to its last line, before which a client that speaks is taken for a spammer.
func (k talk) greet(e *Evidence) (err error) {
	if e.Greeting, err = k.greeting(); err != nil && unteased(e.Greeting) {
		err = nil
	}
	e.Hostname = parseHostname(e.Greeting)
	if e.Greeting != nil && !k.Secure() {
		e.ImplicitTLS = probe.No
	}
	if err == nil && !isGreeting(e.Greeting) {
		err = probe.Errorf("greeting", probe.OutcomeNotProtocol, "code %d", e.Greeting.Code)
	}
	return err
}

// hello introduces us, with EHLO whatever the greeting says, and takes down what is offered.
func (k talk) hello(e *Evidence) (o offer, err error) {
	if e.EHLO, err = k.ask(appendLine(nil, "EHLO", k.name)); err != nil {
		return o, err
	}
	switch code := e.EHLO.Code; {
	case code == 250:
		o = parseEHLO(e.EHLO.Lines)
		e.Extensions, e.AuthMechanisms, e.SizeLimit = o.extensions, o.mechanisms, o.size
		e.VRFY, e.EXPN = probe.FactOf(o.has("VRFY")), probe.FactOf(o.has("EXPN"))
		if !k.Secure() {
			e.STARTTLS, e.STARTTLSStripped = probe.FactOf(o.has("STARTTLS")), o.stripped()
		}
		return o, nil
	case code == 530 && strings.Contains(strings.ToUpper(e.EHLO.Text()), "STARTTLS"):
		e.STARTTLS = probe.Yes // RFC 3207 §4 has this reply for other commands, and no server without STARTTLS has it
		return o, nil
	case code < 400:
		return o, probe.Errorf("ehlo", probe.OutcomeMalformed, "code %d", code)
	case code < 500:
		return o, nil // not now
	}
	if e.HELO, err = k.ask(appendLine(nil, "HELO", k.name)); err != nil {
		return o, err
	}
	switch {
	case e.HELO.Is(250) && e.EHLO.Is(500, 502):
		e.STARTTLS = probe.No // who doesn't know EHLO has no extensions (RFC 5321 §3.2)
	case unknown(e.EHLO) && unknown(e.HELO):
		return o, probe.Errorf("helo", probe.OutcomeNotProtocol, "EHLO and HELO are both unknown")
	}
	return o, nil
}

// unknown reports whether a command wasn't understood, in the words of SMTP or of FTP before a login.
func unknown(r *probe.Reply) bool { return r.Is(500, 502, 530) }

// helloAgain introduces us inside TLS, where everything that was said before counts for nothing (RFC 3207 §4.2).
func (k talk) helloAgain(e *Evidence) (o offer, err error) {
	if e.EHLOAfterTLS, err = k.ask(appendLine(nil, "EHLO", k.name)); err != nil || !e.EHLOAfterTLS.Is(250) {
		return o, err
	}
	o = parseEHLO(e.EHLOAfterTLS.Lines)
	e.ExtensionsAfterTLS, e.AuthMechanismsAfterTLS = o.extensions, o.mechanisms
	if e.SizeLimit == nil {
		e.SizeLimit = o.size
	}
	e.VRFY = probe.FactOf(e.VRFY == probe.Yes || o.has("VRFY"))
	e.EXPN = probe.FactOf(e.EXPN == probe.Yes || o.has("EXPN"))
	return o, nil
}

// challenge asks for the NTLM challenge and cancels the login.
func (k talk) challenge(e *Evidence) (err error) {
	if e.NTLMReply, err = k.ask(authNTLM); err != nil || !e.NTLMReply.Is(334) {
		return err
	}
	if e.NTLM = parseChallenge(e.NTLMReply.Text()); e.NTLM == nil {
		// It doesn't take the message together with the command, and asks for it now.
		if e.NTLMReply, err = k.ask(negotiate); err != nil || !e.NTLMReply.Is(334) {
			return err
		}
		e.NTLM = parseChallenge(e.NTLMReply.Text())
	}
	_, err = k.ask(cancel)
	return err
}

// verify asks for a name that nobody has.
func (k talk) verify(s *probe.Session, e *Evidence) error {
	name, err := s.RandomName(nameLength)
	if err != nil {
		return err
	}
	if e.VRFYReply, err = k.ask(appendLine(nil, "VRFY", name)); err != nil {
		return err
	}
	if e.VRFYReply.Is(501, 504) && isDomain(e.Hostname) {
		// It wants a domain, as Exim does.
		if e.VRFYReply, err = k.ask(appendLine(nil, "VRFY", name+"@"+e.Hostname)); err != nil {
			return err
		}
	}
	e.VerifiesNames = verifies(e.VRFYReply)
	return nil
}

// quit says goodbye. A server that hangs up without a word has done what it was asked to.
func (k talk) quit() error {
	if _, err := k.ask(quit); probe.OutcomeOf(err) != probe.OutcomeClosed {
		return err
	}
	return nil
}
