package smb

import (
	"context"

	"github.com/handclasp/handclasp/probe"
)

// Prober asks file servers. Its zero value is ready for use; the fields go beyond the levels.
type Prober struct {
	// NetBIOS says whether SMB is carried inside a NetBIOS session. Unknown leaves it to the port: it is at 139.
	NetBIOS probe.Fact
	// Algorithms learns all ciphers and signing algorithms of 3.1.1 that the server takes, with four more connections:
	// Evidence.Ciphers and Evidence.SigningAlgorithms.
	Algorithms bool
}

// Grab probes one server, such as "192.0.2.7:445". The evidence is valid, if partial, beside an error.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

// Spec implements [probe.Prober].
func (p Prober) Spec() probe.Spec {
	return probe.Spec{
		Protocol: protocol,
		Ports:    []probe.Port{{Network: probe.TCP, Number: 445}, {Network: probe.TCP, Number: 139}},
		Guard:    guard,
		Evidence: func() probe.Evidence { return newEvidence() },
	}
}

// Probe implements [probe.Prober].
func (p Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := newEvidence()
	s.Keep(e)
	c, err := s.Open(ctx)
	if err != nil {
		return e, err
	}
	_ = c.Close()
	if s.Level() >= probe.LevelAnonymous {
		return e, p.anonymous(ctx, s, e)
	}
	return e, nil
}
