package smtp

import (
	"context"

	"github.com/handclasp/handclasp/probe"
)

// go ahead to TLS on a connection of its own. The reply to command is nil where the server, which has just done so
// for us, doesn't let us come that far.
func (p Prober) reach(ctx context.Context, s *probe.Session, command []byte) (talk, *probe.Reply, error) {
	k, err := p.open(ctx, s)
	if err != nil {
		return k, nil, err
	}
	again := newEvidence()
	if err := k.greet(again); err != nil || !again.Greeting.Is(220) {
		return k, nil, err
	}
	if _, err := k.hello(again); err != nil || again.STARTTLS != probe.Yes {
		return k, nil, err
	}
	r, err := k.ask(command)
	return k, r, err
}

// checkInjection sends a command in cleartext behind STARTTLS and looks for its answer inside TLS. What comes there
// is told from other answers by asking for a goodbye, whose code no other reply has; no clock is needed.
func (p Prober) checkInjection(ctx context.Context, s *probe.Session, e *Evidence) error {
	k, r, err := p.reach(ctx, s, starttlsNoop)
	if k.Conn != nil {
		defer k.Close()
	}
	switch {
	case err != nil || r == nil:
		return err
	case r.Code >= 500:
		e.STARTTLSInjected = probe.No // it noticed
		return nil
	case r.Code != 220:
		return nil
	}
	if _, err := k.StartTLS(ctx); err != nil {
		if probe.OutcomeOf(err) != probe.OutcomeTLS {
			return err
		}
		// The command was answered in cleartext, or went into the handshake, which broke on it.
		e.STARTTLSInjected = probe.No
		return nil
	}
	r, err = k.ask(quit)
	switch {
	case err != nil:
		return err
	case r.Is(221):
		e.STARTTLSInjected = probe.No
		return nil
	}
	if second, err := k.reply(); err != nil || !second.Is(221) {
		return err
	}
	e.STARTTLSInjected = probe.Yes
	return nil
}

// checkVersions finds out which versions are accepted. It says nothing unless it learned all of them.
func (p Prober) checkVersions(ctx context.Context, s *probe.Session, t *probe.TLS) error {
	accepted := []string{}
	for _, v := range probe.TLSVersions {
		ok := v == t.Version
		if !ok {
			learned, err := p.tryVersion(ctx, s, v)
			if err != nil && probe.OutcomeOf(err) != probe.OutcomeTLS {
				return err
			}
			if !learned {
				return nil
			}
			ok = err == nil
		}
		if ok {
			accepted = append(accepted, v)
		}
	}
	t.Versions = accepted
	return nil
}

// tryVersion offers one version alone. It reports whether a handshake was begun; where it failed, err says why.
func (p Prober) tryVersion(ctx context.Context, s *probe.Session, version string) (learned bool, err error) {
	var k talk
	if s.ImplicitTLS() {
		k, err = p.open(ctx, s)
	} else {
		var r *probe.Reply
		if k, r, err = p.reach(ctx, s, starttls); err == nil && !r.Is(220) {
			defer k.Close()
			return false, nil
		}
	}
	if k.Conn != nil {
		defer k.Close()
	}
	if err != nil {
		return false, err
	}
	_, err = k.StartTLSVersion(ctx, version)
	return true, err
}
