package probe

import (
	"context"
	"errors"
)

// AcceptedVersions finds out which of [TLSVersions] the server accepts and notes them in t.Versions. The version that
// t negotiated needs no proof; each other is offered alone, on a connection of its own, which reach opens and leads to
// where the handshake begins. If reach returns nil, the server didn't go that far. A list that lacks a version says
// that the server refused it, so that it stays empty unless all of them were learned. If t is nil, TLS isn't
// spoken, and nothing is done.
func (s *Session) AcceptedVersions(ctx context.Context, t *TLS, reach func() (*Conn, error)) error {
	if t == nil {
		return nil
	}
	accepted := []string{}
	for _, version := range TLSVersions {
		if version != t.Version || t.Error != "" {
			c, err := reach()
			if err != nil || c == nil {
				return err
			}
			_, err = c.StartTLSVersion(ctx, version)
			_ = c.Close()
			if errors.Is(err, ErrTLS) {
				continue
			}
			if err != nil {
				return err
			}
		}
		accepted = append(accepted, version)
	}
	t.Versions = accepted
	return nil
}
