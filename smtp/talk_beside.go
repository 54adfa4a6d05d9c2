package smtp

import (
	"context"
	"slices"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// Questions on connections of their own.

// beside opens one more connection and introduces us. Its evidence is its own, and so is what it loses.
func (t *talk) beside(ctx context.Context) (*talk, error) {
	side := &talk{s: t.s, e: new(Evidence), Attempt: &textline.Attempt{Patient: t.Patient}}
	err := side.greet(ctx)
	if err == nil {
		err = side.hello()
	}
	if err != nil {
		side.close()
	}
	return side, err
}

// challengeBeside asks for the NTLM challenge in cleartext, behind a TLS that can't be had.
func (t *talk) challengeBeside(ctx context.Context) {
	t.close() // some servers let a client have one connection at a time
	side, err := t.beside(ctx)
	if err == nil && slices.Contains(side.offered.mechanisms, ntlm) {
		err = side.challenge()
		t.e.NTLM, t.e.NTLMReply = side.e.NTLM, side.e.NTLMReply
		_ = side.c.Leave()
	}
	t.Lost("ntlm_reply", err)
}

// inject checks whether a command that comes in cleartext behind STARTTLS is carried out inside TLS. NOOP does nothing
// (RFC 5321 §4.1.1.9).
func (t *talk) inject(ctx context.Context) error {
	side, err := t.beside(ctx)
	if err != nil || side.e.STARTTLS != probe.Yes {
		return err
	}
	defer side.close()
	t.e.STARTTLSInjected, err = side.c.Inject(ctx, starttlsNoop, codeReady)
	return err
}

// reachTLS opens a connection and leads it to where TLS begins; nil if the server doesn't go that far again.
func (t *talk) reachTLS(ctx context.Context) (*probe.Conn, error) {
	if t.s.ImplicitTLS() {
		return t.s.Open(ctx)
	}
	side, err := t.beside(ctx)
	if err != nil || side.e.STARTTLS != probe.Yes {
		return nil, err
	}
	if err = side.ask("", &side.e.STARTTLSReply, starttls, codeReady); err != nil || !side.e.STARTTLSReply.Is(codeReady) {
		side.close()
		return nil, err
	}
	return side.c.Conn, nil
}
