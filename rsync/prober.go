package rsync

import (
	"context"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// A Prober asks rsync daemons. Its zero value is ready for use; the fields go beyond the levels or bound them.
type Prober struct {
	// Modules are names to ask for at [probe.LevelAnonymous] that need not be in the list: those of modules that are
	// hidden by "list = no". They come before the listed ones. A name that no module can have ends the probe with
	// [probe.OutcomeForbidden].
	Modules []string
	// MaxModules is how many modules are asked at [probe.LevelAnonymous], each on a connection of its own; 0 or less
	// means 10. Limits.Conns bounds it too, of which two are used before. The Spec's bounds follow it.
	MaxModules int
	// BusyWait is the time before a module that says that it is busy is asked once more, if the probe may be why:
	// modules share one count of connections unless each has a lock file of its own, and rsync takes 0.1 s to end one
	// that was left. 0 means 0.5 s; a negative time takes the first answer for the last.
	BusyWait time.Duration
}

const (
	defaultMaxModules = 10
	defaultBusyWait   = 500 * time.Millisecond
)

// Grab probes one daemon. The evidence is valid, if partial, beside an error.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

// Spec implements [probe.Prober].
func (p Prober) Spec() probe.Spec {
	most := p.maxModules()
	anonymous := probe.Bound{Conns: 2 + 2*most, Time: time.Minute + time.Duration(max(0, most-defaultMaxModules))*2*time.Second}
	handshake := probe.Bound{Conns: 2, Time: 45 * time.Second}
	return probe.Spec{
		Protocol: protocol,
		// RFC 5781 has 873; 874 is where rsync-ssl looks for TLS.
		Ports:    []probe.Port{{Network: probe.TCP, Number: 873}, {Network: probe.TCP, Number: 874, ImplicitTLS: true}},
		Guard:    p.newGuard,
		Bounds:   probe.Bounds{Greeting: probe.Bound{Conns: 1, Time: 30 * time.Second}, Handshake: handshake, Anonymous: anonymous},
		Evidence: func() probe.Evidence { return new(Evidence) },
	}
}

// Probe implements [probe.Prober].
func (p Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	t := newTalk(p, s)
	for _, name := range p.Modules {
		if !askable(name) {
			return t.e, probe.Errorf("modules", probe.OutcomeForbidden, "no module can have the name %q", name[:min(len(name), 64)])
		}
	}
	err := t.converse(ctx)
	s.OfferTLS(ctx, t.e.TLS, s.Open)
	return t.e, err
}

// converse asks for the message of the day, the list, and the modules.
func (t *talk) converse(ctx context.Context) error {
	goOn, err := t.greet(ctx)
	if err != nil || !goOn {
		return err
	}
	if err := t.list(ctx); err != nil || t.s.Level() < probe.LevelAnonymous {
		return err
	}
	return t.modules(ctx)
}
