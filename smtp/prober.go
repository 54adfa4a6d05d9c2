package smtp

import (
	"context"
	"slices"

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
	// Verify checks with VRFY of one random name, at the server's own domain where it asks for one, whether the server
	// tells which names exist.
	Verify bool
	// Versions checks, with a connection for each, which versions of TLS are accepted.
	Versions bool
}

// Spec implements [probe.Prober]. Its guard depends on Injection and Verify.
func (p Prober) Spec() probe.Spec {
	return probe.Spec{
		Protocol: "smtp",
		Ports: []probe.Port{
			{Network: probe.TCP, Number: 25}, {Network: probe.TCP, Number: 587},
			{Network: probe.TCP, Number: 465, ImplicitTLS: true}, {Network: probe.TCP, Number: 2525},
		},
		Guard:    func(probe.Contact) probe.Guard { return p.guard },
		Evidence: func() probe.Evidence { return newEvidence() },
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
	if p.Versions {
		if err := s.AcceptedVersions(ctx, e.TLS, func() (*probe.Conn, error) { return p.reachTLS(ctx, s) }); err != nil {
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
			if r := textline.Parse(e.TLS.LeftoverPlaintext, textline.EveryLine); isGreeting(r) {
				e.Greeting, e.Hostname, e.ImplicitTLS = r, parseHostname(r), probe.No // it doesn't speak TLS here, or not now
			}
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
