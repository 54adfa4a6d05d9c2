package smtp

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// A Prober asks mail servers. Its zero value is ready for use; the fields go beyond the levels.
type Prober struct {
	// Injection checks, on a connection of its own, whether a command that comes in cleartext behind STARTTLS is
	// carried out inside TLS (CVE-2011-0411).
	Injection bool
	// Verify checks with VRFY of one random name, at the server's own domain if it asks for one, whether the server
	// tells which names exist.
	Verify bool
}

// Grab probes one server. The evidence is valid, if partial, beside an error.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

// Spec implements [probe.Prober]. Its guard and its bounds depend on the knobs.
func (p Prober) Spec() probe.Spec {
	// A greeting may take five minutes (RFC 5321 §4.5.3.2.1), if the limits allow that.
	asked := probe.Bound{Conns: 3, Time: 12 * time.Minute} // the conversation, once more if it fell out of step, NTLM beside a broken TLS
	if p.Injection {
		asked.Conns++
	}
	return probe.Spec{
		Protocol: protocol,
		Ports: []probe.Port{
			{Network: probe.TCP, Number: 25}, {Network: probe.TCP, Number: 587},
			{Network: probe.TCP, Number: 465, ImplicitTLS: true}, {Network: probe.TCP, Number: 2525},
		},
		Guard:    p.newGuard,
		Bounds:   probe.Bounds{Greeting: probe.Bound{Conns: 1, Time: 6 * time.Minute}, Handshake: asked, Anonymous: asked},
		Evidence: func() probe.Evidence { return new(Evidence) },
	}
}

// Probe implements [probe.Prober]: it waits for the greeting, learns what is offered before and after TLS, and says
// goodbye.
func (p Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	t := newTalk(p, s)
	err := textline.InStep(s, func(a *textline.Attempt) error {
		t.Attempt = a
		return t.converse(ctx)
	}, t.forget)
	s.OfferTLS(ctx, t.e.TLS, t.reachTLS)
	if err != nil || s.Level() == probe.LevelGreeting {
		return t.e, err
	}
	if p.Injection && t.e.STARTTLSReply.Is(codeReady) {
		s.Lost("/evidence/starttls_injection", t.inject(ctx))
	}
	return t.e, nil
}

// converse asks everything that one connection can tell. If TLS, which was offered, can't be had, NTLM is asked for in
// cleartext, if it is offered there.
func (t *talk) converse(ctx context.Context) error {
	if err := t.greet(ctx); err != nil || t.s.Level() == probe.LevelGreeting {
		return err
	}
	defer t.close()
	if err := t.hello(); err != nil {
		return err
	}
	broken := t.starttls(ctx)
	if broken == nil && t.e.STARTTLSReply.Is(codeReady) {
		broken = t.helloInside()
	}
	switch {
	case errors.Is(broken, probe.OutcomeTLS), errors.Is(broken, probe.OutcomeClosed):
		if slices.Contains(t.e.AuthMechanisms, ntlm) {
			t.challengeBeside(ctx)
		}
		return broken
	case broken != nil:
		return broken
	}
	if slices.Contains(t.offered.mechanisms, ntlm) {
		if err := t.challenge(); err != nil {
			return err
		}
	}
	if t.p.Verify {
		if err := t.verify(); err != nil {
			return err
		}
	}
	return t.c.Leave()
}
