package smb

import (
	"context"

	"github.com/handclasp/handclasp/probe"
)

// visitor is a prober that does nothing but open a session without a user.
type visitor struct{ dialect string }

func (v visitor) Spec() probe.Spec {
	return probe.Spec{
		Protocol: protocol, Ports: []probe.Port{{Network: probe.TCP, Number: 445}},
		Evidence: func() probe.Evidence { return newEvidence() },
		Guard: func(probe.Contact) probe.Guard {
			return func(l probe.Level, plain []byte) (string, error) {
				if l == probe.LevelHandshake {
					l = probe.LevelAnonymous // the visitor is one at both
				}
				return guard(l, plain)
			}
		},
	}
}

func (v visitor) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := newEvidence()
	s.Keep(e)
	e.PreferredDialect = v.dialect
	if s.Level() < probe.LevelHandshake {
		c, err := s.Open(ctx)
		if err == nil {
			err = c.Close()
		}
		return e, err
	}
	return e, Prober{}.anonymous(ctx, s, e, s.Open)
}
