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
		e.STARTTLSInjected = probe.No // it noticed, since it has just taken STARTTLS alone
		return nil
	case r.Code != 220:
		return nil // not now (454, RFC 3207 §4)
	}
	if _, err := k.StartTLS(ctx); err != nil {
		if probe.OutcomeOf(err) != probe.OutcomeTLS {
			return err
		}
		return nil // it broke on the command, or for a reason of its own: that can't be told
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

// reachTLS opens a connection and leads it to where TLS begins; nil where the server doesn't go that far.
func (p Prober) reachTLS(ctx context.Context, s *probe.Session) (*probe.Conn, error) {
	if s.ImplicitTLS() {
		return s.Open(ctx)
	}
	k, r, err := p.reach(ctx, s, starttls)
	if err != nil || r == nil {
		return nil, err
	}
	if !r.Is(220) {
		_ = k.Close()
		return nil, nil
	}
	return k.Conn, nil
}
