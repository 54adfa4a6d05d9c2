package ftp

import (
	"context"
	"time"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// A Prober asks FTP servers. Its zero value is ready for use. [probe.Contact] gives the anonymous password, and the
// beginning of the made-up name.
type Prober struct{}

// Grab probes one server. The evidence is valid, if partial, beside an error.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

// Spec implements [probe.Prober].
func (p Prober) Spec() probe.Spec {
	// FEAT, SYST and AUTH if each ends its connection, the made-up name, anonymous, and both again if there may be one connection
	// at a time; all of it once more if the server fell out of step.
	const conns = 2 * 7
	return probe.Spec{
		Protocol: protocol,
		Ports: []probe.Port{
			{Network: probe.TCP, Number: 21},
			{Network: probe.TCP, Number: 990, ImplicitTLS: true},
		},
		Guard: p.newGuard,
		Bounds: probe.Bounds{
			Greeting:  probe.Bound{Conns: 1, Time: 2 * time.Minute},
			Handshake: probe.Bound{Conns: conns, Time: 5 * time.Minute},
			Anonymous: probe.Bound{Conns: conns + 2*2, Time: 5 * time.Minute}, // MLSD and LIST have data connections
		},
		Evidence: func() probe.Evidence { return new(Evidence) },
	}
}

// Probe implements [probe.Prober].
func (Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	t := newTalk(ctx, s)
	err := textline.InStep(s, t.converse, t.forget)
	s.OfferTLS(ctx, t.e.TLS, t.reachTLS)
	return t.e, err
}

// converse asks what the server offers on one connection, and how it takes logins on that one and others. Each is asked whatever
// came of the question before.
func (t *talk) converse(a *textline.Attempt) error {
	t.Attempt = a
	c, err := t.greet()
	if err != nil {
		return err
	}
	defer func() {
		if c != nil {
			_ = c.Close()
		}
	}()
	if t.s.Level() < probe.LevelHandshake {
		return nil
	}
	if c, err = t.offers(c); err != nil {
		return err
	}
	if c != nil && c.Secure() && !t.s.ImplicitTLS() {
		err = t.loginsBeside(c)
	} else {
		err = t.logins(c)
	}
	return t.sum(err)
}
