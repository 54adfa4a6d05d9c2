package nntp

import (
	"context"
	"errors"

	"github.com/handclasp/handclasp/probe"
)

// What the knobs of a Prober add, on connections of their own.

// reachTLS opens a connection and leads it to where TLS begins; nil where the server doesn't go that far, such as one
// that has no more time for us.
func reachTLS(ctx context.Context, s *probe.Session, e *Evidence) (*probe.Conn, error) {
	k, err := dial(ctx, s, e)
	if err != nil {
		return nil, err
	}
	if s.ImplicitTLS() {
		return k.c, nil
	}
	r, err := k.untilTLS(cmdStartTLS + "\r\n")
	if err != nil || goAhead(r) != probe.Yes {
		_ = k.c.Close()
		return nil, err
	}
	return k.c, nil
}

// untilTLS leads a new connection to the go-ahead for TLS, with plain as the command for it. The reply to that is nil
// where the server doesn't go that far.
func (k *talk) untilTLS(plain string) (*probe.Reply, error) {
	greeting, err := k.reply()
	if err != nil || !isGreeting(greeting.Code) || !welcomes(greeting) {
		return nil, err
	}
	if k.switched() {
		if r, err := k.ask(cmdModeReader); err != nil || !r.Is(codePosting, codeNoPosting) {
			return nil, err
		}
	}
	if err := k.c.Send([]byte(plain)); err != nil {
		return nil, err
	}
	return k.reply()
}

// inject sends STARTTLS and DATE in one write, and QUIT inside TLS. A server that kept DATE answers it before QUIT.
func inject(ctx context.Context, s *probe.Session, e *Evidence) error {
	if e.STARTTLS != probe.Yes {
		return nil
	}
	k, err := dial(ctx, s, e)
	if err != nil {
		return err
	}
	defer k.c.Close()
	r, err := k.untilTLS(injection)
	switch {
	case err != nil || r == nil:
		return err
	case r.Code >= 500 && !r.Is(codeNoTLS):
		e.STARTTLSInjected = probe.No // it noticed, since it has just taken STARTTLS alone
		return nil
	case goAhead(r) != probe.Yes:
		return nil
	}
	if _, err := k.c.StartTLS(ctx); err != nil {
		if errors.Is(err, probe.ErrTLS) {
			return nil // it broke on DATE, or for a reason of its own: that can't be told
		}
		return err
	}
	first, err := k.ask(cmdQuit)
	switch {
	case err != nil:
		return err
	case first.Is(codeQuit):
		e.STARTTLSInjected = probe.No
		return nil
	case first.Is(codeDate):
		e.STARTTLSInjected = probe.Yes
		return nil
	}
	// A server that doesn't know DATE, or wants a login for it, says so before it takes leave.
	if second, err := k.reply(); err == nil && second.Is(codeQuit) {
		e.STARTTLSInjected = probe.Yes
	}
	return nil
}
