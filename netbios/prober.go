package netbios

import (
	"context"
	"time"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

// A Prober asks hosts for their NetBIOS names over UDP, and for a session over TCP. Its zero value is ready for use.
type Prober struct{}

// namePort and sessionPort are from RFC 1002 §6.
const (
	namePort    = 137
	sessionPort = 139
)

// Grab probes one host: at "192.0.2.7:139" the session service over TCP, at any other port the name service over UDP.
// The evidence is valid, if partial, beside an error.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

// Spec implements [probe.Prober].
func (p Prober) Spec() probe.Spec {
	// Two session requests, and the name service between them; two questions of seven seconds each.
	full := probe.Bound{Conns: 3, Time: time.Minute}
	return probe.Spec{
		Protocol: protocol,
		Ports: []probe.Port{
			{Network: probe.UDP, Number: namePort, Scheme: "netbios-ns"},
			{Network: probe.TCP, Number: sessionPort, Scheme: "netbios-ssn"},
		},
		Companions: []probe.Port{nbt.NameService},
		Guard:      p.newGuard,
		Bounds:     probe.Bounds{Greeting: probe.Bound{Conns: 1, Time: 10 * time.Second}, Handshake: full, Anonymous: full},
		Evidence:   func() probe.Evidence { return new(Evidence) },
	}
}

// Probe implements [probe.Prober]: the target's network says which of the two services is asked.
func (Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	t := newTalk(s)
	switch below := s.Level() < probe.LevelHandshake; {
	case s.Target().Network != probe.UDP && below:
		return t.e, t.knock(ctx)
	case s.Target().Network != probe.UDP:
		return t.e, t.session(ctx)
	case below:
		return t.e, nil // there is nothing to listen to
	}
	return t.e, t.names(ctx)
}
