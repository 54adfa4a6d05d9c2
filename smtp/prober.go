package smtp

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// A Prober learns what a mail server offers before and after TLS. The zero value is ready for use; its fields are
// knobs.
type Prober struct {
	// Hello is the argument of EHLO: a domain of yours, or an address literal such as "[192.0.2.1]". Empty stands for
	// "[127.0.0.1]". Anything else ends the probe with outcome forbidden.
	Hello string
	// Injection checks, on a connection of its own, whether a command that comes in cleartext behind STARTTLS is
	// carried out inside TLS (CVE-2011-0411).
	Injection bool
	// Verify checks with VRFY of one random name whether the server tells which names exist.
	Verify bool
	// Versions checks, with a connection for each, which versions of TLS are accepted.
	Versions bool
}

// Spec implements [probe.Prober].
func (Prober) Spec() probe.Spec {
	return probe.Spec{
		Protocol: "smtp",
		Ports: []probe.Port{
			{Network: probe.TCP, Number: 25}, {Network: probe.TCP, Number: 587},
			{Network: probe.TCP, Number: 465, ImplicitTLS: true}, {Network: probe.TCP, Number: 2525},
		},
		Guard:    guard,
		Evidence: func() probe.Evidence { return new(Evidence) },
	}
}

// Grab probes an address such as "192.0.2.7:25" with a [Prober] without knobs. The evidence is valid, if partial,
// beside an error, and nil only where addr is no address.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

// Probe implements [probe.Prober]: it waits for the greeting, learns what is offered before and after TLS, and says
// goodbye.
func (p Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := newEvidence()
	s.Keep(e)
	if err := p.converse(ctx, s, e); err != nil || s.Level() == probe.LevelGreeting {
		return e, err
	}
	if p.Injection && e.STARTTLSReply.Is(220) {
		if err := p.checkInjection(ctx, s, e); err != nil {
			return e, err
		}
	}
	if p.Versions && e.TLS != nil {
		if err := p.checkVersions(ctx, s, e.TLS); err != nil {
			return e, err
		}
	}
	return e, nil
}

func (p Prober) converse(ctx context.Context, s *probe.Session, e *Evidence) error {
	k, err := p.open(ctx, s)
	if err != nil {
		return err
	}
	defer k.Close()
	if s.ImplicitTLS() {
		if e.TLS, err = k.StartTLS(ctx); err != nil {
			return err // the chain that was seen is in e.TLS
		}
		e.ImplicitTLS = probe.Yes
	}
	if err := k.greet(e); err != nil || s.Level() == probe.LevelGreeting || e.Greeting.Is(421) {
		return err
	}
	if !e.Greeting.Is(220) {
		return k.quit() // the server waits for it (RFC 5321 §3.1)
	}
	offered, err := k.hello(e)
	if err != nil || e.EHLO.Is(421) {
		return err
	}
	if e.STARTTLS == probe.Yes {
		if e.STARTTLSReply, err = k.ask(starttls); err != nil {
			return err
		}
	}
	if e.STARTTLSReply.Is(220) {
		if e.TLS, err = k.StartTLS(ctx); err != nil {
			return err
		}
		if offered, err = k.helloAgain(e); err != nil {
			return err
		}
	}
	if slices.Contains(offered.mechanisms, "NTLM") {
		if err := k.challenge(e); err != nil {
			return err
		}
	}
	if p.Verify {
		if err := k.verify(s, e); err != nil {
			return err
		}
	}
	return k.quit()
}

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

func (k talk) reply() (*probe.Reply, error) {
	return textline.ReadReply(k, textline.EveryLine, k.lines)
}

func (k talk) ask(command []byte) (*probe.Reply, error) {
	if err := k.Send(command); err != nil {
		return nil, err
	}
	return k.reply()
}

// greet reads the greeting to its last line, before which a client that speaks is taken for a spammer.
func (k talk) greet(e *Evidence) (err error) {
	if e.Greeting, err = k.reply(); err != nil && unteased(e.Greeting) {
		err = nil
	}
	e.Hostname = parseHostname(e.Greeting)
	if err != nil {
		return err
	}
	if c := e.Greeting.Code; c != 220 && c < 400 {
		return probe.Errorf("greeting", probe.OutcomeNotProtocol, "code %d", c)
	}
	e.ImplicitTLS = probe.FactOf(k.Secure())
	return nil
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
