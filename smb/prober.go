package smb

import (
	"context"

	"github.com/handclasp/handclasp/probe"
)

// Prober asks file servers. Its zero value is ready for use.
type Prober struct {
	NetBIOS    probe.Fact // whether SMB is carried inside a NetBIOS session; unknown leaves it to the port
	Algorithms bool       // learn all ciphers and signing algorithms of 3.1.1, with four more connections
}

// Grab probes one server. The evidence is valid, if partial, beside an error.
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
		Evidence:   func() probe.Evidence { return new(Evidence) },
	}
}

// ForScheme implements [probe.SchemeProber].
func (p Prober) ForScheme(scheme string) probe.Prober {
	p.NetBIOS = probe.FactOf(scheme == schemeNetBIOS)
	return p
}

// Probe implements [probe.Prober].
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
