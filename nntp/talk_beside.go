package nntp

import (
	"context"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// Questions on connections of their own, which the knobs of a Prober add.

// beside opens one more connection and leads it to where STARTTLS is taken.
func (t *talk) beside(ctx context.Context) (*textline.Conn, error) {
	c, err := words.Open(ctx, t.s)
	if err != nil {
		return nil, err
	}
	c.Patient = t.Patient
	if _, err = c.Greet(ctx); err == nil && t.switched() {
		_, err = c.Ask(cmdModeReader, codePosting, codeNoPosting)
	}
	if err != nil {
		_ = c.Close()
	}
	return c, err
}

// reachTLS opens a connection and leads it to where TLS begins; nil if the server doesn't go that far again.
func (t *talk) reachTLS(ctx context.Context) (*probe.Conn, error) {
	if t.s.ImplicitTLS() {
		return t.s.Open(ctx)
	}
	c, err := t.beside(ctx)
	if err != nil {
		return nil, err
	}
	r, err := c.Ask(cmdStartTLS, codeContinueTLS)
	if err != nil || goAhead(r) != probe.Yes {
		_ = c.Close()
		return nil, err
	}
	return c.Conn, nil
}

// inject checks whether a command that comes in cleartext behind STARTTLS is carried out inside TLS. DATE has no effect.
func (t *talk) inject(ctx context.Context) error {
	c, err := t.beside(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	t.e.STARTTLSInjected, err = c.Inject(ctx, cmdStartTLS+"\r\n"+cmdDate, codeContinueTLS, codeNoTLS)
	return err
}
