package smb

import (
	"context"
	"time"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

// A Prober asks file servers. Its zero value is ready for use.
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
		Companions: []probe.Port{nbt.NameService},
		Guard:      p.newGuard,
		Bounds:     p.bounds(),
		Evidence:   func() probe.Evidence { return new(Evidence) },
	}
}

// bounds counts each question twice, since a server that drops some is asked again: the offers of all, the five dialects,
// SMB1 in three ways, four algorithms; and the name service and a second session request.
func (p Prober) bounds() probe.Bounds {
	conns := 1 + 2*(len(dialects)+1) + 2*2 + 2
	if p.Algorithms {
		conns += 2 * len(everything.ciphers)
	}
	return probe.Bounds{
		Greeting:  probe.Bound{Conns: 1, Time: 10 * time.Second},
		Handshake: probe.Bound{Conns: conns, Time: 2 * time.Minute},
		Anonymous: probe.Bound{Conns: conns + 1, Time: 3 * time.Minute},
	}
}

// ForScheme implements scan.SchemeProber.
func (p Prober) ForScheme(scheme string) probe.Prober {
	p.NetBIOS = probe.FactOf(scheme == schemeNetBIOS)
	return p
}

// Probe implements [probe.Prober].
func (p Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	t := newTalk(p, s)
	if s.Level() < probe.LevelHandshake {
		return t.e, t.knock(ctx) // a server says nothing before it is asked
	}
	c, err := t.first(ctx)
	if c == nil || err != nil {
		return t.e, err
	}
	if !t.everything(ctx, c) {
		return t.e, t.err
	}
	t.matrix(ctx)
	t.details(ctx)
	if s.Level() >= probe.LevelAnonymous {
		t.nullSession(ctx)
	}
	return t.e, t.err
}
