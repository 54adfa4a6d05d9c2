package nntp

import (
	"context"
	"errors"

	"github.com/handclasp/handclasp/probe"
)

// What the knobs of a Prober add, on connections of their own.

// versions offers each version of TLS alone. The one that was negotiated needs no proof. A list that lacks a version
// says that the server refused it, so that there is none where one couldn't be asked for.
func versions(ctx context.Context, s *probe.Session, e *Evidence) error {
	if e.TLS == nil {
		return nil
	}
	list := []string{}
	for _, v := range probe.TLSVersions {
		accepted := probe.Yes
		if v != e.TLS.Version {
			var err error
			if accepted, err = accepts(ctx, s, e, v); err != nil || accepted == probe.Unknown {
				return err
			}
		}
		if accepted == probe.Yes {
			list = append(list, v)
		}
	}
	e.TLS.Versions = list
	return nil
}

// accepts offers one version. Unknown is a server that didn't go as far as the handshake, such as one that has no more
// time for us.
func accepts(ctx context.Context, s *probe.Session, e *Evidence, version string) (probe.Fact, error) {
	k, err := dial(ctx, s, e)
	if err != nil {
		return probe.Unknown, err
	}
	defer k.c.Close()
	if !s.ImplicitTLS() {
		if ready, err := k.untilTLS(cmdStartTLS + "\r\n"); err != nil || !ready {
			return probe.Unknown, err
		}
	}
	_, err = k.c.StartTLSVersion(ctx, version)
	switch {
	case err == nil:
		return probe.Yes, nil
	case errors.Is(err, probe.ErrTLS):
		return probe.No, nil
	}
	return probe.Unknown, err
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
