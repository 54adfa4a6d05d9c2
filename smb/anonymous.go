package smb

import (
	"context"

	"github.com/handclasp/handclasp/probe"
)

// anonymous learns what the server gives to anybody: Evidence.NullSession, Guest and Shares.
func (p Prober) anonymous(ctx context.Context, s *probe.Session, e *Evidence) error {
	return nil
}
