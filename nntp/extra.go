package nntp

import (
	"context"
	"errors"

	"github.com/handclasp/handclasp/probe"
)

// What the knobs of a Prober add, on connections of their own.

// versions offers each version of TLS alone. The one that was negotiated needs no proof.
func versions(ctx context.Context, s *probe.Session, e *Evidence) error {
	if e.TLS == nil {
		return nil
	}
	for _, v := range probe.TLSVersions {
		accepted, err := v == e.TLS.Version, error(nil)
		if !accepted {
			accepted, err = accepts(ctx, s, e, v)
		}
		if err != nil {
			return err
		}
		if accepted {
			e.TLS.Versions = append(e.TLS.Versions, v)
		}
	}
	return nil
}

func accepts(ctx context.Context, s *probe.Session, e *Evidence, version string) (bool, error) {
	k, err := dial(ctx, s, e)
	if err != nil {
		return false, err
	}
	defer k.c.Close()
	if !s.ImplicitTLS() {
		if ready, err := k.untilTLS(cmdStartTLS + "\r\n"); err != nil || !ready {
			return false, err
		}
	}
	_, err = k.c.StartTLSVersion(ctx, version)
	if errors.Is(err, probe.ErrTLS) {
		return false, nil // refused
	}
	return err == nil, err
}

// untilTLS leads a new connection to the go-ahead for TLS, with plain as the command for it, and reports whether it
// was given.
func (k *talk) untilTLS(plain string) (ready bool, err error) {
	greeting, err := k.reply()
	if err != nil || !isGreeting(greeting.Code) || !welcomes(greeting) {
		return false, err
	}
	if k.switched() {
		if r, err := k.ask(cmdModeReader); err != nil || !r.Is(codePosting, codeNoPosting) {
			return false, err
		}
	}
	if err := k.c.Send([]byte(plain)); err != nil {
		return false, err
	}
	r, err := k.reply()
	return err == nil && goAhead(r) == probe.Yes, err
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
	if ready, err := k.untilTLS(injection); err != nil || !ready {
		return err
	}
	if _, err := k.c.StartTLS(ctx); err != nil {
		if errors.Is(err, probe.ErrTLS) {
			e.Injection = probe.No // DATE was answered in cleartext, or taken for a part of the handshake
			return nil
		}
		return err
	}
	first, err := k.ask(cmdQuit)
	switch {
	case err != nil:
		return err
	case first.Is(codeQuit):
		e.Injection = probe.No
		return nil
	case first.Is(codeDate):
		e.Injection = probe.Yes
		return nil
	}
	// A server that doesn't know DATE, or wants a login for it, says so before it takes leave.
	if second, err := k.reply(); err == nil && second.Is(codeQuit) {
		e.Injection = probe.Yes
	}
	return nil
}
