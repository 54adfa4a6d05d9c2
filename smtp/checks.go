package smtp

import (
	"context"

	"github.com/handclasp/handclasp/probe"
)

// reach goes as far as the go-ahead to TLS on a connection of its own. The reply to command is nil where the server,
// which has just gone that far with us, doesn't do so again.
func (p Prober) reach(ctx context.Context, s *probe.Session, command []byte) (k talk, r *probe.Reply, err error) {
	if k, err = p.open(ctx, s); err != nil {
		return k, nil, err
	}
	defer func() {
		if r == nil {
			k.Close()
		}
	}()
	again := newEvidence()
	if err := k.greet(again); err != nil || !again.Greeting.Is(220) {
		return k, nil, err
	}
	if _, err := k.hello(again); err != nil || again.STARTTLS != probe.Yes {
		return k, nil, err
	}
	r, err = k.ask(command)
	return k, r, err
}

// checkInjection sends a command in cleartext behind STARTTLS and looks for its answer inside TLS. What comes there
// is told from other answers by asking for a goodbye, whose code no other reply has; no clock is needed.
func (p Prober) checkInjection(ctx context.Context, s *probe.Session, e *Evidence) error {
	k, r, err := p.reach(ctx, s, starttlsNoop)
	if err != nil || r == nil {
		return err
	}
	defer k.Close()
	switch {
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
		if k, err = p.open(ctx, s); err != nil {
			return false, err
		}
		defer k.Close()
	} else {
		var r *probe.Reply
		if k, r, err = p.reach(ctx, s, starttls); err != nil || r == nil {
			return false, err
		}
		defer k.Close()
		if !r.Is(220) {
			return false, nil
		}
	}
	_, err = k.StartTLSVersion(ctx, version)
	return true, err
}
