package netbios

import (
	"context"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
)

// Prober asks hosts for their NetBIOS names over UDP, and for a session over TCP. Its zero value is ready for use.
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
func (Prober) Spec() probe.Spec {
	return probe.Spec{
		Protocol: protocol,
		Ports: []probe.Port{
			{Network: probe.UDP, Number: namePort, Scheme: "netbios-ns"},
			{Network: probe.TCP, Number: sessionPort, Scheme: "netbios-ssn"},
		},
		Companions: []probe.Port{nameService},
		Guard:      func(probe.Contact) probe.Guard { return guard },
		Evidence:   func() probe.Evidence { return newEvidence() },
	}
}

// nameService is beside the session service.
var nameService = probe.Port{Network: probe.UDP, Number: namePort}

// Probe implements [probe.Prober]: the target's network says which of the two services is asked.
func (Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := newEvidence()
	s.Keep(e)
	if s.Target().Network == probe.UDP {
		return e, names(ctx, s, e)
	}
	return e, session(ctx, s, e)
}

// names asks for the host's names, and for the addresses of one of them.
func names(ctx context.Context, s *probe.Session, e *Evidence) error {
	if s.Level() < probe.LevelHandshake {
		return nil // there is nothing to listen to
	}
	c, err := s.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	table, err := status(s, c, e)
	if err != nil || table == nil {
		return err
	}
	return addresses(ctx, s, c, e, known(table))
}

// session calls the file server by the name that most have, and where that is refused by its own.
func session(ctx context.Context, s *probe.Session, e *Evidence) error {
	err := call(ctx, s, e, anyServer)
	if err != nil || e.Session != SessionNegative {
		return err
	}
	own, ok, err := ownName(ctx, s, e)
	if err != nil || !ok {
		return err
	}
	return call(ctx, s, e, own)
}

// ownName learns the file server's name from the name service beside it. Where that keeps silent, the session's answer
// stands.
func ownName(ctx context.Context, s *probe.Session, e *Evidence) (n nbt.Name, ok bool, err error) {
	c, err := s.OpenCompanion(ctx, nameService)
	if err != nil {
		return n, false, unlessUnanswered(ctx, err)
	}
	defer c.Close()
	table, err := status(s, c, e)
	if table != nil {
		n, ok = table.FileServer()
	}
	return n, ok && askable(n), unlessUnanswered(ctx, err)
}
