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

const (
	portNetBIOS   = 139
	schemeNetBIOS = "smb+nbt"
)

// Spec implements [probe.Prober].
func (p Prober) Spec() probe.Spec {
	return probe.Spec{
		Protocol:   protocol,
		Ports:      []probe.Port{{Network: probe.TCP, Number: 445}, {Network: probe.TCP, Number: portNetBIOS, Scheme: schemeNetBIOS}},
		Companions: []probe.Port{nameService},
		Guard:      newGuard,
		Evidence:   func() probe.Evidence { return newEvidence() },
	}
}

// ForScheme implements [probe.SchemeProber].
func (p Prober) ForScheme(scheme string) probe.Prober {
	p.NetBIOS = probe.FactOf(scheme == schemeNetBIOS)
	return p
}

// Probe implements [probe.Prober]: one connection that offers everything, and where that is answered, one for each
// dialect and one for SMB1 side by side.
func (p Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	k := newTalk(p, s)
	if s.Level() < probe.LevelHandshake {
		return k.e, k.knock(ctx) // a server says nothing before it is asked
	}
	c, err := k.first(ctx)
	if c == nil || err != nil {
		return k.e, err
	}
	if !k.everything(ctx, c) {
		return k.e, k.err
	}
	k.matrix(ctx)
	k.details(ctx)
	k.e.conclude()
	if s.Level() >= probe.LevelAnonymous {
		k.nullSession(ctx)
	}
	return k.e, k.err
}
