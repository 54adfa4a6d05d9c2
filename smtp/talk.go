package smtp

import (
	"cmp"
	"context"
	"strings"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// A talk is the conversation of one probe. Its methods are the conversation's steps, and fill the evidence.
type talk struct {
	*textline.Attempt
	p       Prober
	s       *probe.Session
	e       *Evidence
	c       *textline.Conn // the connection that is open
	offered offer          // in the last reply to EHLO
}

func newTalk(p Prober, s *probe.Session) *talk {
	t := &talk{p: p, s: s, e: new(Evidence)}
	s.Keep(t.e)
	return t
}

// words are SMTP's in what it shares with other protocols.
var words = textline.Protocol{Style: textline.EveryLine, Mend: unteased, Greets: greets, Quit: "QUIT", Bye: codeClosing}

// greet opens a connection and reads the greeting to its last line, before which a client that speaks is taken for a
// spammer.
func (t *talk) greet(ctx context.Context) (err error) {
	if t.c, err = words.Open(ctx, t.s); err != nil {
		return err
	}
	t.c.Patient = t.Patient
	g, err := t.c.Greet(ctx)
	if t.e.Greeting == nil || err == nil { // a second connection that is turned away tells nothing of the first
		t.e.Greeting, t.e.Hostname, t.e.ImplicitTLS, t.e.TLS = g.Reply, parseHostname(g.Reply), g.Implicit, g.TLS
	}
	if probe.OutcomeOf(err) == probe.OutcomeDenied && t.s.Level() > probe.LevelGreeting {
		_ = t.c.Leave() // the server waits for it (RFC 5321 §3.1)
	}
	return err
}

func (t *talk) close() {
	if t.c != nil {
		_ = t.c.Close()
	}
}

// forget drops what a conversation told that fell out of step, all but its opening.
func (t *talk) forget() {
	t.close()
	opening := Evidence{Greeting: t.e.Greeting, Hostname: parseHostname(t.e.Greeting), ImplicitTLS: t.e.ImplicitTLS}
	if t.e.ImplicitTLS == probe.Yes {
		opening.TLS = t.e.TLS
	}
	*t.e, t.offered = opening, offer{}
}

// ask sends a command and keeps the reply to it in a field of the evidence, which is lost if none comes. A server that closes
// the connection may say so to any command (RFC 5321 §3.8).
func (t *talk) ask(field string, reply **probe.Reply, command string, codes ...int) (err error) {
	*reply, err = t.c.Ask(command, codes...)
	if err == nil && (*reply).Is(codeNotAvailable) {
		err = busy(field, *reply)
	}
	t.Lost(field, err)
	return err
}

func busy(op string, r *probe.Reply) error {
	return probe.Errorf(op, probe.OutcomeBusy, "%d %s", r.Code, clip(r.Text()))
}

// hello introduces us, with EHLO whatever the greeting says, and takes down what is offered.
func (t *talk) hello() error {
	if err := t.ask("ehlo", &t.e.EHLO, ehlo(t.s), codeOK); err != nil {
		return err
	}
	if t.e.EHLO.Code != codeOK {
		return t.withoutEHLO()
	}
	t.learn()
	return nil
}

// learn takes down what is offered before TLS.
func (t *talk) learn() {
	e, o := t.e, &t.offered
	*o = parseEHLO(e.EHLO.Lines)
	e.Extensions, e.AuthMechanisms, e.SizeLimit = o.extensions, o.mechanisms, o.size
	e.STARTTLS = probe.FactOf(o.has("STARTTLS"))
	if !t.c.Secure() {
		e.STARTTLSStripped = o.stripped()
	}
	e.advertise(o, t.c.Secure() || e.STARTTLS == probe.No && e.STARTTLSStripped == probe.No)
	e.Hostname = cmp.Or(e.Hostname, helloName(e.EHLO))
}

// withoutEHLO goes on behind another reply to EHLO.
func (t *talk) withoutEHLO() error {
	e := t.e
	switch code := e.EHLO.Code; {
	case code == codeNotNow && strings.Contains(strings.ToUpper(e.EHLO.Text()), "STARTTLS"):
		e.STARTTLS = probe.Yes // RFC 3207 §4 has this reply for other commands, and no server without STARTTLS has it
		return nil
	case code < 500:
		err := busy("ehlo", e.EHLO)
		t.Lost("ehlo", err)
		_ = t.c.Leave()
		return err
	}
	if err := t.ask("helo", &e.HELO, "HELO "+ownName(t.s), codeOK); err != nil {
		return err
	}
	switch {
	case e.HELO.Is(codeOK) && e.EHLO.Is(codeUnknown, codeNotImplemented):
		e.STARTTLS = probe.No // who doesn't know EHLO has no extensions (RFC 5321 §3.2)
		e.Extensions, e.AuthMechanisms = []string{}, []string{}
	case e.foreign():
		return probe.Errorf("helo", probe.OutcomeNotProtocol, "EHLO and HELO are both refused, by who doesn't greet as a mail server")
	}
	e.Hostname = cmp.Or(e.Hostname, helloName(e.HELO))
	return nil
}

// starttls upgrades the connection if that is offered.
func (t *talk) starttls(ctx context.Context) (err error) {
	e := t.e
	if e.STARTTLS != probe.Yes || t.c.Secure() {
		return nil
	}
	if err := t.ask("starttls_reply", &e.STARTTLSReply, starttls, codeReady); err != nil || !e.STARTTLSReply.Is(codeReady) {
		return err
	}
	if e.TLS, err = t.c.StartTLS(ctx); err != nil {
		t.Lost("tls", err)
	}
	return err
}

// helloInside introduces us again inside TLS, where everything that was said before counts for nothing (RFC 3207 §4.2).
func (t *talk) helloInside() error {
	t.offered = offer{}
	if err := t.ask("ehlo_after_tls", &t.e.EHLOAfterTLS, ehlo(t.s), codeOK); err != nil || !t.e.EHLOAfterTLS.Is(codeOK) {
		return err
	}
	t.learnInside()
	return nil
}

// learnInside takes down what is offered inside TLS.
func (t *talk) learnInside() {
	e, o := t.e, &t.offered
	*o = parseEHLO(e.EHLOAfterTLS.Lines)
	e.ExtensionsAfterTLS, e.AuthMechanismsAfterTLS = o.extensions, o.mechanisms
	if e.SizeLimit == nil {
		e.SizeLimit = o.size
	}
	e.advertise(o, true)
}

// advertise takes down what is there by its keyword, before TLS or inside it. What isn't offered before TLS may be offered
// inside, so that the last offer decides that it isn't there.
func (e *Evidence) advertise(o *offer, last bool) {
	e.VRFY, e.EXPN = o.available("VRFY", e.VRFY, last), o.available("EXPN", e.EXPN, last)
}

// challenge asks for the NTLM challenge and cancels the login.
func (t *talk) challenge() error {
	e := t.e
	ask := func(command string) error {
		return t.ask("ntlm_reply", &e.NTLMReply, command, codeChallenge, codeLoggedIn)
	}
	if err := ask(authNTLM + " " + negotiate); err != nil {
		return err
	}
	if e.NTLMReply.Is(codeSyntax) { // it takes no initial response
		if err := ask(authNTLM); err != nil {
			return err
		}
	}
	if !e.NTLMReply.Is(codeChallenge) {
		return nil
	}
	if e.NTLM = parseChallenge(e.NTLMReply.Text()); e.NTLM == nil {
		// It doesn't take the message together with the command, and asks for it now.
		if err := ask(negotiate); err != nil || !e.NTLMReply.Is(codeChallenge) {
			return err
		}
		e.NTLM = parseChallenge(e.NTLMReply.Text())
	}
	_, err := t.c.Ask(cancel, codeChallenge, codeLoggedIn)
	return err
}

// verify asks for a name that nobody has.
func (t *talk) verify() error {
	e := t.e
	name, err := t.s.RandomName(nameLength)
	if err != nil {
		return err
	}
	ask := func(name string) error { return t.ask("vrfy_reply", &e.VRFYReply, "VRFY "+name, 250, 251, 252) }
	if err := ask(name); err != nil {
		return err
	}
	if e.VRFYReply.Is(codeSyntax, 504) && isDomain(e.Hostname) {
		// It wants a domain, as Exim does.
		if err := ask(name + "@" + e.Hostname); err != nil {
			return err
		}
	}
	e.VerifiesNames = verifies(e.VRFYReply)
	return nil
}
