package smb

import (
	"context"
	"errors"

	"github.com/handclasp/handclasp/probe"
)

// anonymous learns what the server gives to anybody: Evidence.NullSession, Guest and Shares. Each of its connections
// comes from open, which makes it carry SMB.
func (p Prober) anonymous(ctx context.Context, s *probe.Session, e *Evidence, open func(context.Context) (*probe.Conn, error)) error {
	return nil
}

// guardSession names a message of a session without a user, or refuses it. It is asked at [probe.LevelAnonymous] only.
func guardSession(message []byte) (label string, err error) {
	return "", errors.New("no such session is opened")
}
