package nntp

import (
	"context"
	"errors"
	"time"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// A Prober asks news servers. Its zero value is ready for use; the fields go beyond the levels.
type Prober struct {
	// Injection learns whether commands sent in cleartext behind STARTTLS are executed inside TLS, the class of
	// CVE-2011-0411 (INN: CVE-2012-3523): Evidence.STARTTLSInjected. It opens one more connection, sends STARTTLS and DATE
	// in one write, and QUIT inside TLS.
	Injection bool
}

// Grab probes one server. The evidence is valid, if partial, beside an error.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

// Spec implements [probe.Prober].
func (p Prober) Spec() probe.Spec {
	asked := probe.Bound{Conns: 2, Time: 6 * time.Minute} // the conversation, and once more if it fell out of step
	spec := probe.Spec{
		Protocol: protocol,
		// RFC 3977 has 119, and 433 for a server that is only for peers; 563 is from RFC 4642 and 8143.
		Ports: []probe.Port{
			{Network: probe.TCP, Number: 119}, {Network: probe.TCP, Number: 433},
			{Network: probe.TCP, Number: 563, ImplicitTLS: true},
		},
		Guard:    p.newGuard,
		Evidence: func() probe.Evidence { return new(Evidence) },
	}
	if p.Injection {
		asked.Conns++
	}
	spec.Bounds = probe.Bounds{Greeting: probe.Bound{Conns: 1, Time: 3 * time.Minute}, Handshake: asked, Anonymous: asked}
	return spec
}

// Probe implements [probe.Prober]: one conversation, and then what the knobs add.
func (p Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	t := newTalk(s)
	err := textline.InStep(s, func(a *textline.Attempt) error {
		t.Attempt = a
		return t.converse(ctx)
	}, t.forget)
	t.e.leaveOpen()
	s.OfferTLS(ctx, t.e.TLS, t.reachTLS)
	if errors.Is(err, errLeft) {
		return t.e, nil
	}
	if err != nil || s.Level() == probe.LevelGreeting {
		return t.e, err
	}
	if p.Injection && t.e.STARTTLS == probe.Yes {
		s.Lost("/evidence/starttls_injection", t.inject(ctx))
	}
	return t.e, nil
}

// converse asks everything that one connection can tell.
func (t *talk) converse(ctx context.Context) error {
	if err := t.greet(ctx); err != nil || t.s.Level() == probe.LevelGreeting {
		return err
	}
	defer t.close()
	if err := t.capabilities(); err != nil {
		return err
	}
	if err := t.date(); err != nil {
		return err
	}
	if err := t.read("read_reply", &t.e.ReadReply); err != nil {
		return err
	}
	if err := t.starttls(ctx); err != nil {
		return err
	}
	if t.s.Level() >= probe.LevelAnonymous && t.e.ReadAccess != probe.No {
		if err := t.groups(); err != nil {
			return err
		}
		if t.e.Groups != nil && t.e.Groups.Truncated {
			return nil // no QUIT in the middle of a list
		}
	}
	return t.c.Leave()
}
