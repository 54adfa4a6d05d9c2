package smb

import (
	"context"

	"github.com/handclasp/handclasp/probe"
)

// anonymous learns what the server gives to anybody: Evidence.NullSession, Guest and Shares. Each of its connections
// comes from open, which makes it carry SMB.
func (p Prober) anonymous(ctx context.Context, s *probe.Session, e *Evidence, open func(context.Context) (*probe.Conn, error)) error {
	return nil
}
